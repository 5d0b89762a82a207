"""What the shop remembers of a visit while it runs: who is logged in, and what became of everything it tried to set."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

_MOST_VISITS = 2_000
_MOST_NAMES = 60


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that the shop wanted to put on the visitor's device or into the page, and what became of it."""

    name: str
    kind: str
    """`cookie`, `pixel`, `script` or `embed`."""
    outcome: str
    """`set`, `kept_out`, or `removed` where it was there and is allowed no longer."""
    reason: str
    page: str


@dataclass(slots=True)
class Visit:
    """One browser session."""

    visit_id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    """The value of the session cookie."""
    reference: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    """What the third party is told instead; it leads back to nothing but this visit."""
    account: str | None = None
    linked: str | None = None
    """The visitor whom the service knows to be logged in to the account."""
    attempts: OrderedDict[str, Attempt] = field(default_factory=OrderedDict)
    """The latest by name."""

    def note(self, attempt: Attempt) -> None:
        """Keep an attempt in the place of an earlier one about the same name."""
        self.attempts[attempt.name] = attempt
        self.attempts.move_to_end(attempt.name)
        if len(self.attempts) > _MOST_NAMES:
            self.attempts.popitem(last=False)

    def kept_out(self) -> list[Attempt]:
        """Give what was not let through, the latest first."""
        return [attempt for attempt in reversed(self.attempts.values()) if attempt.outcome != "set"]


class Visits:
    """The visits of this process, at most so many; the one that was idle for longest makes room."""

    def __init__(self) -> None:
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def find(self, visit_id: str | None) -> Visit:
        """Give the visit of a session cookie, or a new one: an id that the shop did not give out counts as none."""
        known = self._visits.get(visit_id) if visit_id else None
        visit = known if known is not None else Visit()
        self._visits[visit.visit_id] = visit
        self._visits.move_to_end(visit.visit_id)
        if len(self._visits) > _MOST_VISITS:
            self._visits.popitem(last=False)
        return visit

    def renew(self, visit: Visit) -> Visit:
        """Give a visit another id and forget the old one."""
        self._visits.pop(visit.visit_id, None)
        visit.visit_id = secrets.token_urlsafe(16)
        self._visits[visit.visit_id] = visit
        return visit
