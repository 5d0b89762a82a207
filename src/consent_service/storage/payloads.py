"""Event payloads as stored: canonical JSON, compressed against a dictionary of what every payload says.

Payloads are short and alike; a preset dictionary takes them to about a third (RFC 1950 §2.2, FDICT). The first byte
names the dictionary, so that a later version may bring another one and still read the old rows.
"""

import zlib

_VERSION = b"\x01"
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


def pack(payload: bytes) -> bytes:
    """Compress canonical JSON for storage."""
    compressor = zlib.compressobj(level=6, wbits=-15, zdict=_DICTIONARY)
    packed = compressor.compress(payload) + compressor.flush()
    return _VERSION + zlib.crc32(packed).to_bytes(4, "big") + packed


def unpack(stored: bytes) -> bytes:
    """Give back what was packed; raises ValueError where the stored bytes are damaged."""
    packed = stored[5:]
    # The log's commitment covers the payload; the checksum covers the bits of the compressed form that carry nothing.
    if stored[:1] != _VERSION or zlib.crc32(packed) != int.from_bytes(stored[1:5], "big"):
        raise ValueError("the stored payload is damaged")
    decompressor = zlib.decompressobj(wbits=-15, zdict=_DICTIONARY)
    try:
        payload = decompressor.decompress(packed, 1 << 20)
    except zlib.error as error:
        raise ValueError("the stored payload is damaged") from error
    if not decompressor.eof or decompressor.unused_data:
        raise ValueError("the stored payload is damaged")
    return payload
