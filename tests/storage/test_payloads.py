"""Payloads as stored: what comes out is what went in, byte for byte, or nothing."""

import json
import zlib
from base64 import urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.evidence.event_text import fill
from consent_service.domain.evidence.leaf import format_time
from consent_service.domain.moments import to_micros
from consent_service.storage.payloads import _DICTIONARY, _SHORTENED, pack, pack_event, unpack

HEX = st.text("0123456789abcdef", min_size=1, max_size=80)
UUIDS = st.uuids().map(str)
TIMES = st.datetimes().map("{:%Y-%m-%dT%H:%M:%S.%fZ}".format) | st.from_regex(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", fullmatch=True
)
VISITORS = st.text("AQgwZaz09_-", min_size=20, max_size=23)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | HEX | UUIDS | TIMES | VISITORS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.just("visitor_id"), inner, max_size=4)
    ),
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


def test_a_row_of_the_second_form_is_still_read() -> None:
    event, digest = "d9d2c8b2-615c-4650-a132-fdd813ee9cdc", "0f" * 32
    payload = f'{{"event_id":"{event}","event_time":"2026-11-22T00:00:00.000000Z","policy_sha256":"{digest}"}}'.encode()
    text = payload.replace(event.encode(), b"\x00").replace(digest.encode(), b"\x01")
    compressor = zlib.compressobj(level=6, wbits=-15, zdict=_SHORTENED)
    packed = compressor.compress(text) + compressor.flush() + bytes.fromhex(event.replace("-", "")) + b"\x0f" * 32
    assert unpack(b"\x02" + zlib.crc32(packed).to_bytes(4, "big") + packed) == payload


@given(TIMES, UUIDS)
def test_events_of_a_kind_differ_by_what_was_taken_out_alone(time: str, event: str) -> None:
    def stored(time: str, event: str) -> bytes:
        return pack(f'{{"event_id":"{event}","event_time":"{time}","site":"default"}}'.encode())

    one, other = stored("2026-11-22T00:00:00.000000Z", "d9d2c8b2-615c-4650-a132-fdd813ee9cdc"), stored(time, event)
    try:
        datetime.fromisoformat(time)
    except ValueError:  # a moment that there is not stays in the text
        return
    assert one[5:-24] == other[5:-24]


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


@given(UUIDS, st.datetimes(min_value=datetime(1, 1, 2)), UUIDS, st.binary(min_size=16, max_size=16), VALUES)
def test_an_event_of_a_known_kind_is_packed_into_the_same_bytes(
    event: str, time: datetime, receipt: str, visitor: bytes, details: object
) -> None:
    text = ('{"event_id":"', '","event_time":"', '","policy":"' + "0f" * 32 + '","receipt_id":"', '","visitor_id":"')
    text = (*text, f'","z":{json.dumps(details)}}}')
    now, visitor_id = time.replace(tzinfo=UTC), urlsafe_b64encode(visitor)[:-2].decode()
    packed = pack_event(text, event, to_micros(now), receipt, visitor_id)
    assert packed in {None, pack(fill(text, event, format_time(now), receipt, visitor_id))}


def test_an_event_with_ids_of_another_form_is_left_to_the_plain_way() -> None:
    text = ('{"event_id":"', '","event_time":"', '","receipt_id":"', '","visitor_id":"', '"}')
    known = ("d9d2c8b2-615c-4650-a132-fdd813ee9cdc", 0, "d9d2c8b2-615c-4650-a132-fdd813ee9cdd", "A" * 22)
    assert pack_event(text, *known) is not None
    for place, other in ((0, "one"), (0, "d9d2c8b2"), (2, ""), (3, "A" * 21 + "B"), (3, "A" * 20 + "Q")):
        odd = list(known)
        odd[place] = other
        assert pack_event(text, *odd) is None  # type: ignore[arg-type] # the same four values
