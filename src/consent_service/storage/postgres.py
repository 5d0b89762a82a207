"""The store for production: PostgreSQL, shared by any number of service processes.

Lookups go over connections of their own with one prepared statement each, always to the primary: never decide from
a replica. Everything else goes through SQLAlchemy's pool.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record_text import StoredVisitor, join_account
from consent_service.ports import Change, Queues
from consent_service.storage.batch_state import Outcome, Secrets
from consent_service.storage.catalog import SqlCatalog
from consent_service.storage.evidence_log import SqlEvidenceLog
from consent_service.storage.holdings import SqlHoldings
from consent_service.storage.outbox import SqlOutbox
from consent_service.storage.primary import Connection as DriverConnection
from consent_service.storage.primary import connect_to_primary
from consent_service.storage.reader import CoalescingReader, VisitorKey
from consent_service.storage.report_counts import SqlReportCounts
from consent_service.storage.sql_batch import run_batch
from consent_service.storage.write_lane import WriteLane
from consent_service.storage.writer import Carry, GroupCommitWriter, Request

Result = TypeVar("Result")

_COLUMNS = (
    "v.visitor_id, v.revision, v.facts, v.times, v.account, CASE WHEN v.account IS NOT NULL "
    "THEN (SELECT a.state FROM accounts a WHERE a.site = v.site AND a.account = v.account) END"
)
# One index scan for all visitors costs a sixth less than a join, which starts a scan for each.
_OF_ONE_SITE = f"SELECT {_COLUMNS} FROM visitors v WHERE v.site = $1 AND v.visitor_id = ANY($2::text[])"  # noqa: S608  # nosec B608 - our own words
_OF_SEVERAL_SITES = (
    f"SELECT {_COLUMNS}, v.site FROM unnest($1::text[], $2::text[]) AS k(site, visitor_id) "  # noqa: S608  # nosec B608 - our own words
    "JOIN visitors v ON v.site = k.site AND v.visitor_id = k.visitor_id"
)
_BY_INDEX = "; ".join(
    f"SET enable_{way} = off" for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "material")
)
"""For connections that keep their statements, each of which looks rows up by their keys. A plan made while a table was
small would go on reading all of it as it grows, until PostgreSQL has analyzed the table and plans anew."""
_LANES = 2
"""Lookups under way at once: while one is on its way the next gathers."""
_CONNECT_SECONDS = 2.0
_STATEMENT_SECONDS = 7.0
"""A little under the writer's own limit, so that the server gives up first."""
_UNREACHABLE = (
    DBAPIError,
    PoolTimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver says of a connection that was lost while it prepared a statement
    OSError,
    TimeoutError,
)


_Statement: TypeAlias = "asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]"


class PostgresStore:
    """A store on a PostgreSQL primary."""

    def __init__(self, url: str, secrets: Secrets) -> None:
        """Use the database at `url` (`postgresql://…`), which migrations have brought up to date."""
        self._secrets = secrets
        self._engine = open_engine(url)
        self._write_lane = WriteLane(connector(url, by_index=True), secrets)
        self._lanes = [_LookupLane(url) for _ in range(_LANES)]
        self.catalog = SqlCatalog(self)
        self.log = SqlEvidenceLog(self)
        self.counts = SqlReportCounts(self)
        self.outbox = SqlOutbox(self)
        self.holdings = SqlHoldings(self)
        self.writer = GroupCommitWriter(self._run_batch, self._prepare)
        self.visitors = CoalescingReader(self._fetch, lanes=_LANES)

    @property
    def queues(self) -> Queues:
        """Show what waits."""
        return Queues(self.visitors, self.writer)

    async def start(self) -> None:
        """Begin; connections are made when they are first needed."""
        self.writer.start()

    async def stop(self) -> None:
        """Finish what is waiting and close all connections."""
        await self.writer.stop()
        await self.visitors.stop()
        for lane in self._lanes:
            await lane.close()
        self._write_lane.close()
        await self._engine.dispose()

    async def ping(self) -> None:
        """Ask for a sign of life."""
        await self.read(lambda connection: connection.execute(text("SELECT 1")))

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run a function that only reads, in one snapshot."""
        return await self._transact(work, isolation="REPEATABLE READ")

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run a function in one transaction."""
        return await self._transact(work)

    async def _transact(self, work: Callable[[Connection], Result], isolation: IsolationLevel | None = None) -> Result:
        with _unavailable():
            async with self._engine.connect() as connection:
                if isolation is not None:
                    await connection.execution_options(isolation_level=isolation)
                async with connection.begin():
                    return await connection.run_sync(work)

    async def _prepare(self, requests: Sequence[Request]) -> Carry | None:
        changes = _changes(requests)
        with _unavailable():
            write = await self._write_lane.prepare(changes) if changes else None
        return None if write is None else partial(self._carry, write, requests)

    async def _run_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        changes = _changes(requests)
        return await self._carry(partial(self._write_lane.run, changes) if changes else None, requests)

    async def _carry(
        self, write: Callable[[], Awaitable[list[Outcome] | None]] | None, requests: Sequence[Request]
    ) -> list[Outcome]:
        """Write by the lane; what it cannot do goes through the pool."""
        with _unavailable():
            outcomes = None if write is None else await write()
        if outcomes is not None:
            return outcomes
        return await self.write(lambda connection: run_batch(connection, requests, self._secrets))

    async def _fetch(self, keys: Sequence[VisitorKey]) -> dict[VisitorKey, StoredVisitor]:
        # The reader never has more statements under way than there are lanes.
        lane = self._lanes.pop()
        try:
            return await lane.fetch(keys)
        except _UNREACHABLE as error:
            await lane.close()
            raise StoreUnavailable from error
        except asyncio.CancelledError:
            await lane.close()
            raise
        finally:
            self._lanes.append(lane)


def _changes(requests: Sequence[Request]) -> list[Change] | None:
    """Give requests that are changes, all of them; None where others are among them."""
    changes = [request for request in requests if isinstance(request, Change)]
    return changes if len(changes) == len(requests) else None


class _LookupLane:
    """One connection that only looks visitors up."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: DriverConnection | None = None
        self._of_one_site: _Statement | None = None
        self._of_several_sites: _Statement | None = None

    async def fetch(self, keys: Sequence[VisitorKey]) -> dict[VisitorKey, StoredVisitor]:
        async with asyncio.timeout(_CONNECT_SECONDS):
            if self._of_one_site is None or self._of_several_sites is None:
                self._connection = await _by_index(connect_to_primary(self._url, seconds=_CONNECT_SECONDS))
                self._of_one_site = await self._connection.prepare(_OF_ONE_SITE)
                self._of_several_sites = await self._connection.prepare(_OF_SEVERAL_SITES)
            sites, visitor_ids = [site for site, _ in keys], [visitor_id for _, visitor_id in keys]
            site = sites[0]
            if sites.count(site) == len(sites):
                rows = await self._of_one_site.fetch(site, visitor_ids)
                return {(site, row[0]): _visitor(row) for row in rows}
            rows = await self._of_several_sites.fetch(sites, visitor_ids)
        return {(row[6], row[0]): _visitor(row) for row in rows}

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        self._of_one_site = self._of_several_sites = None
        if connection is not None:
            # A polite goodbye could wait for a server that no longer answers.
            with contextlib.suppress(*_UNREACHABLE):
                connection.terminate()


def _visitor(row: asyncpg.Record) -> StoredVisitor:
    return StoredVisitor(row[1], row[2], row[3], join_account(row[4], row[5]))


@contextlib.contextmanager
def _unavailable() -> Iterator[None]:
    """Call the store unavailable where the database cannot be reached or does not do its part."""
    try:
        yield
    except _UNREACHABLE as error:
        if _refuses_a_value(error):
            raise
        raise StoreUnavailable from error


def _refuses_a_value(error: BaseException) -> bool:
    """Tell whether the database is well and refuses what one change brings (SQLSTATE classes 22 and 23)."""
    found = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(found, asyncpg.DataError) or str(getattr(found, "sqlstate", ""))[:2] in {"22", "23"}


def connector(url: str, *, by_index: bool = False) -> Callable[[], Awaitable[DriverConnection]]:
    """Give a way to the primary with the time limits that keep a stalled server from stalling the service."""

    def connect() -> Awaitable[DriverConnection]:
        connecting = connect_to_primary(
            url,
            seconds=_CONNECT_SECONDS,
            command_timeout=_STATEMENT_SECONDS,
            server_settings={"application_name": "consent-service", "synchronous_commit": "on"},
        )
        return _by_index(connecting) if by_index else connecting

    return connect


async def _by_index(connecting: Awaitable[DriverConnection]) -> DriverConnection:
    """Have a new connection find rows by index alone."""
    connection = await connecting
    try:
        await connection.execute(_BY_INDEX)
    except BaseException:
        connection.terminate()
        raise
    return connection


def open_engine(url: str) -> AsyncEngine:
    """Make an engine whose connections are made in that way."""
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connector(url),
        pool_size=8,
        max_overflow=4,
        pool_timeout=_CONNECT_SECONDS,
        pool_pre_ping=False,
        # Errors go to the log, and a statement's values would take visitors' ids along.
        hide_parameters=True,
    )
