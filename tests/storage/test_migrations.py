"""The schema on both databases: made once, the same as the tables in the code, and leaves that cannot be changed."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from consent_service.domain.errors import StoreUnavailable
from consent_service.storage.migrate import SchemaState, revisions, upgrade
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from consent_service.storage.tables import metadata
from tests.storage.changes import answering, visitor
from tests.support.postgres import PostgresServer, execute


def interrupt(*_: object, **__: object) -> None:
    """Stop as Ctrl-C or a signal would, in the middle of a migration."""
    raise KeyboardInterrupt


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


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_leaves SET time = 0",
        "DELETE FROM log_leaves",
        "REPLACE INTO log_leaves SELECT site, seq, 0, pseudonym, commitment FROM log_leaves",
    ],
)
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


def test_a_first_start_that_was_killed_can_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema is there whole or not at all, on SQLite as well."""
    url = f"sqlite:///{tmp_path / 'consent.db'}"
    with monkeypatch.context() as patch:
        patch.setattr(Operations, "create_index", interrupt)
        with pytest.raises(KeyboardInterrupt):
            upgrade(url)
    assert upgrade(url) is SchemaState.EMPTY


def test_the_revisions_read_off_the_scripts_are_those_of_alembic() -> None:
    scripts = ScriptDirectory.from_config(Config(Path(__file__).parents[2] / "alembic.ini"))
    head, known = revisions()
    assert head == scripts.get_current_head()
    assert known == {script.revision for script in scripts.walk_revisions()}


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/nothing", "sqlite:////proc/consent.db"])
def test_a_database_that_cannot_be_reached_is_told_in_one_line(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        upgrade(url)


def test_a_database_that_does_not_exist_is_told_in_one_line(postgres_server: PostgresServer) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        upgrade(postgres_server.url + "_missing")


async def test_a_second_process_is_refused_the_sqlite_file(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    second = SqliteStore(tmp_path / "consent.db", sqlite_store._secrets)
    with pytest.raises(StoreUnavailable, match="Another process"):
        await second.start()
