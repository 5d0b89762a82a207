"""Answers: may this tracker run, why, and for how long may it stay."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from consent_client.vocabulary import ALLOWING_REASONS


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision about one tracker or category."""

    allow: bool
    reason: str
    max_age: int | None = None
    """Whole seconds for which it may stay on the device; None where it ends with the session or stores nothing."""


UNAVAILABLE = Answer(allow=False, reason="unavailable")
UNREGISTERED = Answer(allow=False, reason="unregistered")


def allowed(reason: str, max_age: int | None = None) -> Answer:
    """Make an answer whose `allow` follows from its reason."""
    return Answer(reason in ALLOWING_REASONS, reason, max_age)


class Decisions:
    """The answers of one visitor by the names asked; any other name is denied."""

    __slots__ = ("_answers", "degraded")

    def __init__(self, answers: Mapping[str, Answer], *, degraded: bool = False) -> None:
        self._answers = dict(answers)
        self.degraded = degraded
        """True where the service, or its store, was away and only what needs no consent is allowed."""

    def allows(self, name: str) -> bool:
        """Tell whether a tracker or category may run; False for what was not asked."""
        return self[name].allow

    def __getitem__(self, name: str) -> Answer:
        return self._answers.get(name, UNAVAILABLE)

    def __contains__(self, name: object) -> bool:
        return name in self._answers

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def items(self) -> Iterator[tuple[str, Answer]]:
        """Go through names and answers in the order asked."""
        return iter(self._answers.items())

    def __repr__(self) -> str:
        return f"Decisions({self._answers!r}, degraded={self.degraded})"
