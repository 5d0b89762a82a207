"""How webhooks stand: what waits for the endpoints of each site, and what became of the deliveries of this process.

The outbox is looked at beside the service, so that whoever asks for measurements waits for no database. Each look
costs the same however much waits, since it counts up to a limit.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from consent_service.domain.errors import ConsentError
from consent_service.ports import Backlog, Outbox
from consent_service.service.sites import Sites

_log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""How often the outbox is looked at: as often as a scraper usually asks."""
MOST = 10_000
"""Events that are counted for one endpoint, waiting and given up each; whether there are more changes no alarm."""


class Outcome(StrEnum):
    """What became of one attempt to tell an endpoint; `failed` is tried again, `given_up` is a dead letter."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GIVEN_UP = "given_up"


@dataclass(slots=True)
class WebhookStandings:
    """What this process knows."""

    outbox: Outbox
    sites: Sites
    backlogs: dict[str, Backlog] = field(default_factory=dict)
    """By site, all its endpoints together, as they were at the last look; sites without an endpoint are not in it."""
    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    """By site, since the process began; the courier counts."""

    async def watch(self) -> None:
        """Look until cancelled. While the store is away the last look stands, and what it found grows older."""
        while True:
            try:
                await self.look()
            except (ConsentError, OSError) as error:
                _log.warning("the outbox of webhooks could not be looked at: %s", type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look at what waits for every endpoint."""
        found: dict[str, list[Backlog]] = {}
        for endpoint in self.sites.endpoints:
            found.setdefault(endpoint.site, []).append(await self.outbox.depth(endpoint, MOST))
        self.backlogs = {site: _together(backlogs) for site, backlogs in found.items()}


def _together(backlogs: Sequence[Backlog]) -> Backlog:
    oldest = min((backlog.oldest for backlog in backlogs if backlog.oldest is not None), default=None)
    return Backlog(sum(b.waiting for b in backlogs), oldest, sum(b.dead for b in backlogs))
