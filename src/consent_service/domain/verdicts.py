"""All trackers of a policy decided at once, each kind of tracker once.

A policy has many trackers of few kinds: what the rules look at is the category, the channel, an exemption, and whether
it sells or crosses a border. So the rules are asked once for each kind, by the very function that decides one tracker,
and the answer stands for all of its kind. tests/domain/test_verdicts.py shows that both agree.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache, partial

from consent_service.domain.decision import Decision, Situation, judge_tracker, left_of, max_age_of
from consent_service.domain.policy import Tracker
from consent_service.domain.vocabulary import ALLOWING_REASONS, Category, Reason

Left = Callable[[Tracker], int | None]
"""Tells the whole seconds that are left of the choice about a tracker."""


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

    def decide(self, name: str, now: datetime | None = None, left: Left | None = None) -> Decision:
        """Decide for a tracker by name, as `decide_tracker` does.

        `now` and `left` are those of the visitor where it is not the one whose situation this is.
        """
        rules = self._s.rules
        entries = rules.find(name)
        if not entries:
            return Decision(None, Reason.UNREGISTERED, name)
        kinds = rules.kinds[entries[0].name]
        now = now or self._s.now
        left = left or partial(left_of, self._s)
        if len(entries) == 1:  # as nearly all names are
            return self._decide_entry(entries[0], kinds[0], name, now, left)
        # Of several entries of one name every one must be allowed, and the shortest life counts.
        found = [self._decide_entry(*pair, name, now, left) for pair in zip(entries, kinds, strict=True)]
        for decision in found:
            if not decision.allow:
                return decision
        ages = [decision.max_age for decision in found if decision.max_age is not None]
        return Decision(entries[0].category, found[0].reason, name, min(ages, default=None))

    def _decide_entry(self, entry: Tracker, kind: int, name: str, now: datetime, left: Left) -> Decision:
        reason = self.reason(kind)
        if reason not in ALLOWING_REASONS:
            return _denial(entry.category, reason, name)
        return Decision(entry.category, reason, name, max_age_of(self._s.rules.policy, entry, reason, now, left(entry)))

    @property
    def allowed(self) -> tuple[bool, ...]:
        """Tell of each kind whether it may run."""
        return tuple([self.reason(kind) in ALLOWING_REASONS for kind in range(len(self._reasons))])


@lru_cache(8_192)
def _denial(category: Category, reason: Reason, name: str) -> Decision:
    # It has no moment in it, so all visitors to whom it is said share it.
    return Decision(category, reason, name)


def cleanup(situation: Situation) -> tuple[Tracker, ...]:
    """Give what must leave the device: every stored tracker that may not run now (CON-14)."""
    return tuple(_forbidden(situation, Verdicts(situation).allowed))


def _forbidden(situation: Situation, allowed: tuple[bool, ...]) -> Iterator[Tracker]:
    kinds = situation.rules.kinds
    for tracker in situation.rules.stored:
        # Of several entries of one name every one must be allowed.
        if not all(allowed[kind] for kind in kinds[tracker.name]):
            yield tracker
