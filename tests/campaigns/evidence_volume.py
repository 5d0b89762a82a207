"""How long a large log takes to verify and export, and in how much memory; run as a program (`make evidence-volume`).

CONSENT_EVENTS says how many events (1,000,000); a PostgreSQL of its own is started.
"""

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.campaigns.evidence_store import sqlite_url
from tests.support.postgres import PostgresServer, create_database

SERVICE = Path(sys.executable).with_name("consent-service")
_EVENTS_EACH = 3
"""How many events `seed` lets a visitor have."""


def command(url: str, directory: Path, *arguments: str) -> tuple[float, int, str]:
    """Run a command of the service; gives seconds, the most memory it held in MB, and what it said."""
    environment = {
        **os.environ,
        "CONSENT_DATABASE_URL": url,
        "CONSENT_KEYS_DIR": str(directory / "keys"),
        "CONSENT_DEV": "1",
    }
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
    visitors = str(-(-events // _EVENTS_EACH))
    command(url, directory, "migrate")
    seconds, _, _ = command(url, directory, "seed", "--visitors", visitors, "--ids", str(directory / "ids"))
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
                measure("PostgreSQL", create_database(server.url), Path(name), size)
    finally:
        server.remove()


if __name__ == "__main__":
    main()
