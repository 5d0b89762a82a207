"""Loads many new visitors with their events in one transaction: COPY on PostgreSQL, one statement per table on SQLite.

The way in for synthetic visitors. It takes the same lock on the site's head as the group-commit writer and appends to
the same log, so it may run beside a serving process.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from consent_service.domain.counts import Tally
from consent_service.domain.evidence.leaf import format_time, leaf_bytes, leaf_hash
from consent_service.domain.evidence.tree import Frontier
from consent_service.domain.moments import from_micros
from consent_service.ports import BulkEvent, BulkVisitor
from consent_service.storage import tables as t
from consent_service.storage.dialects import insert
from consent_service.storage.report_counts import add_counts

_Row = tuple[Any, ...]


def load(
    connection: Connection, site: str, visitors: Sequence[BulkVisitor], events: Sequence[BulkEvent], counts: Tally
) -> int:
    """Append events, put new visitors and count in the connection's open transaction; gives the log's new size."""
    frontier = _lock_head(connection, site)
    leaves: list[_Row] = []
    payloads: list[_Row] = []
    hashes: list[bytes] = []
    micros, text = -1, ""
    for seq, (time, pseudonym, visitor_id, salt, commitment, payload) in enumerate(events, frontier.size):
        if time != micros:
            micros, text = time, format_time(from_micros(time))
        hashes.append(leaf_hash(leaf_bytes(site, seq, text, pseudonym, commitment)))
        leaves.append((site, seq, time, pseudonym, commitment))
        payloads.append((site, seq, visitor_id, salt, payload))
    after, nodes = frontier.append(hashes)
    _copy(connection, t.log_leaves.name, ("site", "seq", "time", "pseudonym", "commitment"), leaves)
    _copy(connection, t.log_payloads.name, ("site", "seq", "visitor_id", "salt", "payload"), payloads)
    _copy(connection, t.log_nodes.name, ("site", "level", "index", "hash"), [(site, *node) for node in nodes])
    _copy(
        connection,
        t.visitors.name,
        ("site", "visitor_id", "revision", "facts", "times"),
        [(site, *visitor) for visitor in visitors],
    )
    head = {"b_site": site, "size": after.size, "frontier": after.to_bytes()}
    connection.execute(t.log_heads.update().where(t.log_heads.c.site == bindparam("b_site")), head)
    add_counts(connection, counts)
    return after.size


def _lock_head(connection: Connection, site: str) -> Frontier:
    row = {"site": site, "size": 0, "frontier": b""}
    connection.execute(insert(connection, t.log_heads).on_conflict_do_nothing(), [row])
    h = t.log_heads.c
    found = connection.execute(select(h.size, h.frontier).where(h.site == site).with_for_update()).one()
    return Frontier.from_bytes(found.size, found.frontier)


def _copy(connection: Connection, table: str, columns: Sequence[str], rows: Iterable[_Row]) -> None:
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "postgresql":
        driver.run_async(lambda raw: raw.copy_records_to_table(table, records=rows, columns=list(columns)))
        return
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" * len(columns))
    driver.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608  # nosec B608 - our own names
