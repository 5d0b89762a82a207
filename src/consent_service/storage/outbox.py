"""The outbox of webhooks in SQL: filled in the transaction of the change, emptied by any replica.

A row names an event of the evidence log and holds nothing of it; what is told is read from the log when it is sent.
So an erasure has one row to remove, and a replay is a row written anew. Replicas share the work without a leader:
claimed rows are locked for a moment (`SKIP LOCKED`), and are then due again later, should the claimer die.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, func, select, update

from consent_service.domain.webhooks import Delivery, Endpoint, Failure
from consent_service.ports import Backlog, DeadLetter
from consent_service.storage import tables as t
from consent_service.storage.batch_state import NOBODY, OutboxRow
from consent_service.storage.dialects import insert
from consent_service.storage.payloads import unpack
from consent_service.storage.runner import SqlRunner

_o = t.webhook_outbox.c
_BY_KEY = and_(
    _o.site == bindparam("b_site"),
    _o.visitor_id == bindparam("b_visitor_id"),
    _o.seq == bindparam("b_seq"),
    _o.endpoint == bindparam("b_endpoint"),
)

_BY_CLAIM = and_(_BY_KEY, _o.due_at == bindparam("b_until"))


class SqlOutbox:
    """The outbox on PostgreSQL and SQLite."""

    def __init__(self, runner: SqlRunner) -> None:
        """Use a database."""
        self._runner = runner

    async def claim(self, endpoint: Endpoint, now: datetime, until: datetime, limit: int) -> list[Delivery]:
        """Take what is due for an endpoint; nobody else gets it before `until`."""
        return await self._runner.write(lambda connection: _claim(connection, endpoint, now, until, limit))

    async def settle(self, delivered: Sequence[Delivery], failed: Sequence[Failure]) -> None:
        """Note what became of claimed deliveries."""

        def write(connection: Connection) -> None:
            if delivered:
                connection.execute(delete(t.webhook_outbox).where(_BY_CLAIM), [_claim_of(done) for done in delivered])
            if failed:
                noted = {"due_at": bindparam("due"), "error": bindparam("why"), "attempts": _o.attempts + 1}
                rows = [{**_claim_of(f.delivery), "due": f.due_at, "why": f.error} for f in failed]
                connection.execute(update(t.webhook_outbox).where(_BY_CLAIM).values(noted), rows)

        await self._runner.write(write)

    async def dead(self, site: str, endpoint: str | None, limit: int) -> list[DeadLetter]:
        """List what was given up, oldest first."""
        columns = (_o.endpoint, _o.visitor_id, _o.seq, _o.created_at, _o.attempts, _o.error)
        query = select(*columns).where(_o.site == site, _o.due_at.is_(None)).order_by(_o.created_at, _o.seq)
        if endpoint is not None:
            query = query.where(_o.endpoint == endpoint)
        return await self._runner.read(
            lambda connection: [DeadLetter(*row) for row in connection.execute(query.limit(limit))]
        )

    async def revive(self, endpoint: Endpoint, now: datetime) -> int:
        """Make the dead letters of an endpoint due again, with a day of their own."""
        here = and_(_of(endpoint), _o.due_at.is_(None))
        again = update(t.webhook_outbox).where(here).values(due_at=now, created_at=now, attempts=0, error=None)
        return await self._runner.write(lambda connection: connection.execute(again).rowcount)

    async def replay(self, endpoint: Endpoint, after: int, limit: int, now: datetime) -> tuple[int, int | None]:
        """Queue events of the log behind `after` again, of at most `limit` places."""
        return await self._runner.write(lambda connection: _replay(connection, endpoint, after, limit, now))

    async def backlog(self, site: str) -> dict[str, Backlog]:
        """Tell by endpoint what waits."""
        oldest = func.min(_o.created_at).filter(_o.due_at.is_not(None))
        columns = (_o.endpoint, func.count(_o.due_at), oldest, func.count() - func.count(_o.due_at))
        query = select(*columns).where(_o.site == site).group_by(_o.endpoint)
        return await self._runner.read(
            lambda connection: {row[0]: Backlog(row[1], row[2], row[3]) for row in connection.execute(query)}
        )

    async def depth(self, endpoint: Endpoint, most: int) -> Backlog:
        """Tell what waits for an endpoint, counted up to `most`."""
        # Both walk along the index of `due_at`, which holds the dead as well: neither database leaves NULL out of it.
        alive = select(_o.created_at).where(_of(endpoint), _o.due_at.is_not(None)).order_by(_o.due_at)
        dead = select(_o.due_at).where(_of(endpoint), _o.due_at.is_(None))
        first, given_up = alive.limit(most).subquery(), dead.limit(most).subquery()
        waiting = select(func.count(), func.min(first.c.created_at)).select_from(first)

        def read(connection: Connection) -> Backlog:
            number, oldest = connection.execute(waiting).one()
            return Backlog(number, oldest, connection.scalar(select(func.count()).select_from(given_up)) or 0)

        return await self._runner.read(read)

    async def drop_dead(self, before: datetime, limit: int) -> int:
        """Forget dead letters of changes older than `before`."""

        def write(connection: Connection) -> int:
            old = select(_o.site, _o.visitor_id, _o.seq, _o.endpoint)
            old = old.where(_o.due_at.is_(None), _o.created_at < before).limit(limit)
            rows = connection.execute(old.with_for_update(skip_locked=True)).all()
            keys = [dict(zip(("b_site", "b_visitor_id", "b_seq", "b_endpoint"), row, strict=True)) for row in rows]
            if keys:
                connection.execute(delete(t.webhook_outbox).where(_BY_KEY, _o.due_at.is_(None)), keys)
            return len(keys)

        return await self._runner.write(write)


def write(connection: Connection, rows: Sequence[OutboxRow]) -> None:
    """Add what endpoints are to be told, inside the transaction that stores it."""
    if rows:
        columns = ("site", "visitor_id", "seq", "endpoint", "revision", "created_at")
        values = [{**{name: getattr(row, name) for name in columns}, "attempts": 0} for row in rows]
        connection.execute(t.webhook_outbox.insert(), [{**row, "due_at": row["created_at"]} for row in values])


def _of(endpoint: Endpoint) -> ColumnElement[bool]:
    return and_(_o.site == endpoint.site, _o.endpoint == endpoint.id)


def _key(delivery: Delivery) -> dict[str, object]:
    return {
        "b_site": delivery.site,
        "b_visitor_id": delivery.visitor_id,
        "b_seq": delivery.seq,
        "b_endpoint": delivery.endpoint,
    }


def _claim_of(delivery: Delivery) -> dict[str, object]:
    return {**_key(delivery), "b_until": delivery.claimed_until}


def _claim(connection: Connection, endpoint: Endpoint, now: datetime, until: datetime, limit: int) -> list[Delivery]:
    e = t.webhook_outbox.alias("earlier").c
    # What happened first is told first: a visitor's later events wait until the earlier one is told or given up.
    of_visitor = and_(e.site == _o.site, e.visitor_id == _o.visitor_id, e.endpoint == _o.endpoint)
    blocked = exists().where(of_visitor, e.seq < _o.seq, e.due_at.is_not(None))
    columns = (_o.site, _o.endpoint, _o.visitor_id, _o.seq, _o.revision, _o.created_at, _o.attempts)
    due = select(*columns).where(_of(endpoint), _o.due_at <= now, ~blocked).order_by(_o.due_at, _o.seq).limit(limit)
    rows = connection.execute(due.with_for_update(skip_locked=True, of=t.webhook_outbox)).all()
    if not rows:
        return []
    p = t.log_payloads.c
    wanted = select(p.seq, p.payload).where(p.site == endpoint.site, p.seq.in_([row.seq for row in rows]))
    payloads = {seq: unpack(payload) for seq, payload in connection.execute(wanted)}
    found = [Delivery(*row, claimed_until=until, payload=payloads.get(row.seq, b"")) for row in rows]
    # An entry whose payload was purged has nothing left to tell.
    empty = [_key(delivery) for delivery in found if not delivery.payload]
    if empty:
        connection.execute(delete(t.webhook_outbox).where(_BY_KEY), empty)
    claimed = [delivery for delivery in found if delivery.payload]
    if claimed:
        lease = update(t.webhook_outbox).where(_BY_KEY).values(due_at=bindparam("due"))
        connection.execute(lease, [{**_key(delivery), "due": until} for delivery in claimed])
    return claimed


def _replay(
    connection: Connection, endpoint: Endpoint, after: int, limit: int, now: datetime
) -> tuple[int, int | None]:
    h, p = t.log_heads.c, t.log_payloads.c
    # The lock of the site's writers: an erasure waits, or has removed the entries that would be queued here.
    size = connection.scalar(select(h.size).where(h.site == endpoint.site).with_for_update()) or 0
    last = min(after + limit, size - 1)
    here = and_(p.site == endpoint.site, p.seq > after, p.seq <= last, p.visitor_id != NOBODY)
    found = connection.execute(select(p.visitor_id, p.seq).where(here)).all()
    if found:
        queue = insert(connection, t.webhook_outbox)
        again = {"due_at": now, "created_at": now, "attempts": 0, "error": None}
        key = ("site", "visitor_id", "seq", "endpoint")
        rows = [{"site": endpoint.site, "endpoint": endpoint.id, "visitor_id": v, "seq": s, **again} for v, s in found]
        connection.execute(queue.on_conflict_do_update(index_elements=list(key), set_=again), rows)
    return len(found), None if last >= size - 1 else last
