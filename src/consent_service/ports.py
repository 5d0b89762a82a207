"""What the service needs of the outside world: a store, a clock, ids and signers.

`storage/` has three stores that behave alike (PostgreSQL, SQLite, memory); one suite of tests runs over all of them.
Readers and writers are different types, so that a decision can never write.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from consent_service.domain.counts import CountKey, Counts
from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.evidence.tree import Frontier, NodeId
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.record_text import StoredVisitor
from consent_service.domain.retention import Entry, Verdict
from consent_service.domain.transitions.context import Transition
from consent_service.domain.vocabulary import EventType, Scope
from consent_service.domain.webhooks import Delivery, Endpoint, Failure
from consent_service.measures import Histogram

Clock = Callable[[], datetime]
NewId = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a change finds: the visitor's record (None if there is none) and the account that the change named."""

    record: ConsentRecord | None
    account: AccountState | None = None


class LogEntry(NamedTuple):
    """An event's place in the log."""

    seq: int
    leaf_hash: bytes
    event_id: str
    receipt_id: str


@dataclass(slots=True, eq=False)
class SharedText:
    """What many answers have in common."""

    text: bytes
    packed: bytes | None = None
    """As a store keeps it, once one has packed it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as an idempotency key remembers it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    frame: SharedText | None = field(default=None, compare=False)
    """Where many answers share most of their text: that text, so that `body` is `frame.text % values`."""
    values: Mapping[bytes, bytes] = field(default_factory=dict, compare=False)


class Idempotency(NamedTuple):
    """A client's key for one write, the request it stood for, and how long that is remembered."""

    owner: str
    """Whose key it is: a visitor, or nobody yet where the write makes the visitor."""
    key: str
    fingerprint: bytes
    """SHA-256 of the request; another request under the same key is refused."""
    expires_at: datetime


class Foreseen(NamedTuple):
    """What a change makes of a visitor's row, known from an equal row: the new row, its one event, and the answer."""

    stored: StoredVisitor
    event_type: EventType
    event_id: str
    receipt_id: str
    text: tuple[str, ...]
    """The event's canonical JSON, around its id, moment, receipt and visitor."""
    counted: CountKey
    places: tuple[int, ...]
    """The figures of that row of counters which rise by one."""
    render: Callable[[LogEntry], Reply]


class Change(NamedTuple):
    """One write that the store carries out in its next transaction.

    `apply` runs inside that transaction on the locked state and may raise a ConsentError: then this change alone has
    no effect. `render` makes the answer once the events' places in the log are known, so that an idempotency key can
    remember it in the same transaction.
    """

    site: str
    visitor_id: str
    now: datetime
    apply: Callable[[Subject], Transition]
    render: Callable[[Transition, Sequence[LogEntry]], Reply]
    account: str | None = None
    idempotency: Idempotency | None = None
    foresee: Callable[[StoredVisitor], Foreseen | None] | None = None
    """A short way to the same, looked for in the visitor's row; None where only `apply` can tell."""
    refuses: bool = False
    """Whether it grants nothing: of changes that share a transaction those come last, so a withdrawal wins a tie."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The removal of everything that is held about a visitor; `describe` writes the event once its seqs are known."""

    site: str
    visitor_id: str
    now: datetime
    stub: str
    """Keyed hash of the visitor id, kept so that no import brings the visitor back."""
    describe: Callable[[Sequence[int]], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Purge:
    """The removal of what has been kept long enough of some visitors; their state is judged inside the transaction."""

    site: str
    visitor_ids: Sequence[str]
    now: datetime
    judge: Callable[[ConsentRecord, Sequence[Entry]], Verdict]
    describe: Callable[[Sequence[int], datetime], dict[str, object]]
    """Writes the event of this moment that names the entries whose payload was removed."""


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge came to: entries whose payload went, records that went, and opt-outs that had to stay."""

    entries: int = 0
    records: int = 0
    held: int = 0

    def __add__(self, other: "Purged") -> "Purged":
        """Add up two parts of one purge."""
        return Purged(self.entries + other.entries, self.records + other.records, self.held + other.held)


class Committed(NamedTuple):
    """What a change came to, told only after the transaction was durable."""

    reply: Reply
    transition: Transition | None
    """None where the answer was remembered, and where the change was foreseen."""
    entries: tuple[LogEntry, ...] = ()
    event_types: tuple[EventType, ...] = ()
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One entry of the evidence log; salt and payload are None once erased."""

    site: str
    seq: int
    time: datetime
    pseudonym: bytes
    commitment: bytes
    salt: bytes | None
    payload: bytes | None
    visitor_id: str | None


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed checkpoint as it was issued."""

    site: str
    size: int
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A published policy document, as canonical JSON."""

    site: str
    version: str
    sha256: str
    published_at: datetime
    effective_from: datetime
    document: bytes


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key's entry: everything but the key, of which only the hash is known."""

    id: str
    site: str
    scopes: frozenset[Scope]
    name: str
    sha256: bytes
    created_at: datetime
    revoked_at: datetime | None = None
    every_site: bool = False
    """True for the bootstrap key and the command line, which may make keys and policies of any site."""


@dataclass(frozen=True, slots=True)
class CatalogSnapshot:
    """All published policies, living keys and webhook endpoints, and the number of the change that made them so."""

    epoch: int
    policies: tuple[StoredPolicy, ...] = ()
    keys: tuple[ApiKey, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that an endpoint was never told, and why."""

    endpoint: str
    visitor_id: str
    seq: int
    created_at: datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What an endpoint has not yet been told: how many events wait, since when, and how many were given up."""

    waiting: int = 0
    oldest: datetime | None = None
    dead: int = 0


@dataclass(frozen=True, slots=True)
class CountQuery:
    """Which of a site's counters to sum, and by what; days are numbered from 1970 and both included."""

    site: str
    channel: str
    first_day: int
    last_day: int
    group_by: Literal["day", "policy_version", "region"]


@dataclass(frozen=True, slots=True)
class CountGroup:
    """The figures of one group; its name is a day's number, a policy version or a region."""

    group: int | str
    counts: Counts


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


BulkVisitor = tuple[str, int, str, str]
"""A new visitor's row: id, revision, facts, times."""
BulkEvent = tuple[int, bytes, str, bytes, bytes, bytes]
"""A new entry before it has its place: microseconds, pseudonym, visitor, salt, commitment, stored payload."""


class VisitorReader(Protocol):
    """Reads visitors from the primary, never from a replica and never from a cache."""

    async def get(self, site: str, visitor_id: str) -> StoredVisitor | None:
        """Read one visitor; raises StoreUnavailable within 300 ms where the store does not answer."""

    def ask(
        self, site: str, visitor_id: str, told: Callable[[StoredVisitor | None, StoreUnavailable | None], None]
    ) -> None:
        """Read one visitor and call back once, with the visitor (None for an unknown one) or with the error."""

    async def get_many(self, site: str, visitor_ids: Sequence[str]) -> dict[str, StoredVisitor]:
        """Read several visitors at once; the unknown are left out."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything that is held about one visitor: the record, and the entries that still have a payload."""

    record: ConsentRecord
    entries: tuple[Entry, ...]


class Holdings(Protocol):
    """Goes through everything that is held about the visitors of a site, for retention."""

    async def count(self, site: str) -> int:
        """Give the number of visitors."""

    async def page(self, site: str, after: str, limit: int) -> list[Holding]:
        """Read some visitors in the order of their ids, beginning behind `after` ("" for the start)."""

    async def drop_lapsed_keys(self, now: datetime, limit: int) -> int:
        """Remove so many idempotency keys whose time is over, with the answers they remember; gives how many."""


class ChangeWriter(Protocol):
    """Carries out changes; an answer means that the change is durable."""

    async def submit(self, change: Change) -> Committed:
        """Carry out a change; raises its ConsentError, or StoreUnavailable within 10 s."""

    def ask(self, request: Change, told: Callable[[object], None]) -> None:
        """Carry out a change and call back once, with its Committed or the error."""

    async def erase(self, erasure: Erasure) -> LogEntry | None:
        """Erase a visitor; None where there is none."""

    async def purge(self, purge: Purge) -> Purged:
        """Remove what has been kept long enough of some visitors."""


class Catalog(Protocol):
    """Policies and keys: small, rarely written, read as a whole."""

    async def epoch(self) -> int:
        """Give the number of the last change of the catalog."""

    async def load(self) -> CatalogSnapshot:
        """Read the whole catalog."""

    async def add_policy(self, policy: StoredPolicy) -> None:
        """Publish a version; raises PolicyVersionExists where another document bears its name."""

    async def add_key(self, key: ApiKey) -> None:
        """Add a key."""

    async def revoke_key(self, site: str | None, key_id: str, now: datetime) -> bool:
        """Revoke a key of a site (of any site for None); False where there is none."""

    async def add_endpoint(self, endpoint: Endpoint) -> None:
        """Add a webhook endpoint; it is told of every change that is stored after this."""

    async def remove_endpoint(self, site: str | None, endpoint_id: str) -> bool:
        """Remove an endpoint of a site (of any site for None) with all it was not told; False where there is none."""


class EvidenceLog(Protocol):
    """Reads the evidence log; only the change writer appends to it."""

    async def head(self, site: str) -> Frontier:
        """Give the right edge of the site's tree; that of an empty log where there is none yet."""

    async def events(self, site: str, after: int, limit: int) -> list[LoggedEvent]:
        """Read entries in order, beginning behind `after` (-1 for the start)."""

    async def visitor_events(self, site: str, visitor_id: str, after: int, limit: int) -> list[LoggedEvent]:
        """Read one visitor's entries in order."""

    async def add_checkpoint(self, checkpoint: StoredCheckpoint) -> bool:
        """Keep a signed checkpoint; False where there is one of the same size, which stays as it is."""

    async def newest_checkpoint(self, site: str) -> StoredCheckpoint | None:
        """Give the largest kept checkpoint."""

    async def checkpoints(self, site: str) -> list[StoredCheckpoint]:
        """Give all kept checkpoints, smallest first."""

    async def newest_checkpoints(self, site: str, limit: int) -> list[StoredCheckpoint]:
        """Give the newest kept checkpoints, largest first."""

    async def nodes(self, site: str, wanted: Sequence[NodeId]) -> dict[NodeId, bytes]:
        """Read stored tree nodes; level 0 are the hashes of leaves."""


class ReportCounts(Protocol):
    """The counters that reports are made of; only the change writer adds to them."""

    async def sums(self, query: CountQuery) -> list[CountGroup]:
        """Sum the figures of a range of days for each group, in the groups' order; reads no events."""


class Outbox(Protocol):
    """What webhook endpoints have not yet been told; the change writer fills it in the transaction of the change."""

    async def claim(self, endpoint: Endpoint, now: datetime, until: datetime, limit: int) -> list[Delivery]:
        """Take what is due for an endpoint, one event of a visitor at a time; nobody else gets it before `until`."""

    async def settle(self, delivered: Sequence[Delivery], failed: Sequence[Failure]) -> None:
        """Note what became of claimed deliveries."""

    async def dead(self, site: str, endpoint: str | None, limit: int) -> list[DeadLetter]:
        """List what was given up, for one endpoint or for all of the site."""

    async def revive(self, endpoint: Endpoint, now: datetime) -> int:
        """Make the dead letters of an endpoint due again; gives their number."""

    async def replay(self, endpoint: Endpoint, after: int, limit: int, now: datetime) -> tuple[int, int | None]:
        """Queue events of the log behind `after` again, of at most `limit` places.

        Gives how many there were and behind which seq to go on; None at the end of the log.
        """

    async def backlog(self, site: str) -> dict[str, Backlog]:
        """Tell by endpoint what waits; an endpoint for which nothing waits is left out."""

    async def depth(self, endpoint: Endpoint, most: int) -> Backlog:
        """Tell what waits for an endpoint at the cost of `most` rows: beyond them neither events nor dead ones count.

        Those that are due first are looked at first, and `oldest` is the oldest among them.
        """

    async def drop_dead(self, before: datetime, limit: int) -> int:
        """Forget dead letters of changes older than `before`; gives how many."""


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
