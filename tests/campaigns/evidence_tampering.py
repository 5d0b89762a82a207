"""A4: every mutation of the log is found given one checkpoint kept elsewhere, and an honest log is never accused.

Run as a program (`make tamper`) it prints figures for SQLite and for a PostgreSQL of its own, to which three replicas
write meanwhile.
"""

import asyncio
import contextlib
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from consent_service.cli.verifying import known_root
from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.evidence.checkpoint import CheckpointRefused
from consent_service.domain.vocabulary import Action
from consent_service.service.evidence import Evidence
from consent_service.service.identity import Identity, new_visitor_id
from consent_service.storage import tables as t
from consent_service.storage.keyring import LOG, Keyring
from consent_service.storage.verification import verify_log
from consent_service.system import utc_now
from tests.campaigns.evidence_mutations import MUTATIONS, disarm
from tests.campaigns.evidence_store import SqlStore, answering, erasing, open_store, populate, sqlite_url
from tests.support.builders import SITE
from tests.support.postgres import PostgresServer

REPLICAS = 3


class _Undo(Exception):
    """Takes back everything that was done in a transaction, and carries what was found in it."""

    def __init__(self, wrong: str | None) -> None:
        super().__init__(wrong)
        self.wrong = wrong


@dataclass
class Installation:
    """A log, its keys, and one checkpoint that was kept elsewhere, if any."""

    store: SqlStore
    keyring: Keyring
    outside: bytes = b""

    @property
    def evidence(self) -> Evidence:
        """Sign as the service does."""
        address = "https://consent.example"
        return Evidence(self.store.log, address, lambda site, now: self.keyring.current(LOG, site, now), utc_now)

    async def keep_checkpoint(self) -> None:
        """Sign the log as it is, keep the note in the database, and elsewhere."""
        checkpoint = await self.evidence.checkpoint(SITE)
        await self.store.log.add_checkpoint(checkpoint)
        self.outside = checkpoint.note.encode()

    def check(self, connection: Connection) -> str | None:
        """Verify as the command does; gives what is wrong."""
        stored = connection.scalars(select(t.checkpoints.c.note)).all()
        notes = [("the stored checkpoint", note.encode()) for note in stored]
        notes += [("the checkpoint kept elsewhere", self.outside)] if self.outside else []
        try:
            roots = [known_root(source, note, SITE, self.keyring) for source, note in notes]
        except CheckpointRefused as error:
            return str(error)
        _, finding = verify_log(connection, SITE, roots, Identity(self.keyring.mac).pseudonym, lambda _: None)
        return None if finding is None else str(finding)


@dataclass
class Figures:
    """How many mutations of each kind were made and how many were found."""

    made: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    @property
    def missed(self) -> int:
        """Give the number of mutations that nobody noticed."""
        return self.made.total() - self.found.total()

    def __str__(self) -> str:
        """Say it in one line."""
        kinds = ", ".join(f"{kind} {self.found[kind]}/{count}" for kind, count in sorted(self.made.items()))
        return f"{self.found.total()} of {self.made.total()} mutations found ({kinds})"


async def installation(url: str, directory: Path, visitors: int = 60) -> Installation:
    """Make a log with choices, logins, withdrawals and erasures, and keep a checkpoint of it."""
    store = await open_store(url, directory)
    made = Installation(store, Keyring(directory / "keys"))
    crowd = await populate(store, visitors)
    await made.keep_checkpoint()
    for visitor in crowd.ids[::7]:
        await store.writer.erase(erasing(visitor))
    await made.keep_checkpoint()
    return made


async def tamper(log: Installation, mutations: int, seed: int = 4) -> Figures:
    """Make mutations one after the other, each on the honest log, and verify after each."""
    figures = Figures()
    drawn = random.Random(seed)  # noqa: S311 - a repeatable choice, not a secret
    for number in range(mutations):
        kind = list(MUTATIONS)[number % len(MUTATIONS)]
        figures.made[kind] += 1
        figures.found[kind] += await _mutated(log, kind, drawn) is not None
    return figures


async def _mutated(log: Installation, kind: str, drawn: random.Random) -> str | None:
    def attack(connection: Connection) -> None:
        disarm(connection)
        MUTATIONS[kind](connection, drawn)
        raise _Undo(log.check(connection))

    try:
        await log.store.write(attack)
    except _Undo as undone:
        return undone.wrong
    raise RuntimeError("an attack was left in place")


async def alarms_under_writes(log: Installation, url: str, directory: Path, writes: int) -> tuple[int, int]:
    """Verify again and again while three replicas write; gives how often that was done, and the false alarms."""
    arguments = (sys.executable, "-m", __spec__.name, url, str(directory), str(-(-writes // REPLICAS)))
    writers = [await asyncio.create_subprocess_exec(*arguments) for _ in range(REPLICAS)]
    done = asyncio.gather(*(writer.wait() for writer in writers))
    rounds = alarms = 0
    while not done.done() or rounds == 0:
        await log.keep_checkpoint()
        wrong = await log.store.read(log.check)
        rounds += 1
        if wrong is not None:
            alarms += 1
            sys.stderr.write(f"FALSE ALARM: {wrong}\n")
    if any(await done):
        raise RuntimeError("a replica failed")
    await log.keep_checkpoint()
    alarms += await log.store.read(log.check) is not None
    return rounds + 1, alarms


async def write_as_replica(url: str, directory: Path, writes: int) -> None:
    """Be one replica: let visitors answer, change their minds, and some of them be erased."""
    store = await open_store(url, directory)
    drawn = random.Random(os.getpid())  # noqa: S311 - which visitor does what is no secret
    for start in range(0, writes, 200):
        visitors = [new_visitor_id() for _ in range(min(200, writes - start))]
        await asyncio.gather(*(insist(store.writer.submit, answering(v, Action.ACCEPT_ALL)) for v in visitors))
        await insist(store.writer.erase, erasing(drawn.choice(visitors)))
    await store.stop()


async def insist(send: Callable[[Any], Awaitable[object]], request: object) -> None:
    """Send until it is stored: a machine that is busy with other things may be told to come back."""
    for _ in range(100):
        with contextlib.suppress(StoreUnavailable):
            await send(request)
            return
        await asyncio.sleep(0.5)
    raise TimeoutError


async def campaign(mutations: int, writes: int) -> int:
    """Print the figures for both databases; gives the exit status."""
    server = PostgresServer()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        directories = [Path(name) / part for part in ("sqlite", "postgres")]
        try:
            server.start()
            for directory, url in zip(directories, (sqlite_url(directories[0]), server.url), strict=True):
                directory.mkdir()
                log = await installation(url, directory)
                figures = await tamper(log, mutations)
                sys.stdout.write(f"A4 {directory.name}: {figures}\n")
                failed += figures.missed
                if url == server.url:
                    rounds, alarms = await alarms_under_writes(log, url, directory, writes)
                    sys.stdout.write(f"A4 {directory.name}: {alarms} false alarms in {rounds} verifications ")
                    sys.stdout.write(f"during {writes:,} writes from {REPLICAS} replicas\n")
                    failed += alarms
                await log.store.stop()
        finally:
            server.remove()
    return int(failed > 0)


def main(arguments: list[str]) -> Any:
    """Run the campaign (CONSENT_MUTATIONS, CONSENT_WRITES), or one replica of it."""
    if arguments:
        url, directory, writes = arguments
        return asyncio.run(write_as_replica(url, Path(directory), int(writes)))
    mutations = int(os.environ.get("CONSENT_MUTATIONS", "1000"))
    return asyncio.run(campaign(mutations, int(os.environ.get("CONSENT_WRITES", "30000"))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
