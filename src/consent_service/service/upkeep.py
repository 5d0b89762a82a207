"""Removes what nobody needs any more, in small batches beside the service: every process does, and none leads.

Rows that another process is removing, or a writer is using, are passed over and come up the next time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_service.domain.errors import ConsentError
from consent_service.ports import Clock, Store

_log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
BATCH = 500
"""Rows in one transaction: it holds no writer up for longer than a few hundredths of a second."""
MOST_BATCHES = 100
"""In one round, so that a mountain is carried off over some minutes and not at once."""
DEAD_LETTERS_KEPT = timedelta(days=30)

Chore = Callable[[datetime, int], Awaitable[int]]
"""Removes at most so many rows as of now; gives how many there were."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The chores of one process."""

    store: Store
    clock: Clock

    async def watch(self) -> None:
        """Do them regularly until cancelled; an unreachable store is tried again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.tidy()
            except (ConsentError, OSError) as error:
                _log.warning("nothing could be tidied up: %s", type(error).__name__)

    async def tidy(self) -> int:
        """Remove lapsed idempotency keys and old dead letters; gives how many rows went."""
        chores: tuple[Chore, ...] = (
            self.store.holdings.drop_lapsed_keys,
            lambda now, limit: self.store.outbox.drop_dead(now - DEAD_LETTERS_KEPT, limit),
        )
        return sum([await self._carry_out(chore) for chore in chores])

    async def _carry_out(self, chore: Chore) -> int:
        removed = 0
        for _ in range(MOST_BATCHES):
            found = await chore(self.clock(), BATCH)
            removed += found
            if found < BATCH:
                break
        return removed
