"""The connections over which the writer's ordinary batches go to PostgreSQL, past SQLAlchemy.

Taking a connection out of the pool, wrapping and resetting it for each batch would cost more than the batch; so these
stay open, and are given up as soon as anything goes wrong with them.

A plain batch takes two statements and no lock between them: one looks, one writes everything if the head of the log is
still the very one that was seen. Every event moves that head, so no visitor that was looked at can have changed. While
one batch is written the next one looks, and is carried out on what the one before will leave.
Where another replica was quicker, the batch is carried out again under the lock, and so are the next ones for a while.
"""

import contextlib
from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg
from sqlalchemy.util import await_, greenlet_spawn

from consent_service.domain.evidence.tree import Frontier
from consent_service.domain.record_text import StoredVisitor
from consent_service.ports import Change
from consent_service.storage.batch import Batch
from consent_service.storage.batch_state import Loaded, Outcome, Secrets, Writes
from consent_service.storage.hot_sql import POSTGRES_LOOK, columns_of, hot_postgres, postgres_put_if_unchanged
from consent_service.storage.primary import Connection
from consent_service.storage.sql_batch import rows_of, run_changes

PATIENCE = 100
"""Batches that take the lock after another replica was quicker."""


class _NotHot(Exception):
    """The batch needs more than the hot statements."""


@dataclass(frozen=True, slots=True, eq=False)
class _Plain:
    """A plain batch, carried out but for its writing."""

    changes: Sequence[Change]
    site: str
    before: Frontier
    after: Frontier
    statement: str
    columns: list[Sequence[Any]]
    writes: Writes
    outcomes: list[Outcome]


class WriteLane:
    """Two connections, one that looks and one that writes; one batch at a time on each, as the writer has it."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], secrets: Secrets) -> None:
        """Connect when first needed."""
        self._looks, self._writes = _Line(connect), _Line(connect)
        self._secrets = secrets
        self._newest: _Plain | None = None
        """The batch that was prepared last, until it is written."""
        self._locked_batches = 0

    async def prepare(self, changes: Sequence[Change]) -> Callable[[], Awaitable[list[Outcome] | None]] | None:
        """Carry out a plain batch but for its writing, which the call that is given does; None where it is not plain.

        It may rest on a batch that is being written. Should that one come to nothing, the head is not what this one
        was made for, and it is not written either.
        """
        site, before = changes[0].site, self._newest
        if self._locked_batches:
            self._locked_batches -= 1
            return None
        if any(change.site != site or change.account for change in changes):
            return None
        async with self._looks.held() as connection:
            loaded = await _look(connection, site, changes)
        if loaded is None or (before and before.site == site and not _rest_on(loaded, before)):
            return None
        # From now on the next batch may rest on this one, which is written before it.
        self._newest = _carried_out(Batch(loaded, self._secrets), loaded.heads[site], changes)
        return None if self._newest is None else partial(self._write, self._newest)

    async def _write(self, plain: _Plain) -> list[Outcome] | None:
        guard = (plain.site, plain.before.size, plain.before.to_bytes(), plain.after.size, plain.after.to_bytes())
        try:
            async with self._writes.held() as connection:
                written = await connection.fetchval(plain.statement, *guard, *plain.columns)
        except asyncpg.UniqueViolationError:
            written = 0
        finally:
            if self._newest is plain:
                self._newest = None
        if written:
            return plain.outcomes
        self._locked_batches = PATIENCE
        return await self.run(plain.changes)

    async def run(self, changes: Sequence[Change]) -> list[Outcome] | None:
        """Carry out changes under the lock; returns once they are durable, None with nothing done where it cannot."""
        try:
            async with self._writes.held() as connection, connection.transaction():
                return await greenlet_spawn(self._carry_out, connection, changes)
        except _NotHot:
            return None

    def _carry_out(self, connection: Connection, changes: Sequence[Change]) -> list[Outcome]:
        hot = hot_postgres(lambda statement: await_(statement(connection)))
        outcomes = run_changes(hot, changes, self._secrets)
        if outcomes is None:
            raise _NotHot
        return outcomes

    def close(self) -> None:
        """Give the connections up."""
        self._looks.close()
        self._writes.close()


class _Line:
    """A connection that is made when it is first needed, and again after anything went wrong with it."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connect = connect
        self._connection: Connection | None = None

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[Connection]:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            yield self._connection
        except (asyncpg.UniqueViolationError, _NotHot):
            raise
        except (Exception, CancelledError):
            self.close()
            raise

    def close(self) -> None:
        # A polite goodbye could wait for a server that no longer answers.
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.terminate()


def _carried_out(batch: Batch, before: Frontier, changes: Sequence[Change]) -> _Plain | None:
    """Carry changes out on what was seen; None where nothing of it moves the head."""
    site, outcomes = changes[0].site, batch.run(changes)
    after = batch.writes.heads.pop(site, None)
    if after is None:
        return None
    tables, columns = columns_of(rows_of(batch.writes), first=1)
    statement = postgres_put_if_unchanged(tables)
    return _Plain(changes, site, before, after, statement, columns, batch.writes, outcomes)


def _rest_on(loaded: Loaded, before: _Plain) -> bool:
    """Put what a batch under way will leave into what was seen; False where somebody else has written."""
    site = before.site
    if loaded.heads[site] not in (before.before, before.after):
        return False
    loaded.heads[site] = before.after
    loaded.visitors.update(before.writes.visitors)
    loaded.remembered.update(before.writes.remembered)
    return True


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
