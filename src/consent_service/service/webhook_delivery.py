"""Delivers webhooks: takes what is due out of the outbox, posts it, and notes what became of it.

Every process does so; the outbox gives nothing to two of them. A message may arrive twice (a process may die between
the receiver's answer and its note), never not at all within a day, and those about one visitor arrive in order.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from consent_service.domain.errors import ConsentError
from consent_service.domain.webhooks import Delivery, Endpoint, Failure, headers, message, next_attempt
from consent_service.ports import Clock, Outbox
from consent_service.service.sites import Sites
from consent_service.service.webhook_standings import Outcome
from consent_service.service.webhooks import SecretOf

_log = logging.getLogger("consent_service.webhooks")

LOOK_SECONDS = 1.0
AT_ONCE = 16
"""Messages under way to one endpoint from one process."""
LEASE = timedelta(seconds=60)
"""How long a claim holds: well over what a post may take, so that nobody else sends what is still being sent."""

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[None]]
"""Posts a body to an address; raises DeliveryFailed."""


class DeliveryFailed(Exception):
    """The receiver did not take a message; the text is ours and holds nothing of its answer but the status."""


@dataclass(slots=True)
class _Rest:
    """How often in a row nothing at all got through to an endpoint, and until when it is left alone."""

    times: int
    until: datetime


@dataclass(slots=True)
class Courier:
    """Delivers for all sites of this process."""

    outbox: Outbox
    sites: Sites
    clock: Clock
    secret_of: SecretOf
    post: Post
    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    """Attempts by site and what became of them, counted once the outbox has it noted."""
    _resting: dict[str, _Rest] = field(default_factory=dict)
    _under_way: dict[str, "asyncio.Task[int]"] = field(default_factory=dict)

    async def watch(self) -> None:
        """Deliver until cancelled. Each endpoint has a task of its own, so that a slow one holds up nobody else."""
        try:
            while True:
                for endpoint in self.sites.endpoints:
                    if endpoint.id not in self._under_way or self._under_way[endpoint.id].done():
                        self._under_way[endpoint.id] = asyncio.create_task(self._deliver_quietly(endpoint))
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def deliver(self, endpoint: Endpoint) -> int:
        """Deliver what is due for an endpoint; gives how many messages it took.

        Where nothing gets through the endpoint is left alone for a while, whatever else is due.
        """
        taken = 0
        rest = self._resting.get(endpoint.id)
        if rest is not None and self.clock() < rest.until:
            return taken
        while claimed := await self._claim(endpoint):
            outcomes = await asyncio.gather(*(self._attempt(endpoint, delivery) for delivery in claimed))
            failed = [outcome for outcome in outcomes if outcome is not None]
            failing = {failure.delivery for failure in failed}
            await self.outbox.settle([d for d in claimed if d not in failing], failed)
            delivered = len(claimed) - len(failed)
            taken += delivered
            self.outcomes[endpoint.site, Outcome.DELIVERED] += delivered
            self._report(endpoint, failed)
            if len(failed) == len(claimed):
                self._let_rest(endpoint, rest.times if rest else 0)
                return taken
            rest = None
            self._resting.pop(endpoint.id, None)
        return taken

    async def _claim(self, endpoint: Endpoint) -> list[Delivery]:
        now = self.clock()
        return await self.outbox.claim(endpoint, now, now + LEASE, AT_ONCE)

    async def _attempt(self, endpoint: Endpoint, delivery: Delivery) -> Failure | None:
        told = message(delivery)
        fields = {"content-type": "application/json", **headers(self.secret_of(endpoint), told, self.clock())}
        try:
            await self.post(endpoint.url, fields, told.body)
        except DeliveryFailed as error:
            return Failure(delivery, next_attempt(delivery, self.clock()), str(error))
        return None

    def _let_rest(self, endpoint: Endpoint, times: int) -> None:
        wait = timedelta(seconds=min(2 ** min(times, 6), 60))
        self._resting[endpoint.id] = _Rest(times + 1, self.clock() + wait)

    def _report(self, endpoint: Endpoint, failed: Sequence[Failure]) -> None:
        dead = sum(failure.due_at is None for failure in failed)
        self.outcomes[endpoint.site, Outcome.GIVEN_UP] += dead
        self.outcomes[endpoint.site, Outcome.FAILED] += len(failed) - dead
        if dead:
            _log.error("%d messages to endpoint %s of %s were given up", dead, endpoint.id, endpoint.site)
        elif failed:
            _log.warning("%d messages to endpoint %s failed: %s", len(failed), endpoint.id, failed[0].error)

    async def _deliver_quietly(self, endpoint: Endpoint) -> int:
        try:
            return await self.deliver(endpoint)
        except (ConsentError, OSError, ValueError) as error:
            _log.warning("webhooks could not be delivered: %s", type(error).__name__)
            return 0
