"""Reading the evidence log in SQL. Only the group-commit writer appends to it."""

from collections.abc import Sequence

from sqlalchemy import Connection, Select, and_, select

from consent_service.domain.evidence.leaf import format_time, leaf_bytes, leaf_hash
from consent_service.domain.evidence.tree import Frontier, NodeId
from consent_service.domain.moments import from_micros
from consent_service.ports import LoggedEvent, StoredCheckpoint
from consent_service.storage import tables as t
from consent_service.storage.dialects import insert
from consent_service.storage.payloads import unpack
from consent_service.storage.runner import SqlRunner

_Leaf = t.log_leaves.c
_Payload = t.log_payloads.c


def entries(site: str) -> "Select[tuple[object, ...]]":
    """Select the entries of a site with their payloads, where they still have one."""
    together = and_(_Leaf.site == _Payload.site, _Leaf.seq == _Payload.seq)
    columns = (_Leaf.seq, _Leaf.time, _Leaf.pseudonym, _Leaf.commitment, _Payload.visitor_id, _Payload.salt)
    query: Select[tuple[object, ...]] = select(*columns, _Payload.payload)
    return query.join_from(t.log_leaves, t.log_payloads, together, isouter=True).where(_Leaf.site == site)


class SqlEvidenceLog:
    """The log on PostgreSQL and SQLite."""

    def __init__(self, runner: SqlRunner) -> None:
        """Use a database."""
        self._runner = runner

    async def head(self, site: str) -> Frontier:
        """Give the right edge of the site's tree."""
        return await self._runner.read(lambda connection: read_head(connection, site))

    async def add_checkpoint(self, checkpoint: StoredCheckpoint) -> bool:
        """Keep a signed checkpoint; False where there is one of the same size, which stays as it is."""
        row = {
            "site": checkpoint.site,
            "size": checkpoint.size,
            "note": checkpoint.note,
            "created_at": checkpoint.created_at,
        }

        def write(connection: Connection) -> bool:
            added = insert(connection, t.checkpoints).values(row).on_conflict_do_nothing()
            return connection.execute(added).rowcount > 0

        return await self._runner.write(write)

    async def newest_checkpoint(self, site: str) -> StoredCheckpoint | None:
        """Give the largest kept checkpoint."""
        c = t.checkpoints.c
        query = select(c.site, c.size, c.note, c.created_at).where(c.site == site).order_by(c.size.desc()).limit(1)
        row = await self._runner.read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else StoredCheckpoint(*row)

    async def checkpoints(self, site: str) -> list[StoredCheckpoint]:
        """Give all kept checkpoints, smallest first."""
        c = t.checkpoints.c
        query = select(c.site, c.size, c.note, c.created_at).where(c.site == site).order_by(c.size)
        return await self._runner.read(lambda connection: [StoredCheckpoint(*row) for row in connection.execute(query)])

    async def newest_checkpoints(self, site: str, limit: int) -> list[StoredCheckpoint]:
        """Give the newest kept checkpoints, largest first."""
        c = t.checkpoints.c
        query = select(c.site, c.size, c.note, c.created_at).where(c.site == site).order_by(c.size.desc()).limit(limit)
        return await self._runner.read(lambda connection: [StoredCheckpoint(*row) for row in connection.execute(query)])

    async def events(self, site: str, after: int, limit: int) -> list[LoggedEvent]:
        """Read entries in order, beginning behind `after`."""
        query = entries(site).where(_Leaf.seq > after).order_by(_Leaf.seq).limit(limit)
        return await self._runner.read(lambda connection: _events(connection, site, query))

    async def visitor_events(self, site: str, visitor_id: str, after: int, limit: int) -> list[LoggedEvent]:
        """Read one visitor's entries in order."""
        query = entries(site).where(_Payload.site == site, _Payload.visitor_id == visitor_id, _Payload.seq > after)
        query = query.order_by(_Payload.seq).limit(limit)
        return await self._runner.read(lambda connection: _events(connection, site, query))

    async def nodes(self, site: str, wanted: Sequence[NodeId]) -> dict[NodeId, bytes]:
        """Read stored tree nodes; those of level 0 are computed from the leaves. What is missing is left out."""
        return await self._runner.read(lambda connection: read_nodes(connection, site, wanted))


def read_head(connection: Connection, site: str) -> Frontier:
    """Read the right edge of a site's tree."""
    h = t.log_heads.c
    row = connection.execute(select(h.size, h.frontier).where(h.site == site)).one_or_none()
    return Frontier() if row is None else Frontier.from_bytes(row.size, row.frontier)


def _events(connection: Connection, site: str, query: "Select[tuple[object, ...]]") -> list[LoggedEvent]:
    return [
        LoggedEvent(
            site=site,
            seq=row.seq,
            time=from_micros(row.time),
            pseudonym=row.pseudonym,
            commitment=row.commitment,
            salt=row.salt,
            payload=None if row.payload is None else unpack(row.payload),
            visitor_id=row.visitor_id,
        )
        for row in connection.execute(query)
    ]


def read_nodes(connection: Connection, site: str, wanted: Sequence[NodeId]) -> dict[NodeId, bytes]:
    """Read stored tree nodes; those of level 0 are computed from the leaves. What is missing is left out."""
    found: dict[NodeId, bytes] = {}
    by_level: dict[int, list[int]] = {}
    for level, index in wanted:
        by_level.setdefault(level, []).append(index)
    leaves = select(_Leaf.seq, _Leaf.time, _Leaf.pseudonym, _Leaf.commitment)
    for seq, micros, pseudonym, commitment in connection.execute(
        leaves.where(_Leaf.site == site, _Leaf.seq.in_(by_level.pop(0, [])))
    ):
        leaf = leaf_bytes(site, seq, format_time(from_micros(micros)), pseudonym, commitment)
        found[NodeId(0, seq)] = leaf_hash(leaf)
    n = t.log_nodes.c
    # Level by level: for all of them in one OR, SQLite would walk through every node of the site.
    for level, indexes in by_level.items():
        query = select(n.index, n.hash).where(n.site == site, n.level == level, n.index.in_(indexes))
        found |= {NodeId(level, index): hashed for index, hashed in connection.execute(query)}
    return found
