"""A report as JSON and as CSV; what is withheld is null in the one and empty in the other."""

import csv
import io
from collections.abc import Iterator

from consent_service.domain.vocabulary import Category
from consent_service.service.reports import CategoryFigures, Report, ReportRow, share

UNKNOWN = "unknown"
"""Stands in CSV for a region that is not known."""
CSV_FIGURES = ("answers", "granted", "denied", "withdrawn", "rate")
Cell = str | int | float | None


def report_json(report: Report) -> dict[str, object]:
    """Give the report as it is answered."""
    asked = report.asked
    rows: list[dict[str, object]] = [{asked.group_by: row.group or None, **_row(row)} for row in report.rows]
    if asked.group_by == "category":
        answers = report.total.figures["answers"]
        rows = [{"category": c.value, "answers": answers, **_rates(found)} for c, found in _all(report)]
    return {
        "site": asked.site,
        "from": asked.first.isoformat(),
        "to": asked.last.isoformat(),
        "group_by": asked.group_by,
        "channel": asked.channel.value,
        "smallest_count": report.smallest,
        "total": _row(report.total),
        "rows": rows,
    }


def report_csv(report: Report) -> str:
    """Give the report as CSV (RFC 4180), a line for each group and category."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    group_by = report.asked.group_by
    if group_by == "category":
        writer.writerow(("category", *CSV_FIGURES))
        writer.writerows((c.value, report.total.figures["answers"], *_cells(found)) for c, found in _all(report))
        return stream.getvalue()
    writer.writerow((group_by, "category", *CSV_FIGURES))
    for row in report.rows:
        lines = row.categories.items()
        writer.writerows((_name(row), c.value, row.figures["answers"], *_cells(found)) for c, found in lines)
    return stream.getvalue()


ANSWER_FIGURES = (
    "answers",
    "accepted_all",
    "chosen",
    "refused_all",
    "withdrawals",
    "dismissals",
    "dnt",
    "gpc",
    "asked_again",
    "refused_again",
)


def answers_csv(report: Report) -> str:
    """Give what was answered, a line for each group, as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow((report.asked.group_by, *ANSWER_FIGURES))
    writer.writerows((_name(row), *(row.figures[name] for name in ANSWER_FIGURES)) for row in report.rows)
    return stream.getvalue()


def _all(report: Report) -> Iterator[tuple[Category, CategoryFigures]]:
    yield from report.total.categories.items()


def _name(row: ReportRow) -> str:
    # A policy version is any text; a spreadsheet would run what begins like a formula.
    return "'" + row.group if row.group.startswith(("=", "+", "-", "@", "\t", "\r")) else row.group or UNKNOWN


def _row(row: ReportRow) -> dict[str, object]:
    figures = row.figures
    shares = {
        "dnt_share": share(figures["dnt"], figures["answers"]),
        "gpc_share": share(figures["gpc"], figures["answers"]),
        "refused_again_share": share(figures["refused_again"], figures["asked_again"]),
    }
    return {**figures, **shares, "categories": {c.value: _rates(found) for c, found in row.categories.items()}}


def _rates(found: CategoryFigures) -> dict[str, Cell]:
    return {"granted": found.granted, "denied": found.denied, "withdrawn": found.withdrawn, "rate": found.rate}


def _cells(found: CategoryFigures) -> tuple[Cell, ...]:
    return tuple(_rates(found).values())
