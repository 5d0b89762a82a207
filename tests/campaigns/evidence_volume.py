"""How long a large log takes to verify and export, and in how much memory; run as a program (`make evidence-volume`).

CONSENT_EVENTS says how many events (1,000,000) and CONSENT_TEST_POSTGRES_URL, where set, on which server; without it a
PostgreSQL of its own is started.
"""

import asyncio
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from consent_service.domain.vocabulary import Action
from consent_service.service.identity import new_visitor_id
from consent_service.storage.sql_batch import run_batch
from tests.campaigns.evidence_store import answering, open_store, secrets_in, sqlite_url
from tests.support.postgres import PostgresServer

SERVICE = Path(sys.executable).with_name("consent-service")
_BATCH = 5_000
_ACTIONS = (Action.ACCEPT_ALL, Action.REJECT_ALL, Action.ACCEPT_ALL)


async def build(url: str, directory: Path, events: int) -> float:
    """Write so many events by the service's own batches, only larger; gives the seconds it took."""
    store = await open_store(url, directory)
    made_with = secrets_in(directory)
    began = time.monotonic()
    for start in range(0, events, _BATCH):
        count = min(_BATCH, events - start)
        changes = [answering(new_visitor_id(), _ACTIONS[number % len(_ACTIONS)]) for number in range(count)]
        await store.write(lambda connection, changes=changes: run_batch(connection, changes, made_with))  # type: ignore[misc]
    await store.stop()
    return time.monotonic() - began


def command(url: str, directory: Path, *arguments: str) -> tuple[float, int, str]:
    """Run a command of the service; gives seconds, the most memory it held in MB, and what it said."""
    environment = {**os.environ, "CONSENT_DATABASE_URL": url, "CONSENT_KEYS_DIR": str(directory / "keys")}
    began = time.monotonic()
    with (directory / "said").open("w+") as said:
        process = subprocess.Popen([SERVICE, *arguments], env=environment, stdout=said, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.readline().strip()
    if process.returncode:
        raise SystemExit(f"{arguments[0]} failed: {text}")
    return time.monotonic() - began, _megabytes(used), text


def _megabytes(used: resource.struct_rusage) -> int:
    return used.ru_maxrss // 1024


def measure(name: str, url: str, directory: Path, events: int) -> None:
    """Build a log and print what verifying and exporting it takes."""
    seconds = asyncio.run(build(url, directory, events))
    sys.stdout.write(f"{name}: {events:,} events written in {seconds:.0f} s\n")
    target = str(directory / "export")
    for arguments in (
        ("evidence", "verify"),
        ("evidence", "export", "--output", target),
        ("evidence", "export", "--format", "csv", "--output", target),
    ):
        seconds, memory, _ = command(url, directory, *arguments)
        sys.stdout.write(f"{name}: {' '.join(arguments[:4])}: {seconds:.1f} s, {memory} MB at most\n")
        sys.stdout.flush()


def main() -> None:
    """Measure on both databases, on one small log and on the large one: memory must not grow with the log."""
    events = int(os.environ.get("CONSENT_EVENTS", "1000000"))
    sys.stdout.write(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores\n")
    server = PostgresServer()
    try:
        server.start()
        for size in (min(10_000, events), events):
            with tempfile.TemporaryDirectory() as name:
                measure("SQLite", sqlite_url(Path(name)), Path(name), size)
            with tempfile.TemporaryDirectory() as name:
                measure("PostgreSQL", server.url, Path(name), size)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
