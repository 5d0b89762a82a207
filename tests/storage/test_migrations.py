"""The schema on both databases: made once, the same as the tables in the code, and leaves that cannot be changed."""

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from asgi_lifespan import LifespanManager
from sqlalchemy import Connection, text

from consent_service.config import Settings
from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.webhooks import Endpoint
from consent_service.main import create_app
from consent_service.ports import StoredCheckpoint
from consent_service.storage import migrate
from consent_service.storage.migrate import SchemaState, require_served, revisions, schema_state, upgrade
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.postgres import open_engine as open_postgres
from consent_service.storage.sqlite import SqliteStore, open_engine
from consent_service.storage.tables import metadata
from tests.storage.changes import answering, erasing, linking, submit_all, visitor
from tests.support.builders import NOW, SITE
from tests.support.postgres import PostgresServer, execute

ROOT = Path(__file__).parents[2]


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


def test_a_new_sqlite_file_is_for_the_service_s_own_account_alone(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'consent.db'}")
    assert (tmp_path / "consent.db").stat().st_mode & 0o077 == 0


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "consent.db"
    upgrade(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
        connection.execute("UPDATE catalog_epoch SET floor = 'from_the_future'")
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


def test_of_five_processes_that_start_at_once_one_migrates(postgres_database: str) -> None:
    """Contract §9: whoever does not migrate waits and finds the schema up to date."""
    program = [str(Path(sys.executable).with_name("consent-service")), "migrate"]
    started = [
        subprocess.Popen(program, env=os.environ | {"CONSENT_DATABASE_URL": postgres_database}, stdout=subprocess.PIPE)
        for _ in range(5)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0] * 5
    assert sorted(said) == [b"already up to date\n"] * 4 + [b"the database is up to date now\n"]


def expand(connection: Connection) -> None:
    """Do what the next release's first migration might: a column in each table, another table, another revision."""
    for table in metadata.tables:
        connection.execute(text(f'ALTER TABLE {table} ADD COLUMN "of_the_future" TEXT'))
    connection.execute(text("CREATE TABLE of_the_future (site TEXT PRIMARY KEY, more TEXT)"))
    connection.execute(text("UPDATE alembic_version SET version_num = '20991231_future'"))


def contract(connection: Connection) -> None:
    """Do what a release after it might: nothing older than that migration can run any more."""
    connection.execute(text("UPDATE catalog_epoch SET floor = '20991231_future'"))


async def use(store: SqliteStore | PostgresStore) -> int:
    """Write, read, prove, tell and erase, as a serving process does; gives the size of the log afterwards."""
    await store.catalog.add_endpoint(Endpoint("crm", SITE, "https://crm.example/", NOW))
    await submit_all(store, [answering(visitor(n), key="k") for n in range(20)])
    await store.writer.submit(linking(visitor(1), "customer"))
    await store.outbox.claim(Endpoint("crm", SITE, "https://crm.example/", NOW), NOW, NOW + timedelta(minutes=1), 5)
    await store.writer.erase(erasing(visitor(2)))
    await store.log.add_checkpoint(StoredCheckpoint(SITE, 22, "note", NOW))
    await store.visitors.get_many(SITE, [visitor(1), visitor(3)])
    await store.log.events(SITE, -1, 100)
    return (await store.log.head(SITE)).size


async def test_the_release_before_runs_on_the_new_schema(postgres_store: PostgresStore, postgres_database: str) -> None:
    """D2: while a deployment rolls, old processes serve, and even start, on what the new ones have expanded."""
    await postgres_store.write(expand)
    assert await postgres_store.read(schema_state) is SchemaState.AHEAD
    assert await asyncio.to_thread(upgrade, postgres_database) is SchemaState.AHEAD
    await postgres_store.read(require_served)
    assert await use(postgres_store) == 22


async def test_the_release_before_runs_on_the_new_schema_of_sqlite_as_well(sqlite_store: SqliteStore) -> None:
    """D2: so a failed release can be taken back without touching the database."""
    await sqlite_store.write(expand)
    await sqlite_store.read(require_served)
    assert await use(sqlite_store) == 22


async def test_once_a_release_has_contracted_older_code_is_refused(
    postgres_store: PostgresStore, postgres_database: str
) -> None:
    await postgres_store.write(expand)
    await postgres_store.write(contract)
    with pytest.raises(StoreUnavailable, match="newer"):
        await postgres_store.read(require_served)
    with pytest.raises(StoreUnavailable, match="newer version"):
        await asyncio.to_thread(upgrade, postgres_database)


@pytest.mark.parametrize("there_is", ["nothing", "the first schema"])
async def test_the_service_does_not_serve_from_an_older_schema(tmp_path: Path, there_is: str) -> None:
    """Serving migrates first; an application started by other means refuses instead of failing later."""
    url = f"sqlite:///{tmp_path / 'consent.db'}"
    await asyncio.to_thread({"nothing": leave_empty, "the first schema": make_first_schema}[there_is], tmp_path)
    app = create_app(Settings(database_url=url, keys_dir=tmp_path / "keys"))
    with pytest.raises(StoreUnavailable, match=r"schema is (empty|older)"):
        async with LifespanManager(app):
            pass


def leave_empty(directory: Path) -> None:
    """Make an empty database file."""
    sqlite3.connect(directory / "consent.db").close()


def make_first_schema(directory: Path) -> None:
    """Leave a database as the first release made it."""
    with open_engine(directory / "consent.db").begin() as connection:
        first_revision(connection)


def first_revision(connection: Connection) -> None:
    """Migrate to the first revision and no further."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["connection"] = connection
    command.upgrade(config, "20261124_initial")


async def test_a_migration_that_meets_a_busy_table_lets_it_go_on_and_tries_again(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No write waits behind a migration for longer than the lock timeout, and the migration happens all the same."""
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 1)
    engine = open_postgres(postgres_database)
    async with engine.begin() as connection:
        await connection.run_sync(first_revision)
    loop = asyncio.get_running_loop()
    pauses: list[str] = []
    async with engine.connect() as busy:
        await busy.execute(text("SELECT count(*) FROM log_heads"))

        async def let_go() -> None:
            """Finish what was busy; runs in the loop of the migrating thread."""
            pauses.append("busy")
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(busy.rollback(), loop))

        monkeypatch.setattr(migrate, "pause", let_go)
        assert await asyncio.to_thread(upgrade, postgres_database) is SchemaState.OLDER
    await engine.dispose()
    assert pauses == ["busy"]


_CONTRACTS = re.compile(r"op\.(drop_\w+|rename_table)|nullable=False, existing|DROP |RENAME ", re.IGNORECASE)


@pytest.mark.parametrize("script", sorted((ROOT / "migrations" / "versions").glob("*.py")), ids=lambda path: path.stem)
def test_a_migration_that_takes_something_away_says_who_may_still_run(script: Path) -> None:
    """docs/operations.md: expand first; contract in a later release, and raise the floor with it."""
    source = script.read_text("utf-8").split("def downgrade")[0]
    assert not _CONTRACTS.search(source) or "UPDATE catalog_epoch SET floor" in source
