"""Goes through everything that is held about visitors, in SQL: for retention."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, select, tuple_

from consent_service.domain.moments import from_micros
from consent_service.domain.record_text import StoredVisitor, join_account, read_visitor
from consent_service.domain.retention import Entry
from consent_service.ports import Holding
from consent_service.storage import tables as t
from consent_service.storage.dialects import among
from consent_service.storage.payloads import unpack
from consent_service.storage.runner import SqlRunner


class SqlHoldings:
    """What is held, on PostgreSQL and SQLite."""

    def __init__(self, runner: SqlRunner) -> None:
        """Use a database."""
        self._runner = runner

    async def count(self, site: str) -> int:
        """Give the number of visitors."""
        query = select(func.count()).where(t.visitors.c.site == site)
        return await self._runner.read(lambda connection: connection.scalar(query) or 0)

    async def page(self, site: str, after: str, limit: int) -> list[Holding]:
        """Read some visitors in the order of their ids, beginning behind `after`."""
        v, a = t.visitors.c, t.accounts.c
        named = and_(a.site == v.site, a.account == v.account)
        query = select(v.visitor_id, v.revision, v.facts, v.times, v.account, a.state)
        query = query.join_from(t.visitors, t.accounts, named, isouter=True)
        query = query.where(v.site == site, v.visitor_id > after).order_by(v.visitor_id).limit(limit)

        def read(connection: Connection) -> list[Holding]:
            rows = connection.execute(query).all()
            entries = read_entries(connection, site, [row.visitor_id for row in rows])
            holdings: list[Holding] = []
            for row in rows:
                account = join_account(row.account, row.state)
                stored = StoredVisitor(row.revision, row.facts, row.times, account)
                record = read_visitor(site, row.visitor_id, stored)
                holdings.append(Holding(record, tuple(entries.get(row.visitor_id, ()))))
            return holdings

        return await self._runner.read(read)

    async def drop_lapsed_keys(self, now: datetime, limit: int) -> int:
        """Remove so many idempotency keys whose time is over; gives how many."""
        i = t.idempotency_keys.c
        key = (i.site, i.owner, i.key)
        # What another replica removes at the moment, or a writer uses anew, is passed over.
        lapsed = select(*key).where(i.expires_at <= now).limit(limit).with_for_update(skip_locked=True)
        statement = delete(t.idempotency_keys).where(tuple_(*key).in_(lapsed))
        return await self._runner.write(lambda connection: connection.execute(statement).rowcount)


def read_entries(connection: Connection, site: str, visitor_ids: Sequence[str]) -> dict[str, list[Entry]]:
    """Read all entries of some visitors that still have a payload, in their order."""
    leaf, p = t.log_leaves.c, t.log_payloads.c
    together = and_(leaf.site == p.site, leaf.seq == p.seq)
    query = select(p.visitor_id, p.seq, leaf.time, p.payload).join_from(t.log_payloads, t.log_leaves, together)
    wanted = among(connection, [(site, visitor_id) for visitor_id in visitor_ids], p.site, p.visitor_id)
    found: dict[str, list[Entry]] = {}
    for visitor_id, seq, micros, payload in connection.execute(query.where(wanted).order_by(p.seq)):
        entry = Entry(seq, from_micros(micros), json.loads(unpack(payload)))
        found.setdefault(visitor_id, []).append(entry)
    return found
