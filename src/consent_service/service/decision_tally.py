"""How often decisions came out as they did.

Most answers are alike, and counting each category of each would slow the hot path down: an answer that is remembered
keeps the counter of its whole outcome, and giving it is one addition. An answer about any
number of names keeps a counter for each of the few outcomes among them.
"""

from collections import Counter
from collections.abc import Iterable

from consent_service.domain.decision import Decision
from consent_service.domain.vocabulary import Category, Reason
from consent_service.measures import Count

Outcome = tuple[Category | None, Reason]
"""A category, or None where the tracker is not registered, and the reason."""


class DecisionTally:
    """The counts of one process since it started."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.degraded = 0
        """Answers that were given without the store."""
        self._counts: Counter[Outcome] = Counter()
        self._repeated: dict[tuple[Outcome, ...], Count] = {}
        self._each: dict[Outcome, Count] = {}

    def count(self, decisions: Iterable[Decision], *, degraded: bool = False) -> None:
        """Count an answer."""
        self._counts.update([(decision.category, decision.reason) for decision in decisions])
        self.degraded += degraded

    def repeated(self, decisions: Iterable[Decision]) -> Count:
        """Give the counter of all answers like this one, for who gives it many times."""
        outcomes = tuple([(decision.category, decision.reason) for decision in decisions])
        return self._repeated.setdefault(outcomes, Count())

    def counters(self, decisions: Iterable[Decision]) -> tuple[tuple[Count, int], ...]:
        """Give the counters of an answer of any length, and what each rises by when it is given.

        There are only so many outcomes, while lists of them are as many as anybody asks for.
        """
        times = Counter([(decision.category, decision.reason) for decision in decisions])
        return tuple([(self._each.setdefault(outcome, Count()), number) for outcome, number in times.items()])

    def totals(self) -> Counter[Outcome]:
        """Give the number of decisions by category and reason."""
        totals = self._counts.copy()
        totals.update({outcome: count.times for outcome, count in self._each.items()})
        for outcomes, count in self._repeated.items():
            for outcome in outcomes:
                totals[outcome] += count.times
        return totals
