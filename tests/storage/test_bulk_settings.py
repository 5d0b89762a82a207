"""SQLite while many rows are loaded: a larger write-ahead log, nothing less durable."""

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection

from consent_service.storage.batch_state import Secrets
from consent_service.storage.migrate import upgrade
from consent_service.storage.sqlite import SqliteStore
from tests.storage.changes import answering, submit_all, visitor

_FULL = 2


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Make an empty file with all tables."""
    path = tmp_path / "consent.db"
    await asyncio.to_thread(upgrade, f"sqlite:///{path}")
    return path


def pragmas(connection: Connection) -> list[int]:
    """Read how durable a connection is, and after how many pages it empties the log."""
    return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("synchronous", "wal_autocheckpoint")]


@pytest.mark.parametrize(
    ("exclusive", "bulk", "pages"), [(True, False, 1_000), (True, True, 262_144), (False, True, 0), (False, False, 0)]
)
async def test_how_long_the_log_grows(
    path: Path, made_with: Secrets, *, exclusive: bool, bulk: bool, pages: int
) -> None:
    """Beside a serving process (not exclusive) that one alone moves the log's pages."""
    store = SqliteStore(path, made_with, exclusive=exclusive, bulk=bulk)
    await store.start()
    try:
        assert await store.write(pragmas) == [_FULL, pages]
    finally:
        await store.stop()


async def test_what_was_loaded_is_in_the_file_afterwards(path: Path, made_with: Secrets, tmp_path: Path) -> None:
    store = SqliteStore(path, made_with, bulk=True)
    await store.start()
    await submit_all(store, [answering(visitor(number)) for number in range(300)])
    await store.stop()
    alone = tmp_path / "copy.db"
    await asyncio.to_thread(shutil.copyfile, path, alone)
    with sqlite3.connect(alone) as copy:
        assert copy.execute("SELECT count(*) FROM visitors").fetchone() == (300,)
    copy.close()
