"""A store that can be switched off: a real one behind it, unreachable while a test says so."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record_text import StoredVisitor
from consent_service.ports import (
    Catalog,
    Change,
    ChangeWriter,
    Committed,
    Erasure,
    EvidenceLog,
    Holdings,
    LogEntry,
    Outbox,
    Purge,
    Purged,
    Queues,
    ReportCounts,
    Store,
    VisitorReader,
)


@dataclass
class Switch:
    """Which half of the store answers."""

    reads: bool = True
    writes: bool = True

    def all_off(self) -> None:
        """Cut the line."""
        self.reads = self.writes = False


@dataclass
class SwitchedReader:
    """Reads while the switch is on."""

    reader: VisitorReader
    switch: Switch

    async def get(self, site: str, visitor_id: str) -> StoredVisitor | None:
        """Read one visitor."""
        if not self.switch.reads:
            raise StoreUnavailable
        return await self.reader.get(site, visitor_id)

    async def get_many(self, site: str, visitor_ids: Sequence[str]) -> dict[str, StoredVisitor]:
        """Read several visitors."""
        if not self.switch.reads:
            raise StoreUnavailable
        return await self.reader.get_many(site, visitor_ids)


@dataclass
class SwitchedWriter:
    """Writes while the switch is on."""

    writer: ChangeWriter
    switch: Switch

    async def submit(self, change: Change) -> Committed:
        """Carry out a change."""
        if not self.switch.writes:
            raise StoreUnavailable
        return await self.writer.submit(change)

    async def erase(self, erasure: Erasure) -> LogEntry | None:
        """Erase a visitor."""
        if not self.switch.writes:
            raise StoreUnavailable
        return await self.writer.erase(erasure)

    async def purge(self, purge: Purge) -> Purged:
        """Remove what has been kept long enough."""
        if not self.switch.writes:
            raise StoreUnavailable
        return await self.writer.purge(purge)


@dataclass
class SwitchedStore:
    """A whole store behind a switch; policies and keys are read at the start and stay known."""

    store: Store
    switch: Switch = field(default_factory=Switch)

    @property
    def visitors(self) -> VisitorReader:
        """Reads visitors."""
        return SwitchedReader(self.store.visitors, self.switch)

    @property
    def writer(self) -> ChangeWriter:
        """Writes changes."""
        return SwitchedWriter(self.store.writer, self.switch)

    @property
    def catalog(self) -> Catalog:
        """Holds policies and keys."""
        return self.store.catalog

    @property
    def log(self) -> EvidenceLog:
        """Reads the evidence log."""
        return self.store.log

    @property
    def holdings(self) -> Holdings:
        """Goes through what is held."""
        return self.store.holdings

    @property
    def counts(self) -> ReportCounts:
        """Sums the reports' counters."""
        return self.store.counts

    @property
    def outbox(self) -> Outbox:
        """Holds what endpoints have not yet been told."""
        return self.store.outbox

    @property
    def queues(self) -> Queues:
        """Show what waits."""
        return self.store.queues

    async def start(self) -> None:
        """Open."""
        await self.store.start()

    async def stop(self) -> None:
        """Close."""
        await self.store.stop()

    async def ping(self) -> None:
        """Ask for a sign of life."""
        if not self.switch.reads:
            raise StoreUnavailable
        await self.store.ping()
