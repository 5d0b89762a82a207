"""The embedded store: one SQLite file, one process, one connection that writes.

Writes and checkpoints of the write-ahead log all go through one connection, with `BEGIN IMMEDIATE` and
`synchronous=FULL`: a commit that was acknowledged survives a power cut (with NORMAL it does not). Readers are
read-only connections in threads of their own. A lock file keeps a second serving process away.
"""

import asyncio
import contextlib
import fcntl
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import SingletonThreadPool

from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record_text import StoredVisitor
from consent_service.ports import Change, Queues
from consent_service.storage.batch_state import Outcome, Secrets
from consent_service.storage.catalog import SqlCatalog
from consent_service.storage.evidence_log import SqlEvidenceLog
from consent_service.storage.holdings import SqlHoldings
from consent_service.storage.outbox import SqlOutbox
from consent_service.storage.reader import CoalescingReader, VisitorKey
from consent_service.storage.report_counts import SqlReportCounts
from consent_service.storage.sql_batch import run_batch
from consent_service.storage.sqlite_lookup import look_up
from consent_service.storage.sqlite_residue import sweep
from consent_service.storage.writer import GroupCommitWriter, Request

Result = TypeVar("Result")

DURABILITY = "FULL"
"""SQLite's `synchronous`; the power-cut test goes red with NORMAL."""
_BUSY_MILLISECONDS = 5_000
_CHECKPOINT_PAGES = 1_000
"""Pages in the write-ahead log from which on they are moved into the file; SQLite's own default."""
_BULK_CHECKPOINT_PAGES = 262_144
"""The same while many rows are loaded: a gigabyte, moved in the order of the file instead of page by page at random."""


class SqliteStore:
    """A store in one file."""

    def __init__(self, path: Path, secrets: Secrets, *, exclusive: bool = True, bulk: bool = False) -> None:
        """Use the file at `path`, which migrations have made; `exclusive` refuses a second serving process.

        With `bulk` the write-ahead log may grow to a gigabyte, so that many new rows at random places are quick.
        """
        self._path = path
        self._secrets = secrets
        self._exclusive = exclusive
        self._lock: IO[bytes] | None = None
        self._sweeps = exclusive
        # One thread for each connection: SQLite's own work releases the interpreter lock.
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._lookup_thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-lookup")
        self._read_threads = ThreadPoolExecutor(2, thread_name_prefix="sqlite-reader")
        # Beside a serving process that one moves the log's pages.
        pages = (_BULK_CHECKPOINT_PAGES if bulk else _CHECKPOINT_PAGES) if exclusive else 0
        self._write_engine = open_engine(path, checkpoint_pages=pages)
        self._read_engine = open_engine(path, read_only=True)
        self._lookup: sqlite3.Connection | None = None
        self.catalog = SqlCatalog(self)
        self.log = SqlEvidenceLog(self)
        self.counts = SqlReportCounts(self)
        self.outbox = SqlOutbox(self)
        self.holdings = SqlHoldings(self)
        self.writer = GroupCommitWriter(self._run_batch)
        self.visitors = CoalescingReader(self._fetch)

    @property
    def queues(self) -> Queues:
        """Show what waits."""
        return Queues(self.visitors, self.writer)

    async def start(self) -> None:
        """Open the file; raises StoreUnavailable where another process serves it."""
        if self._exclusive:
            self._lock = lock_file(self._path)
        await self._in(self._write_thread, lambda: self._write_engine.connect().close())
        self._lookup = await self._in(self._lookup_thread, lambda: _open_lookup(self._path))
        self.writer.start()

    async def stop(self) -> None:
        """Finish what is waiting, empty the write-ahead log into the file and close."""
        await self.writer.stop()
        await self.visitors.stop()
        if self._lookup is not None:
            await self._in(self._lookup_thread, self._lookup.close)
        for thread, engine in ((self._read_threads, self._read_engine), (self._write_thread, self._write_engine)):
            # A command beside a serving process leaves the log to that one: a single connection may reset it.
            if engine is self._write_engine and self._exclusive:
                with contextlib.suppress(StoreUnavailable):
                    await self._in(thread, self._checkpoint)
            await self._in(thread, engine.dispose)
            thread.shutdown()
        self._lookup_thread.shutdown()
        if self._sweeps:
            await asyncio.to_thread(self._sweep)
        if self._lock is not None:
            self._lock.close()

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self.read(lambda connection: connection.execute(text("SELECT 1")))

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run a function that only reads."""
        return await self._in(self._read_threads, lambda: _within(self._read_engine, work))

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run a function in one transaction on the writer connection."""
        return await self._in(self._write_thread, lambda: _within(self._write_engine, work))

    async def _run_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        self._sweeps = self._sweeps or any(not isinstance(request, Change) for request in requests)
        return await self.write(lambda connection: run_batch(connection, requests, self._secrets))

    async def _fetch(self, keys: Sequence[VisitorKey]) -> dict[VisitorKey, StoredVisitor]:
        return await self._in(self._lookup_thread, lambda: self._look_up(keys))

    def _look_up(self, keys: Sequence[VisitorKey]) -> dict[VisitorKey, StoredVisitor]:
        if self._lookup is None:
            raise StoreUnavailable
        return look_up(self._lookup, keys)

    def _checkpoint(self) -> None:
        with self._write_engine.connect() as connection:
            raw = connection.connection.driver_connection
            if isinstance(raw, sqlite3.Connection):
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _sweep(self) -> None:
        # A command beside a serving process leaves it to that one; else the erased would stay until the next stop.
        with contextlib.suppress(StoreUnavailable, OSError):
            lock = self._lock or lock_file(self._path)
            try:
                sweep(self._path)
            finally:
                lock.close()

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, work)
        except (IntegrityError, sqlite3.IntegrityError):
            raise
        except (DBAPIError, sqlite3.Error) as error:
            if _is_damaged(error):
                raise StoreUnavailable("The database file is damaged; restore a backup.") from error
            raise StoreUnavailable from error


def open_engine(path: Path, *, read_only: bool = False, checkpoint_pages: int = _CHECKPOINT_PAGES) -> Engine:
    """Make an engine whose connections carry the settings that durability and erasure need."""
    url = f"sqlite:///file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rwc'}&uri=true"
    engine = create_engine(
        # Errors go to the log, and a statement's values would take visitors' ids along.
        url,
        poolclass=SingletonThreadPool,
        connect_args={"isolation_level": None},
        hide_parameters=True,
    )
    pragmas = ["PRAGMA query_only=ON"] if read_only else _WRITER_PRAGMAS

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        for pragma in pragmas:
            connection.execute(pragma)
        if not read_only:
            connection.execute(f"PRAGMA synchronous={DURABILITY}")
            connection.execute(f"PRAGMA wal_autocheckpoint={checkpoint_pages}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # The driver would begin at the first write only, and two readers that turn writers then lock each other out.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


_WRITER_PRAGMAS = ["PRAGMA journal_mode=WAL", "PRAGMA secure_delete=ON", "PRAGMA cache_size=-65536"]


def is_served(path: Path) -> bool:
    """Tell whether a process serves this file now."""
    try:
        lock_file(path).close()
    except StoreUnavailable:
        return True
    return False


def lock_file(path: Path) -> IO[bytes]:
    """Take the lock of the serving process; raises StoreUnavailable where another one holds it."""
    lock = path.with_name(path.name + ".lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreUnavailable(
            "Another process already serves this SQLite file. SQLite has one writer: use PostgreSQL for several."
        ) from error
    return lock


def _is_damaged(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorname", "") in {"SQLITE_CORRUPT", "SQLITE_NOTADB"}


def _within(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    with engine.begin() as connection:
        return work(connection)


def _open_lookup(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout={int(_BUSY_MILLISECONDS / 25)}")
    connection.execute("PRAGMA query_only=ON")
    return connection
