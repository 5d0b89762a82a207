"""The leaf of one event: the bytes that are hashed into the log (contract §6.1).

A leaf names no person. It commits to the event's payload through a random salt, so erasing payload and salt
leaves the leaf, every root and every proof valid, and the content unguessable.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

HASH_BYTES = 32
SALT_BYTES = 32
LEAF_VERSION = b"\x01"
LEAF_PREFIX = b"\x00"
"""Separates leaves from inner nodes, so that neither can pass for the other (RFC 6962 §2.1)."""

_TIME_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"
_TIME_PATTERN = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_WITHOUT_ZONE = len("YYYY-MM-DDTHH:MM:SS.ffffff")
_LENGTH_BYTES = 4
_SEQ_BYTES = 8


class LeafMalformed(ValueError):
    """The bytes are no leaf, or the values cannot be put into one."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a leaf says: whose log, which entry, when (server clock), about whom (pseudonym) and the commitment."""

    site: str
    seq: int
    time: str
    pseudonym: bytes
    commitment: bytes

    def to_bytes(self) -> bytes:
        """Serialise the leaf; raises LeafMalformed where a value does not fit."""
        return leaf_bytes(self.site, self.seq, self.time, self.pseudonym, self.commitment)


def format_time(moment: datetime) -> str:
    """Write an aware moment as `YYYY-MM-DDTHH:MM:SS.ffffffZ`, in UTC."""
    if moment.tzinfo is None:
        raise LeafMalformed("a time without a zone names no moment")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat("T", "microseconds")[:_WITHOUT_ZONE] + "Z"


def parse_time(text: str) -> datetime:
    """Read a leaf's time back; raises LeafMalformed for any other form."""
    try:
        if _TIME_PATTERN.fullmatch(text.encode("ascii")):
            return datetime.strptime(text, _TIME_FORM).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise LeafMalformed("the time of a leaf reads YYYY-MM-DDTHH:MM:SS.ffffffZ")


def commit(salt: bytes, payload: bytes) -> bytes:
    """Bind a leaf to a payload (canonical JSON) through a random salt of 32 bytes."""
    if len(salt) != SALT_BYTES:
        raise LeafMalformed("a salt has 32 bytes")
    return sha256(salt + payload).digest()


def leaf_bytes(site: str, seq: int, time: str, pseudonym: bytes, commitment: bytes) -> bytes:
    """Build the bytes of a leaf: version, then each field behind its length of four bytes, big-endian."""
    if len(pseudonym) != HASH_BYTES or len(commitment) != HASH_BYTES:
        raise LeafMalformed("pseudonym and commitment have 32 bytes each")
    try:
        time_field = time.encode("ascii")
        seq_field = seq.to_bytes(_SEQ_BYTES, "big")
        site_field = site.encode()
    except (UnicodeEncodeError, OverflowError):
        raise LeafMalformed("site, seq or time cannot be written into a leaf") from None
    if not _TIME_PATTERN.fullmatch(time_field):
        raise LeafMalformed("the time of a leaf reads YYYY-MM-DDTHH:MM:SS.ffffffZ")
    # All but the site have a length of their own, so most of the lengths are written here as they are.
    fields = (
        LEAF_VERSION, len(site_field).to_bytes(_LENGTH_BYTES, "big"), site_field, b"\0\0\0\x08", seq_field,
        b"\0\0\0\x1b", time_field, b"\0\0\0\x20", pseudonym, b"\0\0\0\x20", commitment,
    )  # fmt: skip
    return b"".join(fields)


def leaf_hash(leaf: bytes) -> bytes:
    """Hash leaf bytes (RFC 6962 §2.1)."""
    return sha256(LEAF_PREFIX + leaf).digest()


def parse_leaf(data: bytes) -> Leaf:
    """Read leaf bytes back; raises LeafMalformed unless they are exactly what `leaf_bytes` writes."""
    fields = _split_fields(data)
    try:
        site, seq_field, time_field, pseudonym, commitment = fields
        leaf = Leaf(site.decode(), int.from_bytes(seq_field, "big"), time_field.decode("ascii"), pseudonym, commitment)
    except ValueError:
        raise LeafMalformed("a leaf has five fields: site, seq, time, pseudonym, commitment") from None
    parse_time(leaf.time)
    if leaf.to_bytes() != data:
        raise LeafMalformed("a field of the leaf has the wrong length")
    return leaf


def _split_fields(data: bytes) -> list[bytes]:
    if data[:1] != LEAF_VERSION:
        raise LeafMalformed("the leaf has an unknown version")
    fields: list[bytes] = []
    position = 1
    while position < len(data):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data):
            raise LeafMalformed("the leaf ends inside a field")
        fields.append(data[start:position])
    return fields
