"""Verifies a site's log in a database against its tree, its stored checkpoints and given ones. Only reads.

Everything is read from one snapshot, in pages, so that a serving process may go on appending.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, func, or_, select

from consent_service.domain.evidence.leaf import format_time
from consent_service.domain.evidence.proofs import NodeMissing, assemble, plan_frontier, required_nodes
from consent_service.domain.evidence.tree import Frontier, FrontierMalformed, completed_between
from consent_service.domain.evidence.verifier import Finding, KnownRoot, LogRow, LogVerifier
from consent_service.domain.moments import from_micros
from consent_service.storage import tables as t
from consent_service.storage.evidence_log import entries, read_head, read_nodes
from consent_service.storage.payloads import unpack

PAGE = 5_000

Progress = Callable[[int], None]


def verify_log(
    connection: Connection,
    site: str,
    known_roots: Sequence[KnownRoot],
    pseudonym: Callable[[str, str], bytes],
    progress: Progress,
    since: KnownRoot | None = None,
) -> tuple[int, Finding | None]:
    """Check every entry, or those behind the checkpoint `since`; gives the number of entries and the first bad one.

    What lies before `since` is checked against its root by the stored nodes alone, which takes a few rows.
    """
    try:
        head = read_head(connection, site)
    except (FrontierMalformed, TypeError, AttributeError):
        return 0, Finding(0, max(log_length(connection, site) - 1, 0), "the stored head is damaged")
    if head.size == 0 and _count(connection, t.log_leaves, site):
        return 0, Finding(0, 0, "the log has entries but no head")
    roots = [*known_roots, *([since] if since else [])]
    if head.size:
        roots.append(KnownRoot(head.size, head.root(), "the stored head"))
    start = Frontier() if since is None else _frontier_at(connection, site, min(since.size, head.size))
    if start is None:
        return head.size, Finding(0, head.size - 1, "the stored nodes do not give the log's earlier right edge")
    verifier = LogVerifier(site, roots, start=start)
    damaged, payloads = _walk(connection, site, verifier, pseudonym, progress)
    if damaged is not None:
        return verifier.size, verifier.finding or damaged
    finding = verifier.finish()
    if finding is None and verifier.size != head.size:
        finding = Finding(verifier.size, verifier.size, "the log does not end where its head says")
    if finding is None:
        finding = _surplus(connection, site, start.size, verifier.size, payloads)
    return verifier.size, finding


def log_length(connection: Connection, site: str) -> int:
    """Give the number of entries as the rows tell it, whatever the head says."""
    leaf = t.log_leaves.c
    newest = connection.scalar(select(func.max(leaf.seq)).where(leaf.site == site))
    return 0 if newest is None else newest + 1


def _walk(
    connection: Connection,
    site: str,
    verifier: LogVerifier,
    pseudonym: Callable[[str, str], bytes],
    progress: Progress,
) -> tuple[Finding | None, int]:
    """Feed the verifier to the end of the log; gives a row that cannot be read at all, and the number of payloads."""
    payloads = 0
    leaf = t.log_leaves.c
    after = verifier.size - 1
    while True:
        rows = connection.execute(entries(site).where(leaf.seq > after).order_by(leaf.seq).limit(PAGE)).all()
        before = verifier.size
        for row in rows:
            entry, damage = _row(site, row)
            if damage is None and entry.visitor_id and pseudonym(site, entry.visitor_id) != entry.pseudonym:
                damage = "the pseudonym is not the visitor's"
            if damage is not None:
                return Finding(row.seq, row.seq, damage), payloads
            payloads += entry.payload is not None
            verifier.add(entry)
        _add_nodes(connection, site, verifier, before)
        progress(len(rows))
        if len(rows) < PAGE:
            return None, payloads
        after = rows[-1].seq


def _row(site: str, r: Row[Any]) -> tuple[LogRow, str | None]:
    damage = None
    payload = None
    try:
        time = format_time(from_micros(r.time))
    except (ValueError, OverflowError, TypeError):
        time, damage = "", "the time of the entry cannot be read"
    if r.payload is not None:
        try:
            payload = unpack(r.payload)
        except (ValueError, TypeError) as error:
            damage = str(error)
    return LogRow(r.seq, site, time, r.pseudonym, r.commitment, r.salt, payload, r.visitor_id), damage


def _add_nodes(connection: Connection, site: str, verifier: LogVerifier, before: int) -> None:
    n = t.log_nodes.c
    for level, indexes in completed_between(before, verifier.size):
        query = select(n.index, n.hash).where(
            n.site == site, n.level == level, n.index >= indexes.start, n.index < indexes.stop
        )
        for index, hashed in connection.execute(query.order_by(n.index)):
            verifier.add_node(level, index, hashed)


def _frontier_at(connection: Connection, site: str, size: int) -> Frontier | None:
    plan = plan_frontier(size)
    try:
        return Frontier(size, assemble(plan, read_nodes(connection, site, sorted(required_nodes(plan)))))
    except (NodeMissing, ValueError, TypeError):
        return None


def _surplus(connection: Connection, site: str, start: int, size: int, payloads: int) -> Finding | None:
    leaf, p = t.log_leaves.c, t.log_payloads.c
    before = connection.scalar(select(func.min(leaf.seq)).where(leaf.site == site, leaf.seq < 0))
    if before is not None:
        return Finding(before, before, "the entry lies before the beginning of the log")
    counted = select(func.count()).where(p.site == site, or_(p.seq >= start, p.seq < 0))
    found = connection.scalar(counted) or 0
    if found != payloads:
        return Finding(start, max(size - 1, start), f"{found} payload rows for {payloads} entries that have one")
    expected = sum(size >> level for level in range(4, max(size.bit_length(), 4) + 1, 4))
    stored = _count(connection, t.log_nodes, site)
    return None if stored == expected else Finding(0, max(size - 1, 0), f"{stored} tree nodes where {expected} belong")


def _count(connection: Connection, table: Table, site: str) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(table.c.site == site)) or 0
