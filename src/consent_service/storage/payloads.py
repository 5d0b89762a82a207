"""Event payloads as stored: canonical JSON, compressed against a dictionary of what every payload says.

Payloads are short and alike; a preset dictionary takes them to about a third (RFC 1950 §2.2, FDICT). The first byte
names the dictionary, so that a later version may bring another one and still read the old rows.
"""

import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from consent_service.domain.evidence.event_text import fill
from consent_service.domain.evidence.leaf import format_time
from consent_service.domain.moments import from_micros, to_micros

_TEXT, _TOKENS, _PARTS = b"\x01", b"\x02", b"\x03"
"""Versions: the text as it is; without its ids and hashes; and without moments and visitors as well, so that what is
left is the same for every event of a kind, and is compressed once for all of them."""
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


_SHORTENED = _DICTIONARY.replace(b'_id":"","', b'_id":"\x00","').replace(b'sha256":""', b'sha256":"\x01"')
_DICTIONARIES = {
    _TEXT: _DICTIONARY,
    _TOKENS: _SHORTENED,
    _PARTS: _SHORTENED.replace(b'"2026-11-22T00:00:00.000000Z"', b'"\x02"').replace(
        b'visitor_id":""', b'visitor_id":"\x03"'
    ),
}
_TAKEN = re.compile(
    rb'"(?:([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})|([0-9a-f]{64})'
    rb'|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)|visitor_id":"([A-Za-z0-9_-]{21}[AQgw]))"'
)
"""With the quotes around, of which there are few: a search that may begin anywhere takes longer than the rest.
A visitor id has 128 bits, so its last letter is one of four."""
_LAST_OF_UUID, _DIGEST, _TIME, _VISITOR = 5, 6, 7, 8
_UUID_HERE, _HASH_HERE, _TIME_HERE, _VISITOR_HERE = b"\x00", b"\x01", b"\x02", b"\x03"
"""Stand in the text for what was taken out: JSON has no such bytes (RFC 8259 §7)."""
_HERE = re.compile(rb"[\x00-\x03]")
_BYTES = {_UUID_HERE: 16, _HASH_HERE: 32, _TIME_HERE: 8, _VISITOR_HERE: 16}
_LAST_LETTERS = frozenset("AQgw")
_HEAD = 5
"""Bytes before what is packed: version and checksum."""
_SHORT = 2_048
"""Bytes of a text that is worth remembering in its compressed form."""


def pack(payload: bytes, *, quick: bool = False) -> bytes:
    """Compress canonical JSON for storage; ids and hashes, which nothing compresses, stand behind it as plain bytes.

    `quick` is for what is large and soon gone: a fifth of the time for a tenth more of room.
    """
    taken: list[bytes] = []

    def take(match: re.Match[bytes]) -> bytes:
        kind = match.lastindex
        if kind == _LAST_OF_UUID:
            taken.append(bytes.fromhex(b"".join(match.groups()[:_LAST_OF_UUID]).decode()))
            return b'"\x00"'
        if kind == _DIGEST:
            taken.append(bytes.fromhex(match[kind].decode()))
            return b'"\x01"'
        if kind == _VISITOR:
            taken.append(urlsafe_b64decode(match[kind] + b"=="))
            return b'"visitor_id":"\x03"'
        time = _time_bytes(match[_TIME].decode())
        if time is None:
            return match[0]
        taken.append(time)
        return b'"\x02"'

    # What is no JSON may hold the very bytes that stand for something, and is left as it is.
    plain = quick or _HERE.search(payload) is not None
    version, text = (_TEXT, payload) if plain else (_PARTS, _TAKEN.sub(take, payload))
    if version is _PARTS and len(text) <= _SHORT:
        packed = b"".join((_compressed_before(text), *taken))
    else:
        packed = b"".join((_compressed(text, version, level=1 if quick else 6), *taken))
    return version + zlib.crc32(packed).to_bytes(4, "big") + packed


def pack_event(text: tuple[str, ...], event_id: str, micros: int, receipt_id: str, visitor_id: str) -> bytes | None:
    """Compress an event of a known kind, of which `text` stands around the four values; None where `pack` must do it.

    It gives the same bytes: all that differs between such events is what stands behind the compressed text.
    """
    pieces = _packed_kind(text)
    if pieces is None or visitor_id[-1] not in _LAST_LETTERS:
        return None
    before_id, before_time, before_receipt, before_visitor, end = pieces
    try:
        event, receipt = bytes.fromhex(event_id.replace("-", "")), bytes.fromhex(receipt_id.replace("-", ""))
        visitor = urlsafe_b64decode(f"{visitor_id}==")
    except ValueError:
        return None
    if not len(event) == len(receipt) == len(visitor) == _BYTES[_UUID_HERE]:
        return None
    time = micros.to_bytes(_BYTES[_TIME_HERE], "big", signed=True)
    packed = b"".join((before_id, event, before_time, time, before_receipt, receipt, before_visitor, visitor, end))
    return _PARTS + zlib.crc32(packed).to_bytes(4, "big") + packed


@lru_cache(4_096)
def _packed_kind(text: tuple[str, ...]) -> tuple[bytes, ...] | None:
    """Pack an event of a kind, and cut it where its four values stand; None where they are not found there once."""
    event, receipt, visitor, micros = b"\xe5" * 16, b"\x5e" * 16, b"\xab" * 16, 0x0006_5E5E_E5E5_ABAB
    time, visitor_id = format_time(from_micros(micros)), urlsafe_b64encode(visitor)[:-2].decode()
    left = pack(fill(text, str(UUID(bytes=event)), time, str(UUID(bytes=receipt)), visitor_id))[_HEAD:]
    pieces: list[bytes] = []
    for value in (event, micros.to_bytes(_BYTES[_TIME_HERE], "big"), receipt, visitor):
        piece, found, left = left.partition(value)
        if not found or value in left:
            return None
        pieces.append(piece)
    return (*pieces, left)


def _compressed(text: bytes, version: bytes, level: int) -> bytes:
    compressor = zlib.compressobj(level=level, wbits=_WINDOW, memLevel=_MEMORY, zdict=_DICTIONARIES[version])
    return compressor.compress(text) + compressor.flush()


@lru_cache(4_096)
def _compressed_before(text: bytes) -> bytes:
    return _compressed(text, _PARTS, level=6)


def _time_bytes(text: str) -> bytes | None:
    try:
        return to_micros(datetime.fromisoformat(text)).to_bytes(_BYTES[_TIME_HERE], "big", signed=True)
    except ValueError:  # the form of a moment, but no moment
        return None


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
    if version != _TEXT:
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
        here = match[0]
        data = taken[place : place + _BYTES[here]]
        place += _BYTES[here]
        if here == _TIME_HERE:
            return format_time(from_micros(int.from_bytes(data, "big", signed=True))).encode()
        if here == _VISITOR_HERE:
            return urlsafe_b64encode(data)[:-2]
        digits = data.hex()
        if here == _UUID_HERE:
            digits = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        return digits.encode()

    payload = _HERE.sub(give, text)
    if place != len(taken):
        raise ValueError("the stored payload is damaged")
    return payload
