"""A memory of the rules, by what the rules look at: equal facts are decided once.

It is not a memory of consent. Whoever asks it has just read the visitor's row, or written it; what is remembered is
what follows from such a row under one version of the policy. Moments count by whether they have passed.
"""

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from consent_service.domain.record_text import StoredVisitor, passed
from consent_service.domain.signals import Signals

REMEMBERED = 20_000
"""Entries of one memory, where it is not told what they weigh; beyond them it starts anew."""

Found = TypeVar("Found")


class Facts(NamedTuple):
    """All that the rules look at, beside the policy; a visitor with an account is never remembered."""

    facts: str | None
    passed: tuple[bool, ...]
    signals: Signals
    region: str | None


def facts_of(stored: StoredVisitor | None, signals: Signals, region: str | None, now: datetime) -> Facts | None:
    """Give the key of a question; None where the visitor has an account, whose moments are not part of the row."""
    if stored is None:
        return Facts(None, (), signals, region)
    return None if stored.account is not None else Facts(stored.facts, passed(stored.times, now), signals, region)


class RuleMemory(Generic[Found]):
    """Remembers what was decided under each version of the policy, of however many sites."""

    __slots__ = ("_dependent", "_found", "_held", "_most", "_of", "_versions", "_weigh")
    _found: dict[Hashable, Found]
    _held: int
    _of: object
    _versions: dict[int, tuple[object, dict[Hashable, Found]]]

    def __init__(
        self,
        most: int = REMEMBERED,
        weigh: Callable[[Found], int] = lambda _: 1,
        dependent: "RuleMemory[Any] | None" = None,
    ) -> None:
        """Begin empty; start anew where what is held weighs `most`, with `dependent`, which holds parts of it."""
        self._most = most
        self._weigh = weigh
        self._dependent = dependent
        self.forget()

    def recall(self, version: object, key: Hashable | None, decide: Callable[[], Found]) -> Found:
        """Give what was decided for equal facts, or decide."""
        if key is None:
            return decide()
        if version is not self._of:
            self._of, self._found = self._versions.setdefault(id(version), (version, {}))
        try:
            return self._found[key]
        except KeyError:
            found = decide()
            weight = self._weigh(found)
            if self._held + weight > self._most:
                self.forget()
                self._of, self._found = self._versions.setdefault(id(version), (version, {}))
            self._held += weight
            self._found[key] = found
            return found

    def forget(self) -> None:
        """Start anew."""
        if self._dependent is not None:
            self._dependent.forget()
        # By the version's identity, which is its own as long as it is held here.
        self._versions = {}
        self._found, self._of, self._held = {}, None, 0
