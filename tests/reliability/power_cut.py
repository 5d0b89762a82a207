"""A disk that loses its power: SQLite writes through it, and what it had not synced may be gone afterwards.

The store's statements, pragmas included, are recorded as its own connection ran them and run again on a SQLite (the
one that apsw brings) whose files pass through `Disk`. A cut may come before any write and any sync. What was synced stays; what was not is lost
whole, or sector by sector at random, as a drive with a volatile cache may do. (That a new file's name is in its
directory is taken for granted: SQLite syncs the directory itself.)
"""

import asyncio
import itertools
import random
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy, rmtree
from typing import Any

import apsw
from sqlalchemy import event

from consent_service.service.identity import Identity
from consent_service.storage.batch_state import Secrets
from consent_service.storage.evidence_log import read_head
from consent_service.storage.keyring import Keyring
from consent_service.storage.migrate import upgrade
from consent_service.storage.sqlite import SqliteStore, open_engine
from consent_service.storage.verification import verify_log
from tests.storage.changes import answering, submit_all, visitor
from tests.support.builders import SITE

SECTOR = 512
_VFS = "power-cut"
_BATCHES, _BATCH = 110, 4

Keep = Callable[[], bool]
"""Decides whether one sector that was written and not synced is found again after the cut."""
Write = tuple[int, bytes]


def lose_all() -> bool:
    """Keep nothing that was not synced."""
    return False


def lose_at_random(seed: int) -> Keep:
    """Keep about half of the sectors that were not synced."""
    drawn = random.Random(seed)  # noqa: S311 - a repeatable choice, not a secret
    return lambda: drawn.random() < 0.5


@dataclass
class _File:
    """One file: what the platter surely has, and what was written since the last sync; a truncation has no bytes."""

    synced: bytearray = field(default_factory=bytearray)
    written: list[Write] = field(default_factory=list)

    def after_cut(self, keep: Keep) -> bytes:
        """Give what is found after a cut."""
        found = bytearray(self.synced)
        for offset, data in self.written:
            for start, sector in _sectors(offset, data):
                if keep():
                    _put(found, start, sector)
        return bytes(found)

    def sync(self) -> None:
        """Put everything on the platter."""
        for offset, data in self.written:
            _put(self.synced, offset, data)
        self.written.clear()


def _sectors(offset: int, data: bytes) -> Iterable[Write]:
    edges = [offset, *range((offset // SECTOR + 1) * SECTOR, offset + len(data), SECTOR), offset + len(data)]
    return [(a, data[a - offset : b - offset]) for a, b in itertools.pairwise(edges)]


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if not data:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """Passes everything on to real files and keeps account of what was synced."""

    def __init__(self, before_step: Callable[["Disk"], None]) -> None:
        """Call `before_step` before every write, truncation and sync."""
        self.files: dict[str, _File] = {}
        self.acknowledged = 0
        self.steps = 0
        self._before_step = before_step
        super().__init__(_VFS, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        """Open a file."""
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        known = self.files.setdefault(path, _File(bytearray(Path(path).read_bytes() if Path(path).exists() else b"")))
        return _OpenFile(self, known, name, flags)

    def step(self) -> None:
        """Count one step; the power may fail before it."""
        self._before_step(self)
        self.steps += 1

    def write_after_cut(self, directory: Path, keep: Keep) -> Path:
        """Write what is found after a cut into a directory; gives the database's path."""
        directory.mkdir()
        for path, known in self.files.items():
            (directory / Path(path).name).write_bytes(known.after_cut(keep))
        return directory / "consent.db"


class _OpenFile(apsw.VFSFile):
    """An open file on the disk."""

    def __init__(self, disk: Disk, known: _File, name: Any, flags: list[int]) -> None:
        self._disk = disk
        self._known = known
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        """Write, not yet for good."""
        self._disk.step()
        self._known.written.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        """Shorten, not yet for good."""
        self._disk.step()
        self._known.written.append((newsize, b""))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        """Make what was written durable; the real files are not, since nobody cuts their power."""
        self._disk.step()
        self._known.sync()


@dataclass(frozen=True)
class Recording:
    """What the store did, and the empty database it began with."""

    statements: list[str]
    empty: Path
    keys: Path


async def record(directory: Path) -> Recording:
    """Let the real store write, and note every statement of its writer connection."""
    path, empty, keys = directory / "consent.db", directory / "empty.db", directory / "keys"
    await asyncio.to_thread(upgrade, f"sqlite:///{path}")
    copy(path, empty)
    statements: list[str] = []

    def note(statement: str) -> None:
        # Python reports a statement once more for each trigger that it fires; no statement of ours follows itself.
        if not statements or statements[-1] != statement:
            statements.append(statement)

    store = SqliteStore(path, Secrets(Identity(Keyring(keys).mac).pseudonym, lambda: b"s" * 32))

    @event.listens_for(store._write_engine, "connect", insert=True)
    def _listen(connection: sqlite3.Connection, _record: object) -> None:
        connection.set_trace_callback(note)

    await store.start()
    for number in range(_BATCHES):
        await submit_all(store, [answering(visitor(number * _BATCH + n)) for n in range(_BATCH)])
    await store.stop()
    return Recording(statements, empty, keys)


def replay(recording: Recording, directory: Path, before_step: Callable[[Disk], None]) -> int:
    """Run the recorded statements on the disk; gives the number of steps at which its power may fail."""
    directory.mkdir()
    path = directory / "consent.db"
    copy(recording.empty, path)
    disk = Disk(before_step)
    connection = apsw.Connection(str(path), vfs=_VFS)
    for statement in recording.statements:
        connection.execute(statement).fetchall()
        if statement == "COMMIT":
            # Here the store answers its callers.
            disk.acknowledged = connection.execute("SELECT max(size) FROM log_heads").get
    connection.close()
    disk.unregister()
    return disk.steps


def fault_after_cut(disk: Disk, recording: Recording, directory: Path, keep: Keep) -> str | None:
    """Cut the power, open what is found, and say what is wrong with it."""
    engine = open_engine(disk.write_after_cut(directory, keep))
    pseudonym = Identity(Keyring(recording.keys).mac).pseudonym
    try:
        with engine.begin() as connection:
            size = read_head(connection, SITE).size
            _, finding = verify_log(connection, SITE, [], pseudonym, lambda _: None)
    except Exception as error:  # noqa: BLE001 - a file that cannot be read is what we look for
        return f"unreadable: {error}"
    finally:
        engine.dispose()
        rmtree(directory)
    if size < disk.acknowledged:
        return f"{disk.acknowledged - size} acknowledged changes lost"
    return None if finding is None else f"the log does not verify: {finding}"


def cut_again_and_again(recording: Recording, directory: Path, cuts: int, keep: Keep) -> list[str]:
    """Cut the power at so many moments spread over the whole recording; gives the faults found."""
    steps = replay(recording, directory / "counting", lambda _: None)
    moments = set(random.Random(cuts).sample(range(steps), cuts))  # noqa: S311 - a repeatable choice
    faults: list[str | None] = []

    def before_step(disk: Disk) -> None:
        if disk.steps in moments:
            faults.append(fault_after_cut(disk, recording, directory / f"cut{disk.steps}", keep))

    replay(recording, directory / "cutting", before_step)
    if len(faults) != len(moments):
        raise RuntimeError("the second run took another way than the first")
    return [fault for fault in faults if fault is not None]
