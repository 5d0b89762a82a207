"""What a store writes, always in one transaction with its evidence: changes, erasures and purges."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from consent_service.domain.counts import CountKey
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.record_text import StoredVisitor
from consent_service.domain.retention import Entry, Verdict
from consent_service.domain.transitions.context import Transition
from consent_service.domain.vocabulary import EventType


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
