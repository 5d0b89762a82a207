"""Leaves: the bytes of contract §6.1, which an auditor builds without us."""

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.evidence.leaf import (
    Leaf,
    LeafMalformed,
    commit,
    format_time,
    leaf_bytes,
    leaf_hash,
    parse_leaf,
    parse_time,
)

TIME = "2026-11-22T09:00:00.000001Z"
PSEUDONYM = bytes(range(32))
COMMITMENT = bytes(range(32, 64))
LEAF = leaf_bytes("default", 1841, TIME, PSEUDONYM, COMMITMENT)
HASHES = st.binary(min_size=32, max_size=32)


def test_a_leaf_has_exactly_the_bytes_of_the_contract() -> None:
    expected = (
        "01" + "00000007" + b"default".hex() + "00000008" + "0000000000000731" + "0000001b" + TIME.encode().hex()
        + "00000020" + PSEUDONYM.hex() + "00000020" + COMMITMENT.hex()
    )  # fmt: skip

    assert LEAF.hex() == expected


def test_a_leaf_hash_has_the_prefix_of_leaves() -> None:
    assert leaf_hash(LEAF) == sha256(b"\x00" + LEAF).digest()


def test_the_commitment_hides_the_payload_behind_its_salt() -> None:
    assert commit(bytes(32), b"{}") == sha256(bytes(32) + b"{}").digest()


@pytest.mark.parametrize("salt", [b"", bytes(31), bytes(33)])
def test_a_salt_of_another_length_is_refused(salt: bytes) -> None:
    with pytest.raises(LeafMalformed, match="32 bytes"):
        commit(salt, b"{}")


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(0, 2**64 - 1),
    st.datetimes(timezones=st.just(UTC)),
    HASHES,
    HASHES,
)
def test_an_auditor_reads_from_a_leaf_what_was_put_into_it(
    site: str, seq: int, moment: datetime, pseudonym: bytes, commitment: bytes
) -> None:
    leaf = Leaf(site, seq, format_time(moment), pseudonym, commitment)

    assert parse_leaf(leaf.to_bytes()) == leaf
    assert parse_time(leaf.time) == moment


def test_a_time_is_written_in_utc_with_microseconds() -> None:
    moment = datetime(2026, 11, 22, 10, 0, tzinfo=timezone(timedelta(hours=1)))

    assert format_time(moment) == "2026-11-22T09:00:00.000000Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(LeafMalformed, match="names no moment"):
        format_time(datetime(2026, 11, 22, 9, 0))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22T09:00:00Z",
        "2026-11-22T09:00:00.000000",
        "2026-11-22 09:00:00.000000Z",
        "2026-13-22T09:00:00.000000Z",
        "٢026-11-22T09:00:00.000000Z",
        TIME + "\n",
    ],
)
def test_a_time_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(LeafMalformed, match="the time of a leaf"):
        parse_time(text)


@pytest.mark.parametrize(
    "values",
    [
        ("default", -1, TIME, PSEUDONYM, COMMITMENT),
        ("default", 2**64, TIME, PSEUDONYM, COMMITMENT),
        ("\ud800", 0, TIME, PSEUDONYM, COMMITMENT),
        ("default", 0, "2026-11-22", PSEUDONYM, COMMITMENT),
        ("default", 0, TIME, PSEUDONYM[1:], COMMITMENT),
        ("default", 0, TIME, PSEUDONYM, COMMITMENT + b"\0"),
    ],
)
def test_values_that_fit_no_leaf_are_refused(values: tuple[str, int, str, bytes, bytes]) -> None:
    with pytest.raises(LeafMalformed):
        leaf_bytes(*values)


@pytest.mark.parametrize("length", range(len(LEAF)))
def test_a_leaf_cut_short_anywhere_is_refused(length: int) -> None:
    with pytest.raises(LeafMalformed):
        parse_leaf(LEAF[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"\x02" + LEAF[1:],
        LEAF + b"\0",
        LEAF + b"\0\0\0\0",
        b"\x01" + b"\xff" * 60,
        LEAF.replace(b"\x00\x00\x00\x08" + (1841).to_bytes(8), b"\x00\x00\x00\x07" + (1841).to_bytes(7)),
        LEAF.replace(b"default", b"\xff" * 7),
        LEAF.replace(TIME.encode(), TIME.replace("T", " ").encode()),
    ],
)
def test_bytes_that_the_service_would_not_write_are_no_leaf(data: bytes) -> None:
    with pytest.raises(LeafMalformed):
        parse_leaf(data)
