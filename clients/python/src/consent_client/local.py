"""Local decisions: the answers that a verified state gives with no request made."""

import time
from collections.abc import Callable, Iterator

from consent_client.answers import UNAVAILABLE, Answer, allowed
from consent_client.rules import Rules
from consent_client.signals import NO_SIGNALS, Signals
from consent_client.tokens import State
from consent_client.trackers import TrackerTable
from consent_client.vocabulary import CATEGORIES

_MOST_NAMES = 1000


class LocalDecisions:
    """The answers for one state under one request's signals; any name may be asked.

    Without a table of the state's own policy version only what is surely exempt is allowed.
    """

    __slots__ = ("_answers", "_clock", "_rules", "degraded", "expires_at", "signals", "state", "table")

    def __init__(
        self,
        state: State | None,
        signals: Signals = NO_SIGNALS,
        table: TrackerTable | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = state
        """None where the cookie was missing, expired, forged or of another site."""
        self.signals = signals
        self.table = table
        self.degraded = state is None
        self.expires_at = state.expires_at if state is not None else float("inf")
        fits = state is not None and table is not None and table.policy_version == state.policy_version
        self._rules = Rules(state, signals, table) if fits and state is not None and table is not None else None
        self._clock = clock
        self._answers: dict[str, Answer | None] = {}

    @property
    def visitor_id(self) -> str | None:
        """The visitor whom the state names."""
        return self.state.visitor_id if self.state is not None else None

    @property
    def signals_unrecorded(self) -> bool:
        """Tell whether the request shows a signal that the service has not recorded yet, and so must be told of."""
        if self.state is None:
            return False
        new_dnt = self.signals.dnt is not None and self.signals.dnt != self.state.dnt
        return new_dnt or (self.signals.gpc and not self.state.gpc)

    def open_names(self) -> Iterator[str]:
        """Go through what a page may hold and only the service can decide for this visitor; e-mail pixels are not."""
        names = (*CATEGORIES, *(self.table.page_names() if self.table is not None else ()))
        return (name for name in names if self.settled(name) is None)

    def allows(self, name: str) -> bool:
        """Tell whether a tracker or category may run; what needs consent is denied once the state has expired."""
        return self[name].allow

    def __getitem__(self, name: str) -> Answer:
        answer = self.settled(name) or UNAVAILABLE
        if self._clock() >= self.expires_at and answer.reason != "exempt":
            return UNAVAILABLE
        return answer

    def settled(self, name: str) -> Answer | None:
        """Give the answer that holds here, or None where the state alone does not settle it."""
        try:
            return self._answers[name]
        except KeyError:
            answer = self._decide(name)
        # A page asks for few names; whoever asks for very many may not fill the memory with them.
        if len(self._answers) < _MOST_NAMES:
            self._answers[name] = answer
        return answer

    def _decide(self, name: str) -> Answer | None:
        if self._rules is None:
            return exempt_answer(self.table, name)
        return self._rules.category(name) if name in CATEGORIES else self._rules.tracker(name, self._clock())


def exempt_answer(table: TrackerTable | None, name: str) -> Answer | None:
    """Allow what needs no consent of anybody anywhere, by the last table that was fetched; None for all else."""
    if name == "strictly_necessary":
        return allowed("exempt")
    entries = table.find(name) if table is not None and name not in CATEGORIES else ()
    if not entries or not all(entry.surely_exempt for entry in entries):
        return None
    ages = [entry.lifetime for entry in entries if entry.lifetime is not None]
    return allowed("exempt", min(ages, default=None))
