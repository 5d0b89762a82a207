"""Decisions for storefronts: by category, by tracker, for one visitor or many; denying where the store is away."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from consent_service.domain.decision import (
    NO_CATEGORIES,
    Decision,
    Situation,
    decide_category,
    decide_tracker,
    situate,
)
from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import read_visitor
from consent_service.domain.state import ConsentState, consent_state
from consent_service.domain.vocabulary import Category, Reason
from consent_service.ports import Clock, Store
from consent_service.service.asking import Asking
from consent_service.service.consents import Consents
from consent_service.service.decision_tally import DecisionTally
from consent_service.service.sites import Version


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
        answers = [
            (_decide(question, answered), answered.degraded)
            for question, answered in zip(questions, situations, strict=True)
        ]
        for decisions, degraded in answers:
            self.tally.count(decisions, degraded=degraded)
        return answers

    async def _situations(self, asked: Sequence[Asking], version: Version) -> list[Answered]:
        site = asked[0].site.slug
        ids = [asking.visitor_id for asking in asked if asking.visitor_id is not None]
        try:
            found = await self._store.visitors.get_many(site, ids)
        except StoreUnavailable:
            return [Answered(self._situate(asking, version, None), degraded=True) for asking in asked]
        answers = []
        for asking in asked:
            stored = found.get(asking.visitor_id or "")
            record = None if stored is None else read_visitor(site, asking.visitor_id or "", stored)
            answers.append(await self._noted(asking, version, record))
        return answers

    async def _noted(self, asking: Asking, version: Version, record: ConsentRecord | None) -> Answered:
        """Note a signal that is news before answering; where that cannot be, it still counts for this answer."""
        degraded = False
        if record is not None and self._consents.news(asking, version, record):
            try:
                record = await self._consents.observe(asking, version, record)
            except StoreUnavailable:
                degraded = True
        return Answered(self._situate(asking, version, record, stored=not degraded), degraded)

    def _situate(
        self, asking: Asking, version: Version, record: ConsentRecord | None, *, stored: bool = False
    ) -> Situation:
        denied = NO_CATEGORIES if stored and record is not None else asking.expression.denies
        return situate(version.rules, record, asking.signals, asking.region, self._clock(), denied)


def _decide(question: Question, answered: Answered) -> list[Decision]:
    s = answered.situation
    decisions = [decide_tracker(s, name) for name in question.trackers]
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
