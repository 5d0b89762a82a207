"""What webhook endpoints have not yet been told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consent_service.domain.webhooks import Delivery, Endpoint, Failure


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that an endpoint was never told, and why."""

    endpoint: str
    visitor_id: str
    seq: int
    created_at: datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What an endpoint has not yet been told: how many events wait, since when, and how many were given up."""

    waiting: int = 0
    oldest: datetime | None = None
    dead: int = 0


class Outbox(Protocol):
    """What webhook endpoints have not yet been told; the change writer fills it in the transaction of the change."""

    async def claim(self, endpoint: Endpoint, now: datetime, until: datetime, limit: int) -> list[Delivery]:
        """Take what is due for an endpoint, one event of a visitor at a time; nobody else gets it before `until`."""

    async def settle(self, delivered: Sequence[Delivery], failed: Sequence[Failure]) -> None:
        """Note what became of claimed deliveries."""

    async def dead(self, site: str, endpoint: str | None, limit: int) -> list[DeadLetter]:
        """List what was given up, for one endpoint or for all of the site."""

    async def revive(self, endpoint: Endpoint, now: datetime) -> int:
        """Make the dead letters of an endpoint due again; gives their number."""

    async def replay(self, endpoint: Endpoint, after: int, limit: int, now: datetime) -> tuple[int, int | None]:
        """Queue events of the log behind `after` again, of at most `limit` places.

        Gives how many there were and behind which seq to go on; None at the end of the log.
        """

    async def backlog(self, site: str) -> dict[str, Backlog]:
        """Tell by endpoint what waits; an endpoint for which nothing waits is left out."""

    async def depth(self, endpoint: Endpoint, most: int) -> Backlog:
        """Tell what waits for an endpoint at the cost of `most` rows: beyond them neither events nor dead ones count.

        Those that are due first are looked at first, and `oldest` is the oldest among them.
        """

    async def drop_dead(self, before: datetime, limit: int) -> int:
        """Forget dead letters of changes older than `before`; gives how many."""
