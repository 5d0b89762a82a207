"""Starts what is measured: PostgreSQL, bare uvicorn, the ordinary service and this one, each pinned to a core."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.ports import free_port
from tests.support.postgres import PostgresServer, execute, with_database

ROOT = Path(__file__).resolve().parent.parent
SERVICE = Path(sys.executable).with_name("consent-service")
DIRECTORY = Path(os.environ.get("CONSENT_BENCH_DIR", ROOT / "var" / "bench")).resolve()
"""Where databases of the bench live; those of the long form take about 40 GB."""
SERVER_CORE = 0
LOAD_CORE = 1 if (os.cpu_count() or 1) > 1 else 0
KEY = f"cs_manage_{secrets.token_urlsafe(32)}"
BUFFERS_GB = max(1, min(6, round(psutil.virtual_memory().total / 2**32)))
"""PostgreSQL's own memory."""
_DEADLINE = 60.0


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    started: float = field(default_factory=time.perf_counter)

    def resident(self) -> int:
        """Give resident memory in bytes, children included."""
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return sum(process.memory_info().rss for process in family)

    def connections(self) -> int:
        """Count open connections."""
        return len(psutil.Process(self.process.pid).net_connections())

    def cpu_seconds(self) -> float:
        """Give the processor time used so far."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@contextlib.contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """Let whatever is started inside run on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cores))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def started(
    arguments: list[str | Path], port: int, environment: Mapping[str, str] | None = None, cores: tuple[int, ...] = ()
) -> Iterator[Server]:
    """Start a server on the server's core and wait until it takes connections."""
    with pinned(*(cores or (SERVER_CORE,))), (DIRECTORY / "server.log").open("ab") as log:
        process = subprocess.Popen(
            arguments, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=log, stderr=log
        )
    server = Server(process, port)
    try:
        wait_for(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(server: Server) -> None:
    """Wait until a server takes connections."""
    until = time.monotonic() + _DEADLINE
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return
        time.sleep(0.005)
    sys.exit(f"a server did not start; {DIRECTORY / 'server.log'} may say why")


def hello() -> contextlib.AbstractContextManager[Server]:
    """Start bare uvicorn."""
    port = free_port()
    return started([sys.executable, "-m", "bench.hello", str(port)], port)


def ordinary(database: str) -> contextlib.AbstractContextManager[Server]:
    """Start the ordinary service."""
    port = free_port()
    environment = {"ORDINARY_DATABASE_URL": database, "ORDINARY_KEY": KEY}
    return started([sys.executable, "-m", "bench.ordinary", str(port)], port, environment)


def service(
    database: str, *, workers: int = 1, cores: tuple[int, ...] = ()
) -> contextlib.AbstractContextManager[Server]:
    """Start this service; its log goes to the bench's own file."""
    port = free_port()
    arguments = [SERVICE, "serve", "--port", str(port), "--workers", str(workers)]
    return started(arguments, port, environment(database), cores)


def environment(database: str) -> dict[str, str]:
    """Give the settings that the service and its commands run with."""
    return {
        "CONSENT_DATABASE_URL": database,
        "CONSENT_KEYS_DIR": str(DIRECTORY / "keys"),
        "CONSENT_BOOTSTRAP_KEY": KEY,
        "CONSENT_DEV": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # as installed: byte code is there
    }


class Postgres(PostgresServer):
    """PostgreSQL whose data stay between runs, so that ten million visitors are seeded once."""

    def __init__(self) -> None:
        # Memory as PostgreSQL's documentation advises, a quarter; durability is what it is by default.
        super().__init__(shared_buffers=f"{BUFFERS_GB}GB", max_wal_size="4GB")
        self._scratch = self._home
        kept = DIRECTORY / "postgres"
        if self.account.user is None or all(path.stat().st_mode & 1 for path in (DIRECTORY, *DIRECTORY.parents)):
            kept.mkdir(parents=True, exist_ok=True)
            self.account.take(kept)
            self._home = kept

    def stop(self) -> None:
        """Stop, and remove what is not kept."""
        super().stop()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def pin(self, core: int) -> None:
        """Move the server with all that it has started to a core."""
        if self._process is None:
            return
        family = psutil.Process(self._process.pid)
        for process in (family, *family.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.cpu_affinity([core])

    def checkpoint(self, url: str) -> None:
        """Have what was written until now in its place, so that what is measured next does not wait for that."""
        execute(url, "CHECKPOINT")

    def database(self, name: str) -> str:
        """Give the address of a database of that name, which is made where it is not there."""
        with contextlib.suppress(Exception):
            execute(self.url, f'CREATE DATABASE "{name}"')
        return with_database(self.url, name)
