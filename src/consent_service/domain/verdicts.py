"""All trackers of a policy decided at once, each kind of tracker once.

A policy has many trackers of few kinds: what the rules look at is the category, the channel, an exemption, and whether
it sells or crosses a border. So the rules are asked once for each kind, by the very function that decides one tracker,
and the answer stands for all of its kind. tests/domain/test_verdicts.py shows that both agree.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from consent_service.domain.decision import Decision, Situation, judge_tracker, left_of, max_age_of
from consent_service.domain.policy import Tracker
from consent_service.domain.vocabulary import ALLOWING_REASONS, Category, Reason


class Term(NamedTuple):
    """A decision before it is looked up when the visitor's own choices end."""

    decision: Decision
    """With the `max_age` that it has where more is left of the choices."""
    granted: tuple[Tracker, ...] = ()
    """The entries that may stay no longer than what is left of the choice about them."""


class Verdicts:
    """The reasons in one situation, found as they are asked for; they hold for every visitor with the same facts."""

    __slots__ = ("_reasons", "_s")

    def __init__(self, situation: Situation) -> None:
        """Decide in this situation."""
        self._s = situation
        self._reasons: list[Reason | None] = [None] * len(situation.rules.alike)

    def reason(self, kind: int) -> Reason:
        """Give the reason for trackers of a kind."""
        reason = self._reasons[kind]
        if reason is None:
            reason = self._reasons[kind] = judge_tracker(self._s, self._s.rules.alike[kind])
        return reason

    def decide(self, name: str) -> Decision:
        """Decide for a tracker by name, as `decide_tracker` does."""
        term = self.term(name, self._s.now)
        left = [left_of(self._s, tracker) for tracker in term.granted]
        bounds = [bound for bound in (term.decision.max_age, *left) if bound is not None]
        return replace(term.decision, max_age=min(bounds)) if left else term.decision

    def term(self, name: str, now: datetime) -> Term:
        """Decide for a tracker by name at a moment, for everybody with the same facts."""
        rules = self._s.rules
        entries = rules.find(name)
        if not entries:
            return Term(Decision(None, Reason.UNREGISTERED, name))
        kinds = rules.kinds[entries[0].name]
        if len(entries) == 1:  # as nearly all names are
            return self._entry(entries[0], kinds[0], name, now)
        # Of several entries of one name every one must be allowed, and the shortest life counts.
        found = [self._entry(*pair, name, now) for pair in zip(entries, kinds, strict=True)]
        for term in found:
            if not term.decision.allow:
                return term
        ages = [term.decision.max_age for term in found if term.decision.max_age is not None]
        decision = Decision(entries[0].category, found[0].decision.reason, name, min(ages, default=None))
        return Term(decision, tuple([tracker for term in found for tracker in term.granted]))

    def _entry(self, entry: Tracker, kind: int, name: str, now: datetime) -> Term:
        reason = self.reason(kind)
        if reason not in ALLOWING_REASONS:
            return _denial(entry.category, reason, name)
        max_age = max_age_of(self._s.rules.policy, entry, reason, now, None)
        ends = reason is Reason.GRANTED and max_age is not None
        return Term(Decision(entry.category, reason, name, max_age), (entry,) if ends else ())

    @property
    def allowed(self) -> tuple[bool, ...]:
        """Tell of each kind whether it may run."""
        return tuple([self.reason(kind) in ALLOWING_REASONS for kind in range(len(self._reasons))])


@lru_cache(8_192)
def _denial(category: Category, reason: Reason, name: str) -> Term:
    # It has no moment in it, so all visitors to whom it is said share it.
    return Term(Decision(category, reason, name))


def cleanup(situation: Situation) -> tuple[Tracker, ...]:
    """Give what must leave the device: every stored tracker that may not run now (CON-14)."""
    return tuple(_forbidden(situation, Verdicts(situation).allowed))


def _forbidden(situation: Situation, allowed: tuple[bool, ...]) -> Iterator[Tracker]:
    kinds = situation.rules.kinds
    for tracker in situation.rules.stored:
        # Of several entries of one name every one must be allowed.
        if not all(allowed[kind] for kind in kinds[tracker.name]):
            yield tracker
