"""Ranges of entries, as erasures write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.evidence.ranges import RangesMalformed, SeqRanges, decode_ranges, encode_ranges

SEQS = st.sets(st.integers(0, 60))
EDITS = st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers(0, 10)), max_size=30)


def entries(ranges: SeqRanges | tuple[tuple[int, int], ...]) -> set[int]:
    """Spell ranges out."""
    return {seq for first, last in ranges for seq in range(first, last + 1)}


def test_an_erasure_names_entries_in_short() -> None:
    assert encode_ranges([20, 13, 12, 15, 14]) == "12-15,20"
    assert decode_ranges("12-15,20") == ((12, 15), (20, 20))


@given(SEQS)
def test_every_set_of_entries_is_read_back(seqs: set[int]) -> None:
    assert entries(decode_ranges(encode_ranges(seqs))) == seqs


@pytest.mark.parametrize(
    "text",
    [",", "1,", "1-", "-1", "01", "1-01", "5-3", "5-5", "3,1", "1-5,5", "1-5,6", "1, 3", " 1", "1\n", "٣", "1" * 40],
)
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(RangesMalformed):
        decode_ranges(text)


@given(EDITS)
def test_a_set_holds_what_was_put_in_and_not_taken_out(edits: list[tuple[bool, int, int]]) -> None:
    ranges, model = SeqRanges(), set[int]()
    for put, first, length in edits:
        span = range(first, first + length + 1)
        (ranges.add if put else ranges.discard)(span[0], span[-1])
        (model.update if put else model.difference_update)(span)

    assert entries(ranges) == model
    assert bool(ranges) == bool(model)
    assert list(ranges) == list(decode_ranges(encode_ranges(model)))


@given(SEQS, st.integers(0, 60), st.integers(0, 10))
def test_the_first_gap_is_found(seqs: set[int], first: int, length: int) -> None:
    ranges = SeqRanges(decode_ranges(encode_ranges(seqs)))
    gap = min(set(range(first, first + length + 1)) - seqs, default=None)

    assert ranges.first_missing(first, first + length) == gap
