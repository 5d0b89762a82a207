"""What the service needs of the outside world: a store, a clock, ids and signers.

`storage/` has three stores that behave alike (PostgreSQL, SQLite, memory); one suite of tests runs over all of them.
Readers and writers are different types, so that a decision can never write.
"""

from collections.abc import Callable
from datetime import datetime

from consent_service.ports.catalog import ApiKey, Catalog, CatalogSnapshot, StoredPolicy
from consent_service.ports.changes import (
    Change,
    ChangeWriter,
    Committed,
    Erasure,
    Foreseen,
    Idempotency,
    LogEntry,
    Purge,
    Purged,
    Reply,
    SharedText,
    Subject,
)
from consent_service.ports.counts import CountGroup, CountQuery, ReportCounts
from consent_service.ports.evidence import EvidenceLog, LoggedEvent, StoredCheckpoint
from consent_service.ports.outbox import Backlog, DeadLetter, Outbox
from consent_service.ports.store import Queue, Queues, Store, WriteQueue
from consent_service.ports.visitors import BulkEvent, BulkVisitor, Holding, Holdings, VisitorReader

__all__ = [
    "ApiKey",
    "Backlog",
    "BulkEvent",
    "BulkVisitor",
    "Catalog",
    "CatalogSnapshot",
    "Change",
    "ChangeWriter",
    "Clock",
    "Committed",
    "CountGroup",
    "CountQuery",
    "DeadLetter",
    "Erasure",
    "EvidenceLog",
    "Foreseen",
    "Holding",
    "Holdings",
    "Idempotency",
    "LogEntry",
    "LoggedEvent",
    "NewId",
    "Outbox",
    "Purge",
    "Purged",
    "Queue",
    "Queues",
    "Reply",
    "ReportCounts",
    "SharedText",
    "Store",
    "StoredCheckpoint",
    "StoredPolicy",
    "Subject",
    "VisitorReader",
    "WriteQueue",
]

Clock = Callable[[], datetime]
NewId = Callable[[], str]
