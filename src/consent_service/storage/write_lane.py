"""The connection over which the writer's ordinary batches go to PostgreSQL, past SQLAlchemy.

A batch is five short statements. Taking a connection out of the pool, wrapping and resetting it for each batch would
cost more than they do; so this one stays open, and is given up as soon as anything goes wrong with it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.util import await_, greenlet_spawn

from consent_service.ports import Change
from consent_service.storage.batch import Outcome, Secrets
from consent_service.storage.hot_sql import hot_postgres
from consent_service.storage.primary import Connection
from consent_service.storage.sql_batch import run_changes


class _NotHot(Exception):
    """The batch needs more than the hot statements."""


class WriteLane:
    """One connection; one batch at a time, as the writer has it."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], secrets: Secrets) -> None:
        """Connect when first needed."""
        self._connect = connect
        self._secrets = secrets
        self._connection: Connection | None = None

    async def run(self, changes: Sequence[Change]) -> list[Outcome] | None:
        """Carry out changes in one transaction; returns once it is durable, None with nothing done where it cannot."""
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            async with self._connection.transaction():
                return await greenlet_spawn(self._carry_out, self._connection, changes)
        except _NotHot:
            return None
        except (Exception, asyncio.CancelledError):
            self.close()
            raise

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
