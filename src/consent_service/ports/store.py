"""A whole store: all that the other modules of this package describe, opened and closed together."""

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from consent_service.measures import Histogram
from consent_service.ports.catalog import Catalog
from consent_service.ports.changes import ChangeWriter
from consent_service.ports.counts import ReportCounts
from consent_service.ports.evidence import EvidenceLog
from consent_service.ports.outbox import Outbox
from consent_service.ports.visitors import Holdings, VisitorReader


class Queue(Protocol):
    """Work that waits for its turn and is done many at once, as it shows to those who watch the service."""

    batch_sizes: Histogram
    batch_seconds: Histogram

    @property
    def waiting(self) -> int:
        """Give what has no answer yet."""


class WriteQueue(Queue, Protocol):
    """The changes, and what they came to."""

    outcomes: Counter[str]


@dataclass(frozen=True, slots=True)
class Queues:
    """What waits in a store."""

    reads: Queue
    writes: WriteQueue


class Store(Protocol):
    """A whole store, open from `start` to `stop`."""

    @property
    def visitors(self) -> VisitorReader:
        """Reads visitors."""

    @property
    def writer(self) -> ChangeWriter:
        """Writes changes."""

    @property
    def catalog(self) -> Catalog:
        """Holds policies and keys."""

    @property
    def log(self) -> EvidenceLog:
        """Reads the evidence log."""

    @property
    def counts(self) -> ReportCounts:
        """Sums the reports' counters."""

    @property
    def queues(self) -> Queues:
        """Show what waits."""

    @property
    def outbox(self) -> Outbox:
        """Holds what webhook endpoints have not yet been told."""

    @property
    def holdings(self) -> Holdings:
        """Goes through what is held about visitors."""

    async def start(self) -> None:
        """Open; raises StoreUnavailable where that cannot be."""

    async def stop(self) -> None:
        """Finish what is under way and close."""

    async def ping(self) -> None:
        """Ask for a sign of life; raises StoreUnavailable."""
