"""The visitors that are measured against: seeded once, kept, and extended until there are as many as wanted."""

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg

from bench.requests import POLICY
from bench.servers import DIRECTORY, SERVICE, environment

FEW = 10_000
"""So few visitors that everything about them is in the processor's caches."""
_CHUNK = 500_000
"""Visitors seeded by one command; an interrupted one is done again."""
_ID = 23


class Seeded:
    """A database with visitors, and the file of their ids."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url
        self.ids = DIRECTORY / f"{name}.ids"
        self._notes = DIRECTORY / f"{name}.json"

    @property
    def count(self) -> int:
        """Tell how many visitors are known."""
        return self.ids.stat().st_size // _ID if self.ids.exists() else 0

    @property
    def notes(self) -> dict[str, Any]:
        """Give what was noted when it was seeded."""
        found: dict[str, Any] = json.loads(self._notes.read_text("utf-8")) if self._notes.exists() else {}
        return found

    def grow(self, visitors: int, until: float) -> None:
        """Seed until there are so many, or until the deadline would be passed; notes time and disk."""
        notes = self.notes
        chunk = DIRECTORY / f"{self.name}.chunk"
        while self.count < visitors:
            wanted = min(_CHUNK, visitors - self.count)
            rate = notes.get("rate", 0)
            if rate and time.monotonic() + wanted / rate > until:
                print(f"{self.name}: stays at {self.count:,} visitors, the time is up", flush=True)
                break
            begun = time.monotonic()
            subprocess.run(
                [SERVICE, "seed", "--visitors", str(wanted), "--ids", str(chunk)],
                env={**os.environ, **environment(self.url)},
                check=True,
                stdout=sys.stderr,
            )
            with self.ids.open("ab") as ids:
                ids.write(chunk.read_bytes())
            notes["rate"] = wanted / (time.monotonic() - begun)
            notes["bytes"] = self.disk() / self.count
            self._notes.write_text(json.dumps(notes), "utf-8")
            print(f"{self.name}: {self.count:,} visitors, {notes['rate']:,.0f} a second", flush=True)
        chunk.unlink(missing_ok=True)
        if self.url.startswith("postgresql"):
            _execute(self.url, "VACUUM (ANALYZE)", "CHECKPOINT")

    def warm(self) -> None:
        """Read what lookups read once through, so that a run does not measure the disk after a start."""
        if self.url.startswith("postgresql"):
            _execute(
                self.url,
                "SET enable_seqscan = off",  # a sequential scan would not fill the server's own memory
                "SET enable_bitmapscan = off",
                "SELECT count(length(facts)) FROM visitors WHERE visitor_id > ''",
                "SELECT count(*) FROM log_payloads WHERE visitor_id > ''",
            )
            return
        path = Path(self.url.removeprefix("sqlite:///"))
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 24):
                pass
        # A file that memory can't hold whole: then at least the rows that are looked up.
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            connection.execute("SELECT sum(length(facts)) FROM visitors").fetchone()

    def disk(self) -> int:
        """Give the bytes that the data take."""
        if not self.url.startswith("postgresql"):
            path = Path(self.url.removeprefix("sqlite:///"))
            return sum(file.stat().st_size for file in path.parent.glob(path.name + "*"))
        # Tables with their indexes; the catalog of an empty database is the same for everybody.
        query = (
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        return int(_execute(self.url, query) or 0)


def fill_ordinary(url: str, ids: list[str]) -> None:
    """Give the ordinary service as many visitors of its own."""
    asyncio.run(_fill_ordinary(url, ids))


async def _fill_ordinary(url: str, ids: list[str]) -> None:
    connection = await asyncpg.connect(url)
    if await connection.fetchval("SELECT count(*) FROM ordinary_visitors") < len(set(ids)):
        await connection.execute("TRUNCATE ordinary_visitors, ordinary_events, ordinary_idempotency_keys")
        now = datetime.now(UTC)
        answers = [json.dumps({c: bool(n >> i & 1) for i, c in enumerate(POLICY["categories"])}) for n in range(256)]
        rows = [(v, answers[n % 256], "2026-11-22", now + timedelta(days=180), now) for n, v in enumerate(set(ids))]
        await connection.copy_records_to_table("ordinary_visitors", records=rows)
        await connection.execute("ANALYZE ordinary_visitors")
    await connection.close()


def _execute(url: str, *statements: str) -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(url, timeout=60)
        try:
            found = [await connection.fetchval(statement, timeout=600) for statement in statements]
            return found[0]
        finally:
            await connection.close()

    return asyncio.run(run())
