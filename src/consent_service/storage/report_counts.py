"""The counters behind the reports in SQL: one upsert for each row that a batch touches, sums when a report asks."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from consent_service.domain.counts import FIGURES, CountKey, Counts, Tally
from consent_service.ports import CountGroup, CountQuery
from consent_service.storage import tables as t
from consent_service.storage.runner import SqlRunner

_KEY = CountKey._fields
_COLUMNS = t.report_counts.c


def add_counts(connection: Connection, tally: Tally) -> None:
    """Add what a batch counted, inside its transaction.

    Rows are written in the order of their keys, so that two processes cannot wait for each other in a circle.
    """
    if not tally:
        return
    rows: list[dict[str, Any]] = [
        dict(zip((*_KEY, *FIGURES), (*key, *counts), strict=True)) for key, counts in sorted(tally.items())
    ]
    connection.execute(_upsert(connection.dialect.name), rows)


@cache
def _upsert(dialect: str) -> postgresql.Insert | sqlite.Insert:
    # Kept, because putting such a long statement together takes longer than carrying it out.
    table = t.report_counts
    upsert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    sums = {figure: _COLUMNS[figure] + upsert.excluded[figure] for figure in FIGURES}
    return upsert.on_conflict_do_update(index_elements=list(_KEY), set_=sums)


class SqlReportCounts:
    """The counters on PostgreSQL and SQLite."""

    def __init__(self, runner: SqlRunner) -> None:
        """Use a database."""
        self._runner = runner

    async def sums(self, query: CountQuery) -> list[CountGroup]:
        """Sum the figures of a range of days for each group, in the groups' order."""
        return await self._runner.read(lambda connection: _sums(connection, query))


def _sums(connection: Connection, query: CountQuery) -> list[CountGroup]:
    group = _COLUMNS[query.group_by]
    figures = [func.sum(_COLUMNS[figure]).label(figure) for figure in FIGURES]
    days = _COLUMNS.day.between(query.first_day, query.last_day)
    statement = select(group, *figures).where(_COLUMNS.site == query.site, _COLUMNS.channel == query.channel, days)
    rows = connection.execute(statement.group_by(group).order_by(group))
    return [CountGroup(row[0], _whole(row[1:])) for row in rows]


def _whole(numbers: Sequence[Any]) -> Counts:
    # PostgreSQL sums whole numbers to decimals.
    return [int(number) for number in numbers]
