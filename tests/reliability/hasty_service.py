"""The service with a fault put in: it answers a write and commits a moment later. The campaigns must notice.

On SQLite the answer goes out before the COMMIT; on PostgreSQL the server is told not to wait for its disk.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection

from consent_service.storage import postgres
from consent_service.storage.sqlite import SqliteStore
from tests.support.run_service import serve

_LATE_SECONDS = 0.1

_in_a_batch = ContextVar("_in_a_batch", default=False)
_run_batch = SqliteStore._run_batch
_write = SqliteStore.write
_connector = postgres.connector
_unfinished: set["asyncio.Future[Any]"] = set()


async def _marked(self: SqliteStore, requests: Sequence[Any]) -> Any:
    _in_a_batch.set(True)
    try:
        return await _run_batch(self, requests)
    finally:
        _in_a_batch.set(False)


async def _answer_first(self: SqliteStore, work: Callable[[Connection], Any]) -> Any:
    if not _in_a_batch.get():
        return await _write(self, work)
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()

    def hasty(connection: Connection) -> None:
        loop.call_soon_threadsafe(outcome.set_result, work(connection))
        time.sleep(_LATE_SECONDS)

    committing = asyncio.ensure_future(_write(self, hasty))
    _unfinished.add(committing)
    committing.add_done_callback(_unfinished.discard)
    return await outcome


def _do_not_wait(url: str, *, by_index: bool = False) -> Callable[[], Awaitable[Any]]:
    connect = _connector(url, by_index=by_index)

    async def hasty() -> Any:
        connection = await connect()
        await connection.execute("SET synchronous_commit = off")
        return connection

    return hasty


if __name__ == "__main__":
    SqliteStore._run_batch = _marked  # type: ignore[method-assign]
    SqliteStore.write = _answer_first  # type: ignore[method-assign,assignment]
    postgres.connector = _do_not_wait
    serve()
