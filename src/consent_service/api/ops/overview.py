"""What the overview shows, as values that its template writes: from reports to charts and tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from markupsafe import Markup

from consent_service.api.ops import charts
from consent_service.api.ops.charts import Line, Share, Stack
from consent_service.domain.vocabulary import CATEGORIES, Category, Channel
from consent_service.service.reports import Asked, GroupBy, Report, ReportRow, Reports, Told, share

SHOWN = tuple(category for category in CATEGORIES if category is not Category.STRICTLY_NECESSARY)
"""What is strictly necessary needs no consent, so its rate says nothing."""
MOST_GROUPS = 15
PRESETS = (7, 30, 90, 365)
WEEK = 7
MANY = 200
"""Answers a day from which single days tell something about rare things."""
MOST_COLUMNS = 92
_HEAT_STEPS = 10
_ANSWERS = (
    ("accepted all", "accepted", "accepted_all"),
    ("chose", "chosen", "chosen"),
    ("refused all", "refused", "refused_all"),
    ("withdrew", "withdrawn", "withdrawals"),
)


@dataclass(frozen=True, slots=True)
class Period:
    """The days shown, both ends included."""

    first: date
    last: date
    channel: Channel
    step: int = 1
    """Days that are shown together."""

    @property
    def starts(self) -> list[date]:
        """Give the first day of every step."""
        return [self.first + timedelta(days=n) for n in range(0, (self.last - self.first).days + 1, self.step)]

    @property
    def unit(self) -> str:
        """Name a step."""
        return "day" if self.step == 1 else "week"

    @property
    def left_over(self) -> int:
        """Give the days of the last step where it is no whole one, else nothing."""
        return ((self.last - self.first).days + 1) % self.step

    def label(self, start: date) -> str:
        """Write a step as short as a chart needs it."""
        return f"{start.day} {start:%b}"

    def query(self, group_by: str) -> str:
        """Give the parameters of a link to the same figures."""
        return f"from={self.first}&to={self.last}&group_by={group_by}&channel={self.channel.value}&step={self.step}"


@dataclass(frozen=True, slots=True)
class CategoryTile:
    """A category's small chart."""

    name: str
    rate: str
    granted: Told
    withdrawn: Told
    chart: Markup


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A group's rates, each with the step of its colour."""

    name: str
    answers: Told
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that stands alone."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole page."""

    period: Period
    figures: tuple[Figure, ...]
    tiles: tuple[CategoryTile, ...]
    answers: Markup
    signals: Markup
    rows: tuple[ReportRow, ...]
    versions: tuple[HeatRow, ...]
    regions: tuple[HeatRow, ...]
    regions_left_out: int
    smallest: int


async def overview(reports: Reports, site: str, period: Period) -> Overview:
    """Read what the page shows."""

    async def report(group_by: GroupBy, step: int = 1) -> Report:
        return await reports.consent_rates(Asked(site, period.first, period.last, group_by, period.channel, step))

    by_version, by_region = await report("policy_version"), await report("region")
    step = _step(period, by_version.total)
    period = replace(period, step=step)
    by_day = await report("day", step)
    rows, labels = _every_step(period, by_day), [period.label(day) for day in period.starts]
    regions = sorted(by_region.rows, key=lambda row: -(row.figures["answers"] or 0))
    return Overview(
        period=period,
        figures=_figures(by_day.total),
        tiles=tuple(_tile(category, by_day.total, rows, labels) for category in SHOWN),
        answers=_answers_chart(period, rows, labels),
        signals=_signals_chart(by_day.total, rows, labels),
        rows=by_day.rows[::-1],
        versions=tuple(_heat(row) for row in by_version.rows[::-1]),
        regions=tuple(_heat(row) for row in regions[:MOST_GROUPS]),
        regions_left_out=max(0, len(regions) - MOST_GROUPS),
        smallest=by_day.smallest,
    )


def _step(period: Period, total: ReportRow) -> int:
    """Choose days or weeks: few answers a day would mostly be withheld, and many days are too many columns."""
    days = (period.last - period.first).days + 1
    return 1 if days <= WEEK or ((total.figures["answers"] or 0) >= MANY * days and days <= MOST_COLUMNS) else WEEK


def percent(value: Share) -> str:
    """Write a share for a reader."""
    return "–" if value is None else f"{value:.0%}"


def number(value: Told) -> str:
    """Write a number for a reader."""
    return "–" if value is None else f"{value:,}"


def row_share(row: ReportRow | None, part: str, whole: str = "answers") -> Share:
    """Give a share of a row's figures; None where it cannot be told."""
    return None if row is None else share(row.figures[part], row.figures[whole])


def _every_step(period: Period, report: Report) -> list[ReportRow | None]:
    found = {row.group: row for row in report.rows}
    return [found.get(day.isoformat()) for day in period.starts]


def _figures(total: ReportRow) -> tuple[Figure, ...]:
    figures = total.figures
    return (
        Figure("Answers", number(figures["answers"]), f"{number(figures['dismissals'])} closed the banner without one"),
        Figure("Accepted all", percent(row_share(total, "accepted_all")), f"{number(figures['accepted_all'])} answers"),
        Figure("Refused all", percent(row_share(total, "refused_all")), f"{number(figures['refused_all'])} answers"),
        Figure("Do Not Track", percent(row_share(total, "dnt")), "of answers came with DNT: 1"),
        Figure("Global Privacy Control", percent(row_share(total, "gpc")), "of answers came under GPC"),
        Figure(
            "Refused when asked again",
            percent(row_share(total, "refused_again", "asked_again")),
            f"of {number(figures['asked_again'])} answers to a repeated question",
        ),
    )


def _tile(
    category: Category, total: ReportRow, rows: Sequence[ReportRow | None], labels: Sequence[str]
) -> CategoryTile:
    rates = [None if row is None else row.categories[category].rate for row in rows]
    name = category.value.replace("_", " ").capitalize()
    whole = total.categories[category]
    chart = charts.spark(f"c-{category.value}", f"{name}: share of answers that grant", _course(rates, labels), rates)
    return CategoryTile(name, percent(whole.rate), whole.granted, whole.withdrawn, chart)


def _answers_chart(period: Period, rows: Sequence[ReportRow | None], labels: Sequence[str]) -> Markup:
    stacks = [
        Stack(name, css, tuple(0 if row is None else row.figures[figure] for row in rows))
        for name, css, figure in _ANSWERS
    ]
    stacks.append(Stack("withheld", "withheld", tuple(map(_withheld, rows))))
    told = [row.figures["answers"] for row in rows if row is not None]
    most = max((n for n in told if n is not None), default=0)
    description = f"Stacked columns, one for each {period.unit}; the highest stands for {most:,} answers."
    return charts.columns("answers", f"Answers a {period.unit}, by what visitors did", description, labels, stacks)


def _withheld(row: ReportRow | None) -> int:
    """Give the answers of which is not told what they were."""
    answers = 0 if row is None else row.figures["answers"]
    if row is None or answers is None:
        return 0
    return answers - sum(row.figures[figure] or 0 for _, _, figure in _ANSWERS)


def _signals_chart(total: ReportRow, rows: Sequence[ReportRow | None], labels: Sequence[str]) -> Markup:
    drawn = [Line(name, name.lower(), tuple(row_share(row, name.lower()) for row in rows)) for name in ("DNT", "GPC")]
    description = (
        f"Two lines. DNT: {percent(row_share(total, 'dnt'))} of all answers. "
        f"GPC: {percent(row_share(total, 'gpc'))} of all answers."
    )
    return charts.lines("signals", "Share of answers under Do Not Track and GPC", description, labels, drawn)


def _course(rates: Sequence[Share], labels: Sequence[str]) -> str:
    told = [(label, rate) for label, rate in zip(labels, rates, strict=True) if rate is not None]
    if not told:
        return "There is nothing to show for these days."
    (first, start), (last, end) = told[0], told[-1]
    return f"From {percent(start)} on {first} to {percent(end)} on {last}."


def _heat(row: ReportRow) -> HeatRow:
    rates = [row.categories[category].rate for category in SHOWN]
    steps = [f"heat-{round(rate * _HEAT_STEPS)}" if rate is not None else "heat-none" for rate in rates]
    cells = tuple(zip(map(percent, rates), steps, strict=True))
    return HeatRow(row.group or "unknown", row.figures["answers"], cells)
