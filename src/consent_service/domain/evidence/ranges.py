"""Sets of log entries, kept and written as ranges: `12-15,20`.

Erasure events name the entries whose payload they removed in this form, and verification keeps what it has to
remember in it, so that memory grows with the number of gaps only.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

_RANGE_PATTERN = re.compile(r"(0|[1-9][0-9]{0,17})(?:-([1-9][0-9]{0,17}))?")


class RangesMalformed(ValueError):
    """The text is no list of ranges in ascending order such as `12-15,20`."""


class SeqRanges:
    """A set of entries as sorted ranges that do not touch."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        """Hold the given ranges, each from its first to its last entry."""
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Give each range as its first and its last entry, in ascending order."""
        return zip(tuple(self._firsts), tuple(self._lasts), strict=True)

    def __bool__(self) -> bool:
        """Tell whether any entry is in the set."""
        return bool(self._firsts)

    def add(self, first: int, last: int) -> None:
        """Put the entries from `first` to `last` into the set."""
        low = bisect_left(self._lasts, first - 1)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def discard(self, first: int, last: int) -> None:
        """Take the entries from `first` to `last` out of the set; those that are not in it are no matter."""
        low = bisect_left(self._lasts, first)
        high = bisect_right(self._firsts, last)
        if low >= high:
            return
        before = (self._firsts[low], first - 1)
        after = (last + 1, self._lasts[high - 1])
        kept = [(start, end) for start, end in (before, after) if start <= end]
        self._firsts[low:high] = [start for start, _ in kept]
        self._lasts[low:high] = [end for _, end in kept]

    def first_missing(self, first: int, last: int) -> int | None:
        """Name the first entry from `first` to `last` that is not in the set."""
        at = bisect_left(self._lasts, first)
        if at == len(self._firsts) or self._firsts[at] > first:
            return first
        return None if self._lasts[at] >= last else self._lasts[at] + 1


def encode_ranges(seqs: Iterable[int]) -> str:
    """Write entries, in any order, as `12-15,20`."""
    ranges = SeqRanges()
    for seq in sorted(seqs):
        ranges.add(seq, seq)
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def decode_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Read `12-15,20` as ranges of first and last entry; raises RangesMalformed for any other spelling."""
    ranges = tuple(_decode_range(part) for part in text.split(",")) if text else ()
    ends = [last for _, last in ranges[:-1]]
    if any(first <= end + 1 for (first, _), end in zip(ranges[1:], ends, strict=True)):
        raise RangesMalformed("ranges must ascend and may not touch")
    return ranges


def _decode_range(part: str) -> tuple[int, int]:
    match = _RANGE_PATTERN.fullmatch(part)
    if match is None:
        raise RangesMalformed("a range reads 12-15, or 20 for one entry")
    first = int(match[1])
    last = int(match[2] or first)
    if match[2] and last <= first:
        raise RangesMalformed("a range ends after it begins")
    return first, last
