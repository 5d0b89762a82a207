"""Payloads as stored: what comes out is what went in, byte for byte, or nothing."""

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.storage.payloads import _DICTIONARY, pack, unpack

HEX = st.text("0123456789abcdef", min_size=1, max_size=80)
UUIDS = st.uuids().map(str)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | HEX | UUIDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(VALUES)
def test_what_was_packed_comes_back_byte_for_byte(value: object) -> None:
    payload = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert unpack(pack(payload)) == payload


@given(HEX, UUIDS, HEX)
def test_ids_and_hashes_come_back_wherever_they_stand(before: str, found: str, after: str) -> None:
    payload = f'{{"a":"{before}{found}{after}","b":"{"0f" * 32}{before}"}}'.encode()
    assert unpack(pack(payload)) == payload


def test_a_row_of_the_first_form_is_still_read() -> None:
    """Expand first: rows that an earlier version wrote stay readable."""
    payload = b'{"channel":"web","event_id":"d9d2c8b2-615c-4650-a132-fdd813ee9cdc"}'
    compressor = zlib.compressobj(level=6, wbits=-15, zdict=_DICTIONARY)
    packed = compressor.compress(payload) + compressor.flush()
    assert unpack(b"\x01" + zlib.crc32(packed).to_bytes(4, "big") + packed) == payload


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_never_read_as_a_payload(place: int, change: int) -> None:
    """A4: the checksum covers what the commitment does not."""
    stored = bytearray(
        pack(b'{"event_id":"d9d2c8b2-615c-4650-a132-fdd813ee9cdc","policy_sha256":"' + b"0f" * 32 + b'"}')
    )
    stored[place % len(stored)] ^= change
    with pytest.raises(ValueError, match="damaged"):
        unpack(bytes(stored))


@given(st.binary(max_size=200))
def test_what_is_no_json_comes_back_too(payload: bytes) -> None:
    assert unpack(pack(payload + b"\x00\x01")) == payload + b"\x00\x01"
