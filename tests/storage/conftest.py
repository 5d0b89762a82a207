"""The three stores under test, each empty and open."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from consent_service.ports import Store
from consent_service.service.identity import Identity
from consent_service.storage.batch_state import Secrets
from consent_service.storage.keyring import Keyring
from consent_service.storage.memory import MemoryStore
from consent_service.storage.migrate import upgrade
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore


@pytest.fixture
def made_with(tmp_path: Path) -> Secrets:
    """Give what leaves are made with."""
    return Secrets(Identity(Keyring(tmp_path / "keys").mac).pseudonym, lambda: secrets.token_bytes(32))


@pytest.fixture
async def sqlite_store(tmp_path: Path, made_with: Secrets) -> AsyncIterator[SqliteStore]:
    """Open an empty SQLite store."""
    path = tmp_path / "consent.db"
    await asyncio.to_thread(upgrade, f"sqlite:///{path}")
    store = SqliteStore(path, made_with)
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def postgres_store(postgres_database: str, made_with: Secrets) -> AsyncIterator[PostgresStore]:
    """Open an empty PostgreSQL store."""
    await asyncio.to_thread(upgrade, postgres_database)
    store = PostgresStore(postgres_database, made_with)
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def memory_store(made_with: Secrets) -> AsyncIterator[MemoryStore]:
    """Open an empty store in memory."""
    store = MemoryStore(made_with)
    await store.start()
    yield store
    await store.stop()


@pytest.fixture(params=["memory_store", "sqlite_store", "postgres_store"])
def store(request: pytest.FixtureRequest) -> Store:
    """Give each of the three stores in turn."""
    found: Store = request.getfixturevalue(request.param)
    return found
