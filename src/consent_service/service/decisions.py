"""Decisions for storefronts: by category, by tracker, for one visitor or many; denying where the store is away."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from consent_service.domain.decision import (
    NO_CATEGORIES,
    Decision,
    Situation,
    decide_category,
    situate,
)
from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import StoredVisitor, read_visitor
from consent_service.domain.state import ConsentState, consent_state
from consent_service.domain.verdicts import Verdicts
from consent_service.domain.vocabulary import Category, Reason
from consent_service.ports import Clock, Store
from consent_service.service.asking import Asking
from consent_service.service.consents import Consents
from consent_service.service.decision_tally import DecisionTally
from consent_service.service.sites import Version

ANSWER_SECONDS = 0.25
"""How long an answer may take, the noting of a new signal included (contract §8: 300 ms in all)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a storefront asks about one visitor."""

    asking: Asking
    trackers: tuple[str, ...] = ()
    categories: tuple[Category, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """The situation in which a question was answered; degraded where the store did not answer."""

    situation: Situation
    degraded: bool


class Decisions:
    """The use cases."""

    def __init__(self, store: Store, consents: Consents, clock: Clock) -> None:
        """Use a store for reading and the consents for noting signals."""
        self._store = store
        self._consents = consents
        self._clock = clock
        self.tally = DecisionTally()

    async def categories(self, asking: Asking, version: Version) -> tuple[ConsentState, bool]:
        """Decide all eight categories; tells whether the answer is degraded."""
        answered = (await self._situations([asking], version))[0]
        state = consent_state(answered.situation)
        state = degrade(state) if answered.degraded else state
        self.tally.count(state.decisions, degraded=answered.degraded)
        return state, answered.degraded

    async def many(self, questions: Sequence[Question], version: Version) -> list[tuple[list[Decision], bool]]:
        """Answer several questions with one lookup; decisions stand in the order asked, trackers first."""
        situations = await self._situations([question.asking for question in questions], version)
        return self._answers(questions, situations)

    def without_store(self, questions: Sequence[Question], version: Version) -> list[tuple[list[Decision], bool]]:
        """Answer several questions after the store did not."""
        return self._answers(questions, self._unknown([question.asking for question in questions], version))

    def _answers(
        self, questions: Sequence[Question], situations: Sequence[Answered]
    ) -> list[tuple[list[Decision], bool]]:
        answers = [(_decide(q, answered), answered.degraded) for q, answered in zip(questions, situations, strict=True)]
        for decisions, degraded in answers:
            self.tally.count(decisions, degraded=degraded)
        return answers

    async def _situations(self, asked: Sequence[Asking], version: Version) -> list[Answered]:
        site = asked[0].site.slug
        until = asyncio.get_running_loop().time() + ANSWER_SECONDS
        ids = [asking.visitor_id for asking in asked if asking.visitor_id is not None]
        try:
            found = await self._store.visitors.get_many(site, ids)
        except StoreUnavailable:
            return self._unknown(asked, version)
        records = [self._record(site, asking.visitor_id, found) for asking in asked]
        pairs = list(zip(asked, records, strict=True))
        answers = [
            Answered(self._situate(asking, version, record, stored=True), degraded=False) for asking, record in pairs
        ]
        news = [
            n for n, (asking, record) in enumerate(pairs) if record and self._consents.news(asking, version, record)
        ]
        # Side by side, so that the signals of many visitors share a transaction.
        noted = await asyncio.gather(*(self._noted(*pairs[n], version, until) for n in news))
        for n, answer in zip(news, noted, strict=True):
            answers[n] = answer
        return answers

    def _unknown(self, asked: Sequence[Asking], version: Version) -> list[Answered]:
        return [Answered(self._situate(asking, version, None), degraded=True) for asking in asked]

    @staticmethod
    def _record(site: str, visitor_id: str | None, found: Mapping[str, StoredVisitor]) -> ConsentRecord | None:
        stored = None if visitor_id is None else found.get(visitor_id)
        return None if stored is None or visitor_id is None else read_visitor(site, visitor_id, stored)

    async def _noted(self, asking: Asking, record: ConsentRecord | None, version: Version, until: float) -> Answered:
        """Note a signal that is news before answering; one that cannot be noted in time counts for this answer."""
        degraded = False
        try:
            async with asyncio.timeout_at(until):
                record = record and await self._consents.observe(asking, version, record)
        except (StoreUnavailable, TimeoutError):
            degraded = True
        return Answered(self._situate(asking, version, record, stored=not degraded), degraded)

    def _situate(
        self, asking: Asking, version: Version, record: ConsentRecord | None, *, stored: bool = False
    ) -> Situation:
        denied = NO_CATEGORIES if stored and record is not None else asking.expression.denies
        return situate(version.rules, record, asking.signals, asking.region, self._clock(), denied)


def _decide(question: Question, answered: Answered) -> list[Decision]:
    s = answered.situation
    verdicts = Verdicts(s)
    decisions = [verdicts.decide(name) for name in question.trackers]
    decisions += [decide_category(s, category) for category in question.categories]
    return [_unavailable(d) for d in decisions] if answered.degraded and s.record is None else decisions


def degrade(state: ConsentState) -> ConsentState:
    """Turn a state that was decided without the store into one that allows nothing but what is exempt (SVC-01)."""
    if state.situation.record is not None:
        return state
    return replace(state, decisions=tuple(_unavailable(d) for d in state.decisions))


def _unavailable(decision: Decision) -> Decision:
    if decision.reason in {Reason.EXEMPT, Reason.UNREGISTERED}:
        return decision
    return replace(decision, reason=Reason.UNAVAILABLE, max_age=None)
