"""What a batch starts from and what it must write, in the stores' common terms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from consent_service.domain.counts import Tally
from consent_service.domain.errors import ConsentError
from consent_service.domain.evidence.tree import Frontier, Node
from consent_service.domain.record import AccountState
from consent_service.domain.record_text import StoredVisitor
from consent_service.domain.retention import Entry
from consent_service.ports import Committed, Foreseen, LogEntry, Purged, Reply

VisitorKey = tuple[str, str]
AccountKey = tuple[str, str]
IdempotencyKey = tuple[str, str, str]
NOBODY = ""
"""Stands for the visitor in the payload row of an erasure, which must not name the one it erased."""

Outcome = Committed | LogEntry | Purged | ConsentError | None


@dataclass(frozen=True, slots=True)
class Secrets:
    """What leaves are made with: the pseudonym of a visitor (keyed, 32 bytes) and fresh random salts."""

    pseudonym: Callable[[str, str], bytes]
    salt: Callable[[], bytes]


class Remembered(NamedTuple):
    """What an idempotency key stands for."""

    fingerprint: bytes
    reply: Reply
    expires_at: datetime
    visitor_id: str
    """Whom the answer speaks of, so that an erasure finds it whoever sent the key."""


@dataclass(slots=True)
class Loaded:
    """The locked state that a batch starts from."""

    heads: dict[str, Frontier] = field(default_factory=dict)
    visitors: dict[VisitorKey, StoredVisitor] = field(default_factory=dict)
    """Their rows; an account is only named there."""
    accounts: dict[AccountKey, AccountState] = field(default_factory=dict)
    remembered: dict[IdempotencyKey, Remembered] = field(default_factory=dict)
    payload_seqs: dict[VisitorKey, list[int]] = field(default_factory=dict)
    """For visitors to be erased: the entries that still have a payload."""
    endpoints: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The ids of each site's webhook endpoints; most sites have none."""
    entries: dict[VisitorKey, list[Entry]] = field(default_factory=dict)
    """For visitors of a purge: the same with what they say."""


@dataclass(slots=True)
class LeafRow:
    """One new entry of a log with its payload; an erasure's own entry belongs to nobody."""

    site: str
    seq: int
    time: datetime
    pseudonym: bytes
    commitment: bytes
    visitor_id: str
    salt: bytes
    payload: bytes
    kind: Foreseen | None = None
    """What the payload was filled into, where that is known."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One event that one webhook endpoint is to be told; due at once."""

    site: str
    visitor_id: str
    seq: int
    endpoint: str
    revision: int
    created_at: datetime


@dataclass(slots=True)
class Writes:
    """What the transaction must write, each thing once and as it is at the end of the batch."""

    leaves: list[LeafRow] = field(default_factory=list)
    nodes: list[tuple[str, Node]] = field(default_factory=list)
    heads: dict[str, Frontier] = field(default_factory=dict)
    visitors: dict[VisitorKey, StoredVisitor] = field(default_factory=dict)
    accounts: dict[AccountKey, AccountState] = field(default_factory=dict)
    remembered: dict[IdempotencyKey, Remembered] = field(default_factory=dict)
    erased: dict[VisitorKey, tuple[str, datetime]] = field(default_factory=dict)
    """Visitor to stub and moment."""
    counts: Tally = field(default_factory=dict)
    """What the batch adds to the counters that reports are made of."""
    outbox: list[OutboxRow] = field(default_factory=list)
    purged: list[tuple[str, int]] = field(default_factory=list)
    """Entries, by site and seq, whose payload goes."""
    forgotten: list[VisitorKey] = field(default_factory=list)
    """Visitors whose record goes because nothing speaks for it any more."""
