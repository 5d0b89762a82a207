"""The database servers of the tests are real, durable, separate for each test, and survive a crash."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import asyncpg
import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.accounts import server_account, temporary_directory
from tests.support.postgres import PostgresServer, answers, create_database, database_name, drop_database, execute
from tests.support.postgres_programs import PostgresNotFoundError, find_programs, from_the_wheel, within_reach


async def fetch(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def test_sqlite_answers_through_sqlalchemy(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'consent.db'}")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()


async def test_postgresql_answers_through_sqlalchemy(postgres_database: str) -> None:
    engine = create_async_engine(postgres_database.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
async def test_postgresql_is_as_durable_as_in_production(postgres_url: str, setting: str) -> None:
    assert await fetch(postgres_url, f"SHOW {setting}") == "on"


@pytest.mark.parametrize("run", ["first", "second"])
async def test_each_test_gets_an_empty_database(postgres_database: str, run: str) -> None:
    execute(postgres_database, f"CREATE TABLE visitors AS SELECT '{run}' AS run")
    assert await fetch(postgres_database, "SELECT run FROM visitors") == run


async def test_a_database_can_be_the_template_of_others(postgres_database: str) -> None:
    execute(postgres_database, "CREATE TABLE visitors AS SELECT 7 AS revision")
    copy = create_database(postgres_database, template=database_name(postgres_database))
    try:
        assert await fetch(copy, "SELECT revision FROM visitors") == 7
    finally:
        drop_database(copy)
    assert not answers(copy)


async def test_what_was_committed_is_there_after_a_kill_and_a_restart(postgres_server: PostgresServer) -> None:
    execute(postgres_server.url, "CREATE TABLE visitors AS SELECT 7 AS revision")
    postgres_server.kill()
    assert not answers(postgres_server.url)
    postgres_server.start()
    assert await fetch(postgres_server.url, "SELECT revision FROM visitors") == 7


async def test_a_kill_breaks_connections_that_are_open(postgres_server: PostgresServer) -> None:
    connection = await asyncpg.connect(postgres_server.url)
    postgres_server.kill()
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.fetchval("SELECT 1")
    await asyncio.sleep(0)  # lets the broken transport finish closing


def test_a_stopped_server_leaves_no_process_and_no_file() -> None:
    server = PostgresServer()
    server.start()
    home = server.data.parent
    processes = [
        process for process in psutil.process_iter(["cmdline"]) if str(home) in " ".join(process.info["cmdline"] or [])
    ]
    assert processes
    server.remove()
    assert not any(process.is_running() for process in processes)
    assert not home.exists()


def test_an_installation_is_chosen_for_the_tools_that_start_there() -> None:
    """The wheel's pg_verifybackup of PostgreSQL 18 crashes, that of 16 does not."""
    server = PostgresServer(needed=("pg_verifybackup",))
    try:
        version = subprocess.run([server.programs / "pg_verifybackup", "--version"], check=True, capture_output=True)
    finally:
        server.remove()
    assert b"PostgreSQL" in version.stdout


def test_a_tool_that_no_installation_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(PostgresNotFoundError, match="pg_no_such_tool"):
        find_programs(tmp_path, server_account(), ("postgres", "pg_no_such_tool"))


def test_programs_in_a_home_closed_to_others_are_started_from_a_copy(tmp_path: Path) -> None:
    account = server_account()
    package = next(from_the_wheel()).parents[1]
    closed = tmp_path / "home"
    shutil.copytree(package, closed / package.name)
    shutil.copytree(package.with_suffix(".libs"), closed / f"{package.name}.libs")
    closed.chmod(0o700)
    programs = closed / next(from_the_wheel()).relative_to(package.parent)
    scratch = temporary_directory("consent-reach-", account)
    try:
        assert within_reach(programs, scratch, account) is not None
        assert (closed.stat().st_mode & 0o777) == 0o700
    finally:
        shutil.rmtree(scratch)
