"""EVD-14: no number that speaks of too few is told, nor can it be computed from what is told."""

from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.disclosure import Mask, withhold

SMALLEST = 10
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 40), min_size=width, max_size=width).map(tuple), min_size=1, max_size=6
    )
)


def lines(table: list[tuple[int, ...]], mask: Mask) -> list[tuple[list[int], list[int]]]:
    """Give the numbers of each row and each column, and those of them that are withheld."""
    rows = [(list(numbers), hidden) for numbers, hidden in zip(table, mask, strict=True)]
    columns = [
        (list(numbers), list(hidden))
        for numbers, hidden in zip(zip(*table, strict=True), zip(*mask, strict=True), strict=True)
    ]
    return [
        (numbers, [n for n, on in zip(numbers, hidden, strict=True) if on]) for numbers, hidden in (*rows, *columns)
    ]


@given(TABLES)
def test_a_small_number_is_withheld(table: list[tuple[int, ...]]) -> None:
    mask = withhold(table, SMALLEST)
    told = [n for line, hidden in zip(table, mask, strict=True) for n, on in zip(line, hidden, strict=True) if not on]
    assert all(n == 0 or n >= SMALLEST for n in told)


@given(TABLES)
def test_no_sum_gives_away_what_is_withheld(table: list[tuple[int, ...]]) -> None:
    """Where a sum is known, two or more numbers hide in it that are together no small one."""
    known = [(numbers, hidden) for numbers, hidden in lines(table, withhold(table, SMALLEST)) if len(numbers) > 1]
    assert all(
        (len(hidden) > 1 and sum(hidden) >= SMALLEST) or not sum(hidden)
        for numbers, hidden in known
        if sum(numbers) >= SMALLEST
    )


def test_a_group_of_too_few_takes_its_nearest_with_it() -> None:
    assert withhold([[400], [3], [30], [90]], SMALLEST) == [[False], [True], [True], [False]]


def test_a_row_that_is_withheld_is_so_in_all_its_parts() -> None:
    mask = withhold([[20, 30], [2, 0], [40, 50]], SMALLEST, frozenset({1}))
    assert mask[1] == [True, True]
    assert mask == [[True, True], [True, True], [False, False]]


def test_nothing_is_withheld_below_one() -> None:
    assert withhold([[1, 2], [0, 3]], 1) == [[False, False], [False, False]]
