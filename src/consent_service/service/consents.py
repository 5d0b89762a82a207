"""Reading and changing a visitor's consent: the use cases of the browser plane and of `manage` keys."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from consent_service.domain.decision import situate
from consent_service.domain.errors import IdempotencyInProgress, IdempotencyKeyTooShort, NotFound, StoreUnavailable
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import read_visitor
from consent_service.domain.signal_adapters.expression import NOTHING_EXPRESSED
from consent_service.domain.signal_adapters.transition import express
from consent_service.domain.state import ConsentState, consent_state
from consent_service.domain.transitions import accounts
from consent_service.domain.transitions import signals as signal_transitions
from consent_service.domain.transitions.context import Transition
from consent_service.domain.vocabulary import Method
from consent_service.ports import Change, Clock, Committed, NewId, Reply, Store
from consent_service.service.asking import Asking
from consent_service.service.identity import new_visitor_id
from consent_service.service.presenting import SYNCED
from consent_service.service.sites import Version
from consent_service.service.writing import Move, Write, WriteMemory, context

MINTING_KEY_LENGTH = 20
"""Such a key is all that proves who asks (contract §4)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write came to."""

    reply: Reply
    visitor_id: str
    state: ConsentState
    changed: bool
    """Whether the tracking status differs from before (`Tk: U`)."""
    replayed: bool = False


class Consents:
    """The use cases."""

    def __init__(self, store: Store, clock: Clock, new_id: NewId) -> None:
        """Use a store, a clock and a maker of ids."""
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._running: set[tuple[str, str, str]] = set()
        self._memory = WriteMemory.empty()

    async def record(self, site: str, visitor_id: str | None) -> ConsentRecord | None:
        """Read a visitor's record; None for an unknown, foreign or erased one."""
        if visitor_id is None:
            return None
        stored = await self._store.visitors.get(site, visitor_id)
        return None if stored is None else read_visitor(site, visitor_id, stored)

    async def look(self, asking: Asking, version: Version) -> ConsentState:
        """Give the state of a visitor, or of an unknown one; a signal that is news is stored first."""
        record = await self.record(asking.site.slug, asking.visitor_id)
        if record is not None and self.news(asking, version, record):
            record = await self.observe(asking, version, record)
        return self.state(asking, version, record)

    def news(self, asking: Asking, version: Version, record: ConsentRecord) -> bool:
        """Tell whether a request shows a signal that the record does not hold yet."""
        if signal_transitions.news(record, asking.signals):
            return True
        ctx = context(asking, version, self._clock(), self._new_id)
        return bool(asking.expression) and bool(express(record, asking.expression, ctx).events)

    async def look_here(self, asking: Asking, version: Version) -> tuple[ConsentState, dict[str, str]]:
        """Give the state to the visitor's own browser, with the notice that is due to it, once (IDN-06)."""
        state = await self.look(asking, version)
        record = state.situation.record
        if record is None or not record.notice_due:
            return state, {}
        told = asking._replace(if_match=None, client_key=None)
        try:
            answer = await self.change(told, version, lambda found, _, ctx: accounts.told(found, ctx))
        except StoreUnavailable:  # it is told again then
            return state, dict(SYNCED)
        return answer.state, dict(SYNCED)

    async def known(self, asking: Asking, version: Version) -> ConsentState:
        """Give the state of a visitor that must exist; raises NotFound."""
        state = await self.look(asking, version)
        if state.situation.record is None:
            raise NotFound
        return state

    def state(self, asking: Asking, version: Version, record: ConsentRecord | None) -> ConsentState:
        """Decide all categories now; what a stranger expresses counts for this answer, since nothing can hold it."""
        denied = asking.expression.denies if record is None else NOTHING_EXPRESSED.denies
        return consent_state(situate(version.rules, record, asking.signals, asking.region, self._clock(), denied))

    async def observe(self, asking: Asking, version: Version, record: ConsentRecord) -> ConsentRecord:
        """Store the signals of a request, as one event however many requests bring them at once (SIG-20)."""
        known = asking._replace(if_match=None, client_key=None, method=Method.SIGNAL)
        try:
            answer = await self.change(known, version, lambda found, _, ctx: signal_transitions.observe(found, ctx))
        except NotFound:  # erased between the read and the write
            return record
        return answer.state.situation.record or record

    async def change(
        self, asking: Asking, version: Version, move: Move, account: str | None = None, *, refuses: bool = False
    ) -> Answer:
        """Change the record of a visitor that must exist; `account` is the hash of one to read along.

        `refuses` tells that the move grants nothing; it then wins a tie (SVC-12).

        Raises NotFound, PreconditionFailed, the move's own errors and StoreUnavailable.
        """
        if asking.visitor_id is None:
            raise NotFound
        return await self._write(
            asking, version, asking.visitor_id, move, minted=False, account=account, refuses=refuses
        )

    async def change_or_mint(self, asking: Asking, version: Version, move: Move, *, refuses: bool) -> Answer:
        """Change a visitor's record, or make the visitor where there is none; a client-chosen id is never adopted."""
        if await self.record(asking.site.slug, asking.visitor_id) is not None:
            return await self.change(asking, version, move, refuses=refuses)
        key = asking.client_key
        if key is not None and len(key.key) < MINTING_KEY_LENGTH:
            raise IdempotencyKeyTooShort
        newcomer = asking._replace(visitor_id=None)
        return await self._write(newcomer, version, new_visitor_id(), move, minted=True)

    async def mint(self, asking: Asking, version: Version) -> Answer:
        """Make a visitor who has said nothing yet."""
        newcomer = asking._replace(visitor_id=None)
        return await self._write(newcomer, version, new_visitor_id(), lambda r, _, __: Transition(r), minted=True)

    async def _write(
        self,
        asking: Asking,
        version: Version,
        visitor_id: str,
        move: Move,
        *,
        minted: bool,
        account: str | None = None,
        refuses: bool = False,
    ) -> Answer:
        write = self.prepare(asking, version, visitor_id, move, minted=minted)
        committed = await self.submit(write.change(account, refuses=refuses))
        if committed.replayed or write.state is None:
            return await self._replayed(asking, version, committed)
        return Answer(committed.reply, visitor_id, write.state, write.changed(committed))

    def prepare(
        self,
        asking: Asking,
        version: Version,
        visitor_id: str,
        move: Move,
        *,
        minted: bool = False,
        said: object = None,
    ) -> Write:
        """Prepare a write; `said` stands for the move wherever it is the same one."""
        ctx = context(asking, version, self._clock(), self._new_id)
        return Write(asking, version, visitor_id, move, ctx, self._memory, minted=minted, said=said)

    def ask(self, change: Change, told: Callable[[object], None]) -> None:
        """Carry a change out and call back once, with its Committed or the error: for whoever has no task."""
        asked = change.idempotency
        if asked is None:
            self._store.writer.ask(change, told)
            return
        running = (change.site, asked.owner, asked.key)
        if running in self._running:
            told(IdempotencyInProgress())
            return

        def ended(outcome: object) -> None:
            self._running.discard(running)
            told(outcome)

        self._running.add(running)
        self._store.writer.ask(change, ended)

    async def submit(self, change: Change) -> Committed:
        """Carry a change out; raises IdempotencyInProgress while another request under its key is under way."""
        asked = change.idempotency
        if asked is None:
            return await self._store.writer.submit(change)
        running = (change.site, asked.owner, asked.key)
        if running in self._running:
            raise IdempotencyInProgress
        self._running.add(running)
        try:
            return await self._store.writer.submit(change)
        finally:
            self._running.discard(running)

    async def _replayed(self, asking: Asking, version: Version, committed: Committed) -> Answer:
        visitor_id = orjson.loads(committed.reply.body)["visitor_id"]
        record = await self.record(asking.site.slug, visitor_id)
        if record is None:
            raise NotFound
        state = self.state(asking, version, record)
        return Answer(committed.reply, visitor_id, state, changed=False, replayed=True)
