"""A5: visitors are erased, the service stops, and not a byte of theirs is in the files; every proof still verifies.

Run as a program (`make erasure`) it prints figures for SQLite and for a PostgreSQL of its own.
"""

import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from consent_service.domain.evidence.leaf import format_time, leaf_bytes, leaf_hash
from consent_service.domain.evidence.proofs import assemble, plan_inclusion, required_nodes, verify_inclusion
from consent_service.domain.evidence.verifier import Finding, KnownRoot
from consent_service.ports import LoggedEvent
from consent_service.storage.verification import verify_log
from tests.campaigns.evidence_store import (
    Crowd,
    SqlStore,
    count_in,
    erasing,
    open_store,
    populate,
    sqlite_url,
    traces,
    windows,
)
from tests.support.builders import SITE
from tests.support.postgres import PostgresServer, execute

REWRITE = (
    "VACUUM (FULL, ANALYZE) visitors, accounts, log_payloads, idempotency_keys, webhook_outbox",
    "VACUUM (FULL) pg_statistic",
)
"""What docs/evidence.md tells the operator of a PostgreSQL: rewrite the tables, and the planner's samples of them."""


_DATABASE = "SELECT oid FROM pg_database WHERE datname = current_database()"


@dataclass(frozen=True)
class Outcome:
    """What was found before and after, as numbers of places in the files, and what the log says."""

    erased: int
    traces: int
    before: int
    after: int
    proofs: int
    finding: Finding | None
    unswept: int = 0
    """Places on PostgreSQL before its tables were rewritten."""

    def __str__(self) -> str:
        """Say it in one line."""
        sound = "the log verifies" if self.finding is None else f"THE LOG DOES NOT VERIFY: {self.finding}"
        return (
            f"{self.erased} visitors erased, {self.traces} byte strings looked for: {self.before} places before, "
            f"{self.after} after; {sound}, {self.proofs} inclusion proofs of erased entries hold"
        )


@dataclass(frozen=True)
class Erased:
    """What is needed to look for the erased once the store has stopped."""

    wanted: set[bytes]
    traces: int
    before: int
    proofs: int
    finding: Finding | None


async def erase_some(store: SqlStore, visitors: int, staying: int, content: Callable[[], bytes]) -> Erased:
    """Let visitors come and some of them be erased; what speaks of those who stay is not looked for."""
    crowd = await populate(store, visitors + staying)
    pairs = list(zip(crowd.ids, crowd.accounts, strict=True))
    random.Random(5).shuffle(pairs)  # noqa: S311 - a repeatable choice, not a secret
    going, rest = (Crowd(*map(list, zip(*part, strict=True))) for part in (pairs[:visitors], pairs[visitors:]))
    mine = await store.read(lambda connection: traces(connection, going))
    wanted = windows(mine) - windows(await store.read(lambda connection: traces(connection, rest)))
    head = await store.log.head(SITE)
    await store.read(settle)
    before = count_in(content(), wanted)
    for visitor in going.ids:
        await store.writer.erase(erasing(visitor))
    known = [KnownRoot(head.size, head.root(), "the checkpoint before")]
    pseudonym = store._secrets.pseudonym
    _, finding = await store.read(lambda c: verify_log(c, SITE, known, pseudonym, lambda _: None))
    return Erased(wanted, len(mine), before, await proofs_that_hold(store), finding)


def settle(connection: Connection) -> None:
    """Let a PostgreSQL write what it holds to its files, as it would sooner or later, its samples included."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))


async def proofs_that_hold(store: SqlStore) -> int:
    """Prove every erased entry in the log as it is now; gives how many proofs hold."""
    head = await store.log.head(SITE)
    holding, after = 0, -1
    while page := await store.log.events(SITE, after, 1_000):
        after = page[-1].seq
        for event in (event for event in page if event.payload is None):
            plan = plan_inclusion(event.seq, head.size)
            proof = assemble(plan, await store.log.nodes(SITE, sorted(required_nodes(plan))))
            holding += verify_inclusion(hash_of(event), event.seq, head.size, proof, head.root())
    return holding


def hash_of(event: LoggedEvent) -> bytes:
    """Give the hash of an entry's leaf."""
    return leaf_hash(leaf_bytes(event.site, event.seq, format_time(event.time), event.pseudonym, event.commitment))


async def on_sqlite(directory: Path, visitors: int, staying: int) -> Outcome:
    """Erase on SQLite, stop, and look into the database file and whatever lies beside it."""

    def content() -> bytes:
        return joined(directory.glob("consent.db*"))

    store = await open_store(sqlite_url(directory), directory)
    erased = await erase_some(store, visitors, staying, content)
    await store.stop()
    after = count_in(content(), erased.wanted)
    return Outcome(visitors, erased.traces, erased.before, after, erased.proofs, erased.finding)


async def on_postgres(server: PostgresServer, directory: Path, visitors: int, staying: int) -> Outcome:
    """Erase on PostgreSQL, stop, rewrite the tables as documented, and look into the files of all tables and indexes."""
    store = await open_store(server.url, directory)
    number = await store.read(lambda connection: connection.scalar(text(_DATABASE)))
    parts = (server.data / "base" / str(number), server.data / "global")

    def content() -> bytes:
        # What is in memory only would reach the files at the next checkpoint.
        execute(server.url, "CHECKPOINT")
        return joined(file for part in parts for file in sorted(part.rglob("*")))

    erased = await erase_some(store, visitors, staying, content)
    await store.stop()
    unswept = count_in(content(), erased.wanted)
    for statement in REWRITE:
        execute(server.url, statement)
    after = count_in(content(), erased.wanted)
    return Outcome(visitors, erased.traces, erased.before, after, erased.proofs, erased.finding, unswept)


def joined(files: Iterable[Path]) -> bytes:
    """Read files that are there; a server may remove one between the listing and the reading."""
    found: list[bytes] = []
    for file in files:
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            found.append(file.read_bytes())
    return b"".join(found)


def main() -> int:
    """Print the figures; CONSENT_ERASED says how many visitors are erased (1,000)."""
    visitors = int(os.environ.get("CONSENT_ERASED", "1000"))
    server = PostgresServer()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "postgres").mkdir()
        began = time.monotonic()
        outcomes = {"SQLite": asyncio.run(on_sqlite(directory, visitors, 2 * visitors))}
        try:
            server.start()
            work = on_postgres(server, directory / "postgres", visitors, 2 * visitors)
            outcomes["PostgreSQL"] = asyncio.run(work)
        finally:
            server.remove()
    for database, outcome in outcomes.items():
        sys.stdout.write(f"A5 {database}: {outcome}\n")
    sys.stdout.write(f"A5 took {time.monotonic() - began:.0f} s\n")
    return int(any(outcome.after or outcome.finding for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
