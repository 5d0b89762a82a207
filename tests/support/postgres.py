"""A real PostgreSQL for tests: started once a session, a fresh database for each test, and a way to kill it."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4  # names of throw-away databases

import asyncpg
import psutil
import pytest

from tests.support.accounts import Account, server_account, temporary_directory
from tests.support.ports import free_port
from tests.support.postgres_programs import SERVER, find_programs

_DEADLINE = 60.0  # seconds until a starting server counts as broken
_STARTS = 5  # a port may be taken between being found free and being used
_RETRY = 0.05  # seconds between two looks


class PostgresStartError(RuntimeError):
    """The server ended, or said nothing, before it answered; the text is the end of its log."""


class PostgresServer:
    """One PostgreSQL on loopback with the durability it has in production: `fsync` and full page writes stay on."""

    def __init__(self, *, needed: Sequence[str] = (), **options: str) -> None:
        """Prepare one from an installation that has these programs as well; `options` are settings of the server."""
        self._options = options
        self.account: Account = server_account()
        self._home: Path = temporary_directory("consent-postgres-", self.account)
        self.programs: Path = find_programs(self._home, self.account, (*SERVER, *needed))
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()

    @property
    def url(self) -> str:
        """The address of the server's first database; the port stays the same over stop, kill and start."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    @property
    def environment(self) -> dict[str, str]:
        """Give what PostgreSQL's own tools need to find the server."""
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self._port), "PGUSER": "postgres"}

    @property
    def data(self) -> Path:
        """The data directory."""
        return self._home / "data"

    def start(self, attempts: int = _STARTS) -> None:
        """Start the server, making its data directory first where there is none, and wait until it answers."""
        if not self.data.exists():
            self._make_data_directory()
        for _ in range(attempts):
            self._process = self._launch()
            if self._wait_until_it_answers(self._process):
                return
        self._process = None
        raise PostgresStartError(self._log_end())

    def stop(self) -> None:
        """Stop the server the orderly way, ending open connections, and wait for its end."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
            self._process.wait(_DEADLINE)
            self._process = None

    def kill(self) -> None:
        """End every process of the server at once with SIGKILL, as a crash of the machine would."""
        if self._process is None:
            return
        family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        for child in family:
            _kill_quietly(child)
        psutil.wait_procs(family, timeout=_DEADLINE)
        self._process.wait(_DEADLINE)
        self._process = None

    def remove(self) -> None:
        """Stop the server and delete what it wrote."""
        try:
            self.stop()
        finally:
            self.kill()
            shutil.rmtree(self._home, ignore_errors=True)

    def _make_data_directory(self) -> None:
        self._run(
            "initdb", "--auth=trust", "--encoding=UTF8", "--no-locale", "--username=postgres", f"--pgdata={self.data}"
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.programs / program, *arguments],
            user=self.account.user, group=self.account.group, cwd=self._home,
            check=False, capture_output=True, text=True, timeout=_DEADLINE,
        )  # fmt: skip
        if done.returncode != 0:
            raise PostgresStartError(f"{program} failed: {done.stderr}")

    def _launch(self) -> subprocess.Popen[bytes]:
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "timezone": "UTC",
            "max_connections": "100",
            **self._options,
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (self._home / "log").open("ab") as log:
            return subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, "-p", str(self._port), *arguments],
                user=self.account.user, group=self.account.group, cwd=self._home,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> bool:
        until = time.monotonic() + _DEADLINE
        while time.monotonic() < until:
            if process.poll() is not None:
                time.sleep(_RETRY)
                return False
            if answers(self.url):
                return True
            time.sleep(_RETRY)
        process.kill()
        process.wait(_DEADLINE)
        return False

    def _log_end(self) -> str:
        return (self._home / "log").read_text(errors="replace")[-4000:]


def _kill_quietly(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def execute(url: str, statement: str) -> None:
    """Run one statement on its own connection, from tests with and without a running event loop."""
    _aside(url, lambda connection: connection.execute(statement))


def ask(url: str, question: str) -> object:
    """Give the first value that a query gives, asked in that way."""
    return _aside(url, lambda connection: connection.fetchval(question))


def _aside(url: str, work: Callable[[asyncpg.Connection], Awaitable[object]]) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url, timeout=_DEADLINE)
        try:
            return await work(connection)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, run()).result()


def answers(url: str) -> bool:
    """Say whether a server at `url` takes connections now."""
    try:
        execute(url, "SELECT 1")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return True


def create_database(url: str, *, template: str = "template1") -> str:
    """Create a database as a copy of `template` on the server at `url`, and return the new one's address."""
    name = f"test_{uuid4().hex}"
    execute(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return with_database(url, name)


def drop_database(url: str) -> None:
    """Drop the database that `url` names, ending whatever still uses it."""
    execute(with_database(url, "postgres"), f'DROP DATABASE IF EXISTS "{database_name(url)}" WITH (FORCE)')


def with_database(url: str, name: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def database_name(url: str) -> str:
    """Return the database that an address names, ready to be somebody's `template`."""
    return urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Name the server of this session (of this xdist worker); write only to databases of your own on it."""
    given = os.environ.get("CONSENT_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    server = PostgresServer()
    try:
        server.start()
        yield server.url
    finally:
        server.remove()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """Make a database that is empty at the start of each test and gone after it, and give its address."""
    url = create_database(postgres_url)
    yield url
    drop_database(url)


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server of this test's own, to be killed, stopped and started at will."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
