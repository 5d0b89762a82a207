"""The schema on both databases: made once, the same as the tables in the code, and leaves that cannot be changed."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from consent_service.domain.errors import StoreUnavailable
from consent_service.storage.migrate import SchemaState, upgrade
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from consent_service.storage.tables import metadata
from tests.storage.changes import answering, visitor
from tests.support.postgres import execute


def differences(connection: Connection) -> list[object]:
    """List where the database and the tables in the code differ."""
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_the_migrations_make_what_the_code_expects_on_sqlite(sqlite_store: SqliteStore) -> None:
    assert await sqlite_store.read(differences) == []


async def test_the_migrations_make_what_the_code_expects_on_postgresql(postgres_store: PostgresStore) -> None:
    assert await postgres_store.read(differences) == []


def test_of_several_that_start_at_once_one_migrates_postgresql(postgres_database: str) -> None:
    with ThreadPoolExecutor(5) as threads:
        states = list(threads.map(upgrade, [postgres_database] * 5))
    assert sorted(state.value for state in states) == ["current"] * 4 + ["empty"]


def test_of_several_that_start_at_once_one_migrates_sqlite(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'var' / 'consent.db'}"
    with ThreadPoolExecutor(5) as threads:
        states = list(threads.map(upgrade, [url] * 5))
    assert states.count(SchemaState.EMPTY) == 1


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "consent.db"
    upgrade(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    with pytest.raises(StoreUnavailable, match="newer version"):
        upgrade(f"sqlite:///{path}")


@pytest.mark.parametrize("statement", ["UPDATE log_leaves SET time = 0", "DELETE FROM log_leaves"])
async def test_no_statement_changes_a_leaf_on_sqlite(sqlite_store: SqliteStore, tmp_path: Path, statement: str) -> None:
    """EVD-01: a trigger blocks what no code of ours attempts."""
    await sqlite_store.writer.submit(answering(visitor(1)))
    with sqlite3.connect(tmp_path / "consent.db") as connection, pytest.raises(sqlite3.IntegrityError, match="never"):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE log_leaves SET time = 0", "DELETE FROM log_leaves", "TRUNCATE log_leaves"]
)
async def test_no_statement_changes_a_leaf_on_postgresql(
    postgres_store: PostgresStore, postgres_database: str, statement: str
) -> None:
    """EVD-01: a trigger blocks what no code of ours attempts."""
    await postgres_store.writer.submit(answering(visitor(1)))
    with pytest.raises(asyncpg.PostgresError, match="never"):
        await asyncio.to_thread(execute, postgres_database, statement)


async def test_a_second_process_is_refused_the_sqlite_file(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    second = SqliteStore(tmp_path / "consent.db", sqlite_store._secrets)
    with pytest.raises(StoreUnavailable, match="Another process"):
        await second.start()
