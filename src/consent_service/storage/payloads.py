"""Event payloads as stored: canonical JSON, compressed against a dictionary of what every payload says.

Payloads are short and alike; a preset dictionary takes them to about a third (RFC 1950 §2.2, FDICT). The first byte
names the dictionary, so that a later version may bring another one and still read the old rows.
"""

import re
import zlib

_TEXT, _TOKENS = b"\x01", b"\x02"
"""Versions: the text as it is, and the text with its ids and hashes taken out."""
_WINDOW, _MEMORY = -12, 4
"""A raw stream whose window (4 KiB) holds the dictionary and a payload. The usual 32 KiB and their hash table cost ten
times as much to clear as the payload costs to compress; readers take any window."""
_DICTIONARY = (
    b'{"categories":["advertising","social_media"],"restricted":true,"synced":false,"age_band":"adult","decided_at":"'
    b'"separate_consents":["cross_border","third_party_sharing"],"channels":["web","email"],"erased_seqs":"'
    b'"locale":"de","locale":"fr","locale":null,"method":"preferences","method":"withdraw_link","method":"import",'
    b'"method":"signal","regime":"opt_out","regime":"notice","region":"US-CA","region":"DE","region":"FR",'
    b'"dnt":"1","event_type":"withdrawn","event_type":"changed","event_type":"renewed","event_type":"refused",'
    b'"event_type":"dismissed","event_type":"signal","gpc":true,"policy_version":"2026-11-22","channel":"email",'
    b'"choices":null,"choices":{"advertising":true,"analytical_performance":true,"functionality":true,'
    b'"personalization":true,"social_media":true,"statistical":true,"strictly_necessary":true,"technical":true},'
    b'{"channel":"web","choices":{"advertising":false,"analytical_performance":false,"functionality":false,'
    b'"personalization":false,"social_media":false,"statistical":false,"strictly_necessary":true,"technical":false},'
    b'"dnt":null,"event_id":"","event_time":"2026-11-22T00:00:00.000000Z","event_type":"given","gpc":false,"locale":"en",'
    b'"method":"banner","policy_sha256":"","policy_version":"","receipt_id":"","regime":"opt_in","region":null,'
    b'"site":"default","visitor_id":""}'
)


_DICTIONARIES = {
    _TEXT: _DICTIONARY,
    _TOKENS: _DICTIONARY.replace(b'_id":"","', b'_id":"\x00","').replace(b'sha256":""', b'sha256":"\x01"'),
}
_HEX = re.compile(rb'"(?:([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})|([0-9a-f]{64}))"')
"""With the quotes around, of which there are few: a search that may begin anywhere takes longer than the rest."""
_UUID_HERE, _HASH_HERE = b"\x00", b"\x01"
"""Stand in the text for what was taken out: JSON has no such bytes (RFC 8259 §7)."""
_HERE = re.compile(rb"[\x00\x01]")
_UUID_BYTES, _HASH_BYTES = 16, 32


def pack(payload: bytes, *, quick: bool = False) -> bytes:
    """Compress canonical JSON for storage; ids and hashes, which nothing compresses, stand behind it as plain bytes.

    `quick` is for what is large and soon gone: a fifth of the time for a tenth more of room.
    """
    taken: list[bytes] = []

    def take(match: re.Match[bytes]) -> bytes:
        digest = match[6]
        taken.append(bytes.fromhex((digest or b"".join(match.groups(b"")[:5])).decode()))
        return b'"%b"' % (_HASH_HERE if digest else _UUID_HERE)

    # What is no JSON may hold the very bytes that stand for something, and is left as it is.
    plain = quick or _UUID_HERE in payload or _HASH_HERE in payload
    version, text = (_TEXT, payload) if plain else (_TOKENS, _HEX.sub(take, payload))
    compressor = zlib.compressobj(
        level=1 if quick else 6, wbits=_WINDOW, memLevel=_MEMORY, zdict=_DICTIONARIES[version]
    )
    packed = b"".join([compressor.compress(text), compressor.flush(), *taken])
    return version + zlib.crc32(packed).to_bytes(4, "big") + packed


def unpack(stored: bytes) -> bytes:
    """Give back what was packed; raises ValueError where the stored bytes are damaged."""
    version, packed = stored[:1], stored[5:]
    # The log's commitment covers the payload; the checksum covers the bits of the stored form that carry nothing.
    if version not in _DICTIONARIES or zlib.crc32(packed) != int.from_bytes(stored[1:5], "big"):
        raise ValueError("the stored payload is damaged")
    decompressor = zlib.decompressobj(wbits=-15, zdict=_DICTIONARIES[version])
    try:
        text = decompressor.decompress(packed, 1 << 20)
    except zlib.error as error:
        raise ValueError("the stored payload is damaged") from error
    if not decompressor.eof:
        raise ValueError("the stored payload is damaged")
    if version == _TOKENS:
        return _put_back(text, decompressor.unused_data)
    if decompressor.unused_data:
        raise ValueError("the stored payload is damaged")
    return text


def pack_plain(data: bytes) -> bytes:
    """Put the checksum before bytes that are stored as they are."""
    return zlib.crc32(data).to_bytes(4, "big") + data


def unpack_plain(stored: bytes) -> bytes:
    """Give such bytes back; raises ValueError where they are damaged."""
    if zlib.crc32(stored[4:]) != int.from_bytes(stored[:4], "big"):
        raise ValueError("the stored bytes are damaged")
    return stored[4:]


def _put_back(text: bytes, taken: bytes) -> bytes:
    place = 0

    def give(match: re.Match[bytes]) -> bytes:
        nonlocal place
        size = _HASH_BYTES if match[0] == _HASH_HERE else _UUID_BYTES
        digits = taken[place : place + size].hex()
        place += size
        if size == _UUID_BYTES:
            digits = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        return digits.encode()

    payload = _HERE.sub(give, text)
    if place != len(taken):
        raise ValueError("the stored payload is damaged")
    return payload
