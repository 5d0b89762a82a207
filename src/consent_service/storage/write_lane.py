"""The connection over which the writer's ordinary batches go to PostgreSQL, past SQLAlchemy.

Taking a connection out of the pool, wrapping and resetting it for each batch would cost more than the batch; so this
one stays open, and is given up as soon as anything goes wrong with it.

A plain batch takes two statements and no lock between them: one looks, one writes everything if the head of the log is
still as it was seen. Every event moves that head, so no visitor that the batch looked at can have changed.
Where another replica was quicker, the batch is carried out again under the lock, and so are the next ones for a while.
"""

import contextlib
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
from sqlalchemy.util import await_, greenlet_spawn

from consent_service.domain.evidence.tree import Frontier
from consent_service.domain.record_text import StoredVisitor
from consent_service.ports import Change
from consent_service.storage.batch import Batch, Loaded, Outcome, Secrets
from consent_service.storage.hot_sql import POSTGRES_LOOK, columns_of, hot_postgres, postgres_put_if_unchanged
from consent_service.storage.primary import Connection
from consent_service.storage.sql_batch import rows_of, run_changes

PATIENCE = 100
"""Batches that take the lock after another replica was quicker."""


class _NotHot(Exception):
    """The batch needs more than the hot statements."""


class WriteLane:
    """One connection; one batch at a time, as the writer has it."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], secrets: Secrets) -> None:
        """Connect when first needed."""
        self._connect = connect
        self._secrets = secrets
        self._connection: Connection | None = None
        self._locked_batches = 0

    async def run(self, changes: Sequence[Change]) -> list[Outcome] | None:
        """Carry out changes in one transaction; returns once it is durable, None with nothing done where it cannot."""
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            outcomes = await self._try_without_lock(self._connection, changes)
            if outcomes is not None:
                return outcomes
            async with self._connection.transaction():
                return await greenlet_spawn(self._carry_out, self._connection, changes)
        except _NotHot:
            return None
        except (Exception, CancelledError):
            self.close()
            raise

    async def _try_without_lock(self, connection: Connection, changes: Sequence[Change]) -> list[Outcome] | None:
        """Carry out a plain batch by two statements; None with nothing done where it is not plain or has changed."""
        site = changes[0].site
        if self._locked_batches:
            self._locked_batches -= 1
            return None
        if any(change.site != site or change.account for change in changes):
            return None
        loaded = await _look(connection, site, changes)
        if loaded is None:
            return None
        before = loaded.heads[site].size
        batch = Batch(loaded, self._secrets)
        outcomes = batch.run(changes)
        head = batch.writes.heads.get(site)
        if head is None:  # nothing is written that would move the head
            return None
        batch.writes.heads = {}
        tables, columns = columns_of(rows_of(batch.writes), first=1)
        guard = (site, before, head.size, head.to_bytes())
        try:
            written = await connection.fetchval(postgres_put_if_unchanged(tables), *guard, *columns)
        except asyncpg.UniqueViolationError:
            written = 0
        if written:
            return outcomes
        self._locked_batches = PATIENCE
        return None

    def _carry_out(self, connection: Connection, changes: Sequence[Change]) -> list[Outcome]:
        hot = hot_postgres(lambda statement: await_(statement(connection)))
        outcomes = run_changes(hot, changes, self._secrets)
        if outcomes is None:
            raise _NotHot
        return outcomes

    def close(self) -> None:
        """Give the connection up; a polite goodbye could wait for a server that no longer answers."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()


async def _look(connection: Connection, site: str, changes: Sequence[Change]) -> Loaded | None:
    """Read what the changes start from; None where they are not plain."""
    ids = [change.visitor_id for change in changes]
    owners = [change.idempotency.owner if change.idempotency else None for change in changes]
    keys = [change.idempotency.key if change.idempotency else None for change in changes]
    loaded = Loaded()
    for size, frontier, plain, visitor_id, *row in await connection.fetch(POSTGRES_LOOK, site, ids, owners, keys):
        revision, _, _, account = row
        if not plain or account is not None:
            return None
        if frontier is not None:
            loaded.heads[site] = Frontier.from_bytes(size, frontier)
        if revision is not None:
            loaded.visitors[site, visitor_id] = StoredVisitor(*row)
    return loaded if loaded.heads else None
