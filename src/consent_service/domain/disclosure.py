"""Which numbers of a table are not told, because they speak of so few that one might be recognised (EVD-14).

A small number is withheld, and with it as much of its row and column as keeps it from being computed: the sums of both
are known to the reader. Nothing is said of what several reports over shifted ranges tell together.
"""

from collections.abc import Sequence

Table = Sequence[Sequence[int]]
"""Rows of numbers that add up, in each row and in each column, to a sum that the reader knows."""

Mask = list[list[bool]]
"""True where a number is withheld."""


def withhold(table: Table, smallest: int, rows: frozenset[int] = frozenset()) -> Mask:
    """Choose what to withhold: every number from 1 to below `smallest`, these rows, and what would give them away.

    A nought tells nothing about anybody and stays where nothing else must go. A sum below `smallest` is the caller's to
    withhold.
    """
    mask = [[number in rows or 0 < n < smallest for n in line] for number, line in enumerate(table)]
    changed = True
    while changed:
        changed = False
        for number, line in enumerate(table):
            more = _protect(line, mask[number], smallest)
            changed = changed or bool(more)
            for place in more:
                mask[number][place] = True
        for place, column in enumerate(zip(*table, strict=True)):
            more = _protect(column, [line[place] for line in mask], smallest)
            changed = changed or bool(more)
            for number in more:
                mask[number][place] = True
    return mask


def _protect(numbers: Sequence[int], hidden: Sequence[bool], smallest: int) -> list[int]:
    """Choose the places to hide beside the hidden ones, so that these cannot be told from the sum and the others."""
    places = [place for place, on in enumerate(hidden) if on]
    told = sorted(
        (place for place, on in enumerate(hidden) if not on),
        key=lambda place: (not numbers[place], numbers[place], place),
    )
    more: list[int] = []
    if sum(numbers) < smallest:
        return more  # so is its sum
    while told and _follows([numbers[place] for place in places], smallest):
        more.append(told.pop(0))
        places.append(more[-1])
    return more


def _follows(hidden: Sequence[int], smallest: int) -> bool:
    """Tell whether the sum of what is hidden, which the reader can compute, says too much."""
    whole = sum(hidden)
    return whole > 0 and (len(hidden) == 1 or whole < smallest)
