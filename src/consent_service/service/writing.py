"""One write under way: what the store's transaction asks of it, and what it answers.

The answer is made inside the transaction, so that an idempotency key remembers exactly what was answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import orjson

from consent_service.domain.counts import day_number
from consent_service.domain.decision import Decision, situate
from consent_service.domain.errors import NotFound, PreconditionFailed
from consent_service.domain.moments import to_micros
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.record_text import StoredVisitor, decode_record, encode_record
from consent_service.domain.signal_adapters.transition import expressed_too
from consent_service.domain.state import ConsentState, consent_state
from consent_service.domain.transitions.context import Context, Transition, status_changed
from consent_service.domain.transitions.outline import Outline, outline
from consent_service.domain.verdicts import cleanup
from consent_service.ports import Change, Committed, Foreseen, Idempotency, LogEntry, NewId, Reply, Subject
from consent_service.service.answer_frames import Frame, frame
from consent_service.service.asking import ANY_REVISION, Asking
from consent_service.service.memory import Facts, RuleMemory, facts_of
from consent_service.service.presenting import cleanup_list, written_body
from consent_service.service.sites import Version

KEY_LIFE = timedelta(hours=24)
MINTING_KEY_LIFE = timedelta(minutes=10)

_OUTLINES = 20_000
"""A few hundred kinds of rows, times what they may answer; 7 MB if it should be as many."""
_DECIDED_BYTES = 12 * 1024 * 1024
_OVERHEAD = 2_000
"""Bytes of what was decided beside its texts, about."""

Move = Callable[[ConsentRecord, AccountState | None, Context], Transition]


class Decided(NamedTuple):
    """What follows from the facts of a row."""

    decisions: tuple[Decision, ...]
    prompt: bool
    cleanup: bytes
    """What must leave the device; empty where it stands in the frame."""
    frame: Frame | None


@lru_cache(4_096)
def _same(facts: Facts) -> Facts:
    """Give the one of several equal facts that came first: each is part of as many keys as there are answers."""
    return facts


def _weight(decided: Decided) -> int:
    return _OVERHEAD + len(decided.cleanup) + (len(decided.frame.text) if decided.frame else 0)


class Outlined(NamedTuple):
    """What an answer makes of equal rows, and the answer to it."""

    outline: Outline
    frame: Frame


@dataclass(frozen=True, slots=True)
class WriteMemory:
    """What is remembered of the rules from one write to the next."""

    decided: RuleMemory[Decided]
    outlined: RuleMemory[Outlined | None]

    @classmethod
    def empty(cls) -> "WriteMemory":
        """Begin without any."""
        outlined = RuleMemory[Outlined | None](_OUTLINES)
        return cls(RuleMemory(_DECIDED_BYTES, _weight, dependent=outlined), outlined)


class Write:
    """A change of one visitor's record, with the circumstances of its request."""

    __slots__ = (
        "asking", "before", "ctx", "found", "memory", "minted", "move", "said", "state", "stored", "version",
        "visitor_id",
    )  # fmt: skip

    def __init__(
        self,
        asking: Asking,
        version: Version,
        visitor_id: str,
        move: Move,
        ctx: Context,
        memory: WriteMemory,
        *,
        minted: bool = False,
        said: object = None,
    ) -> None:
        """Prepare; `said` stands for the move wherever it is the same one, so that its outcome can be remembered."""
        self.asking = asking
        self.version = version
        self.visitor_id = visitor_id
        self.move = move
        self.ctx = ctx
        self.memory = memory
        self.minted = minted
        self.said = said
        self.before: ConsentRecord | None = None
        self.state: ConsentState | None = None
        self.stored: StoredVisitor | None = None
        self.found: Outlined | None = None

    def change(self, account: str | None, *, refuses: bool) -> Change:
        """Give it to the store."""
        return Change(
            self.asking.site.slug,
            self.visitor_id,
            self.ctx.now,
            self._apply,
            self._render,
            account,
            self._idempotency(),
            None if self.said is None else self._foresee,
            refuses,
        )

    def changed(self, committed: Committed) -> bool:
        """Tell whether it changed the tracking status (`Tk: U`, TSR-10)."""
        if self.found is not None:
            return self.found.outline.changed
        transition = committed.transition
        if transition is None or self.before is None or not transition.events:
            return False
        return status_changed(self.before, transition.record)

    def _apply(self, subject: Subject) -> Transition:
        if subject.record is None and not self.minted:
            raise NotFound
        found = subject.record or ConsentRecord(
            self.asking.site.slug, self.visitor_id, created_at=self.ctx.now, updated_at=self.ctx.now
        )
        _check_revision(self.asking, subject.record)
        self.before, self.found = found, None
        return expressed_too(self.move(found, subject.account, self.ctx), self.asking.expression, self.ctx)

    def _render(self, transition: Transition, entries: Sequence[LogEntry]) -> Reply:
        self.stored = transition.stored or encode_record(transition.record)
        self.state, found = self._decide(transition.record, self.stored)
        status = 201 if self.minted else 200
        if found.frame is not None:
            return _framed(status, found.frame, self.visitor_id, self.stored, entries)
        body = written_body(self.asking.site.slug, self.state, entries, orjson.Fragment(found.cleanup))
        return Reply(status, (), orjson.dumps(body))

    def _decide(self, record: ConsentRecord, stored: StoredVisitor) -> tuple[ConsentState, Decided]:
        """Decide all categories for a record just made, and find the answer that such records share."""
        asking, site = self.asking, self.asking.site.slug
        situation = situate(self.version.rules, record, asking.signals, asking.region, self.ctx.now)

        def decide() -> Decided:
            left = orjson.dumps(cleanup_list(cleanup(situation)))
            state = consent_state(situation)
            shared = frame(site, state, stored, left)
            return Decided(state.decisions, state.prompt, b"" if shared else left, shared)

        facts = facts_of(stored, asking.signals, asking.region, self.ctx.now)
        # Moments that are not there leave no gap in the answer, nor does the first change of a visitor without any.
        key = facts and (facts, stored.revision > 0, record.re_prompt_not_before is None)
        found = self.memory.decided.recall(self.version, key, decide)
        return ConsentState(situation, found.decisions, found.prompt), found

    def _foresee(self, row: StoredVisitor) -> Foreseen | None:
        """Fill in what became of an equal row, where that is known; moments that have passed are part of the row."""
        facts = facts_of(row, self.asking.signals, self.asking.region, self.ctx.now)
        key = None if facts is None else (self.said, _same(facts))
        found = self.memory.outlined.recall(self.version, key, lambda: self._outline(row))
        if found is None:
            return None
        self.found, ctx = found, self.ctx
        stored = self.stored = self._filled(found.outline, row)
        event_id, receipt_id = ctx.new_id(), ctx.new_id()
        counted, day = found.outline.counted, day_number(ctx.now)
        return Foreseen(
            stored,
            found.outline.event_type,
            event_id,
            receipt_id,
            found.outline.text,
            counted if counted.day == day else counted._replace(day=day),
            found.outline.places,
            lambda entry: _framed(200, found.frame, self.visitor_id, stored, (entry,)),
        )

    def _outline(self, row: StoredVisitor) -> Outlined | None:
        found = outline(row, lambda record, ctx: self.move(record, None, ctx), self.asking.site.slug, self.ctx)
        if found is None:
            return None
        stored = self._filled(found, row)
        shared = self._decide(decode_record(self.asking.site.slug, self.visitor_id, stored), stored)[1].frame
        return None if shared is None else Outlined(found, shared)

    def _filled(self, found: Outline, row: StoredVisitor) -> StoredVisitor:
        ctx = self.ctx
        end = ctx.rules.policy.lifetime(ctx.region).after(ctx.now)
        return found.row(row, to_micros(ctx.now), to_micros(end))

    def _idempotency(self) -> Idempotency | None:
        key = self.asking.client_key
        if key is None:
            return None
        life = KEY_LIFE if self.asking.visitor_id else MINTING_KEY_LIFE
        return Idempotency(self.asking.visitor_id or "", key.key, key.fingerprint, self.ctx.now + life)


def context(asking: Asking, version: Version, now: datetime, new_id: NewId) -> Context:
    """Give the circumstances of a request to a transition."""
    return Context(
        rules=version.rules,
        policy_sha256=version.stored.sha256,
        now=now,
        new_id=new_id,
        region=asking.region,
        signals=asking.signals,
        method=asking.method,
        locale=asking.locale,
    )


def _framed(status: int, form: Frame, visitor_id: str, stored: StoredVisitor, entries: Sequence[LogEntry]) -> Reply:
    values = form.values(visitor_id, stored, entries)
    return Reply(status, (), form.fill(values), form.shared, values)


def _check_revision(asking: Asking, record: ConsentRecord | None) -> None:
    if asking.if_match is None:
        return
    # A stranger's state has revision 0, and that is what an answer to it must be given on.
    acceptable = {0} if record is None else {record.revision, ANY_REVISION}
    if not asking.if_match & acceptable:
        raise PreconditionFailed
