"""Reports about consents as counted, for staff: rates by category over time, by policy version and by region.

They read the counters only, so they are as quick after ten million events as after ten (docs/decisions/0010).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from consent_service.domain.counts import FIGURES, Counts, add, day_number, day_of
from consent_service.domain.disclosure import withhold
from consent_service.domain.vocabulary import CATEGORIES, Category, Channel
from consent_service.ports import CountGroup, CountQuery, ReportCounts

GroupBy = Literal["day", "category", "policy_version", "region"]
Told = int | None
"""A number, or None where it is withheld."""

_PLACE = {name: place for place, name in enumerate(FIGURES)}
ACTIONS = ("accepted_all", "refused_all", "chosen", "withdrawals")
"""What answers are made of; `chosen` are those that granted some and denied others."""
PARTS = ("dnt", "gpc", "asked_again")
"""What else is told about answers: how many of them."""
ALONE = ("dismissals", "signals", "opt_outs", "opt_ins", "imports")
"""What is counted beside the answers."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about; both days are included."""

    site: str
    first: date
    last: date
    group_by: GroupBy
    channel: Channel = Channel.WEB
    step: int = 1
    """Days in one group of a report by day, counted from the first; a group is named for its first day."""


@dataclass(frozen=True, slots=True)
class CategoryFigures:
    """What was said about one category: each answer grants or denies; a denial may withdraw an earlier grant."""

    granted: Told
    denied: Told
    withdrawn: Told

    @property
    def rate(self) -> float | None:
        """Give the share of grants; None where it is withheld or nothing was answered."""
        if self.granted is None or self.denied is None:
            return None
        return share(self.granted, self.granted + self.denied)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """The figures of one group."""

    group: str
    figures: dict[str, Told]
    categories: dict[Category, CategoryFigures]


@dataclass(frozen=True, slots=True)
class Report:
    """A report; by category it has no rows, for its total says it all."""

    asked: Asked
    smallest: int
    total: ReportRow
    rows: tuple[ReportRow, ...]


def share(part: Told, whole: Told) -> float | None:
    """Give a share with four decimals; None where it cannot be told."""
    return round(part / whole, 4) if part is not None and whole else None


@dataclass(frozen=True, slots=True)
class Reports:
    """The use case; `smallest` is the least number of answers that is told."""

    counts: ReportCounts
    smallest: int

    async def consent_rates(self, asked: Asked) -> Report:
        """Make a report of a site's consents."""
        by: Literal["day", "policy_version", "region"] = "day" if asked.group_by == "category" else asked.group_by
        query = CountQuery(asked.site, asked.channel.value, day_number(asked.first), day_number(asked.last), by)
        groups = _stepped(await self.counts.sums(query), query.first_day, asked.step)
        # Years of days take a while to go through; decisions are answered meanwhile.
        return await asyncio.to_thread(_report, asked, groups, self.smallest)


def _report(asked: Asked, groups: Sequence[CountGroup], smallest: int) -> Report:
    whole = [0] * len(FIGURES)
    for found in groups:
        add(whole, found.counts)
    (total,) = _rows(["total"], [whole], smallest)
    if asked.group_by == "category":
        return Report(asked, smallest, total, ())
    names = [day_of(found.group).isoformat() if isinstance(found.group, int) else found.group for found in groups]
    return Report(asked, smallest, total, tuple(_rows(names, [found.counts for found in groups], smallest)))


def _stepped(groups: Sequence[CountGroup], first: int, step: int) -> Sequence[CountGroup]:
    """Put so many days into one group; other groups are left as they are."""
    if step == 1:
        return groups
    sums: dict[int | str, Counts] = {}
    for found in groups:
        start = first + (found.group - first) // step * step if isinstance(found.group, int) else found.group
        add(sums.setdefault(start, [0] * len(FIGURES)), found.counts)
    return [CountGroup(group, counts) for group, counts in sums.items()]


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells columns of numbers, one for each group, as far as they may be told."""

    smallest: int
    gone: frozenset[int]
    """The groups about which nothing is told."""

    def parts(self, *columns: Sequence[int]) -> list[list[Told]]:
        """Tell columns that make up a column that is told."""
        table = list(zip(*columns, strict=True))
        mask = withhold(table, self.smallest, self.gone)
        return [
            [None if mask[row][place] else line[place] for row, line in enumerate(table)]
            for place in range(len(columns))
        ]

    def part(self, column: Sequence[int], whole: Sequence[int]) -> list[Told]:
        """Tell a column that is part of another one."""
        return self.parts(column, [n - part for n, part in zip(whole, column, strict=True)])[0]


def _rows(names: Sequence[str], counts: Sequence[Counts], smallest: int) -> list[ReportRow]:
    """Tell the figures of groups that add up to a total that is told as well."""
    columns = dict(zip(FIGURES, ([c[place] for c in counts] for place in range(len(FIGURES))), strict=True))
    hidden = withhold([[n] for n in columns["answers"]], smallest)
    tell = _Teller(smallest, frozenset(row for row, (on,) in enumerate(hidden) if on))
    figures = _figures(columns, tell)
    categories = {category: _category(category, columns, tell) for category in CATEGORIES}
    return [
        ReportRow(
            name,
            {figure: column[row] for figure, column in figures.items()},
            {category: column[row] for category, column in categories.items()},
        )
        for row, name in enumerate(names)
    ]


def _figures(columns: dict[str, list[int]], tell: _Teller) -> dict[str, list[Told]]:
    answers = columns["answers"]
    whole = [columns[name] for name in ("accepted_all", "refused_all", "withdrawals")]
    chosen = [n - sum(parts) for n, *parts in zip(answers, *whole, strict=True)]
    actions = columns | {"chosen": chosen}
    figures = {"answers": tell.parts(answers)[0]}
    figures |= dict(zip(ACTIONS, tell.parts(*(actions[name] for name in ACTIONS)), strict=True))
    figures |= {name: tell.part(columns[name], answers) for name in PARTS}
    figures["refused_again"] = tell.part(columns["refused_again"], columns["asked_again"])
    return figures | {name: tell.parts(columns[name])[0] for name in ALONE}


def _category(category: Category, columns: dict[str, list[int]], tell: _Teller) -> list[CategoryFigures]:
    granted, answers = columns[f"granted_{category.value}"], columns["answers"]
    denied = [n - part for n, part in zip(answers, granted, strict=True)]
    withdrawn = tell.part(columns[f"withdrawn_{category.value}"], denied)
    return [CategoryFigures(*told) for told in zip(*tell.parts(granted, denied), withdrawn, strict=True)]
