"""Limits per minute, counted in this process and forgotten after it.

A refusal or withdrawal has an allowance of its own that is much larger, so that under pressure acceptances are
turned away first (SVC-05). Fields as in the IETF draft "RateLimit header fields for HTTP".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from consent_service.domain.errors import TooManyRequests

WINDOW = 60
"""Seconds of one window."""
REFUSAL_FACTOR = 10
"""How many times more refusals than acceptances are taken."""
_MAX_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands with one limit after a request."""

    name: str
    limit: int
    left: int
    reset: int
    """Whole seconds until the window ends."""

    def headers(self) -> dict[str, str]:
        """Give the fields that tell the caller."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={WINDOW}',
            "RateLimit": f'"{self.name}";r={self.left};t={self.reset}',
        }


class Limited(TooManyRequests):
    """The limit of requests in a minute is reached."""

    def __init__(self, standing: Standing) -> None:
        """Keep where the caller stands."""
        super().__init__(retry_after=max(1, standing.reset))
        self.standing = standing


class Limits:
    """Counts requests by caller."""

    def __init__(
        self,
        *,
        visitor_writes: int,
        address_writes: int,
        address_reads: int,
        key_requests: int,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow so many in a minute; 0 key requests means no limit."""
        self._visitor_writes = visitor_writes
        self._address_writes = address_writes
        self._address_reads = address_reads
        self._key_requests = key_requests
        self._seconds = seconds
        self._window = -1
        self._counts: dict[tuple[str, str], int] = {}

    @property
    def counts_keys(self) -> bool:
        """Tell whether requests of storefront keys are counted at all."""
        return self._key_requests > 0

    def browser_read(self, address: str) -> Standing:
        """Count a read from a client address; raises Limited."""
        return self._count("reads", address, self._address_reads)

    def browser_write(self, address: str, visitor_id: str | None, *, refusal: bool) -> Standing:
        """Count a write of a visitor and of its address; raises Limited."""
        standing = self._write("address", address, self._address_writes, refusal=refusal)
        if visitor_id is None:
            return standing
        return self._write("visitor", visitor_id, self._visitor_writes, refusal=refusal)

    def storefront(self, key_id: str) -> Standing | None:
        """Count a request of a storefront key; raises Limited, gives None where there is no limit."""
        return self._count("key", key_id, self._key_requests) if self._key_requests else None

    def _write(self, whose: str, caller: str, limit: int, *, refusal: bool) -> Standing:
        # A refusal counts as a write too, so where refusals are turned away acceptances have been so for long.
        standing = self._count(f"{whose}-writes", caller, limit, raises=not refusal)
        return self._count(f"{whose}-refusals", caller, limit * REFUSAL_FACTOR) if refusal else standing

    def _count(self, name: str, caller: str, limit: int, *, raises: bool = True) -> Standing:
        now = self._seconds()
        window = int(now // WINDOW)
        if window != self._window or len(self._counts) >= _MAX_BUCKETS:
            # A flood of callers empties the table rather than filling the memory.
            self._window = window
            self._counts.clear()
        count = self._counts.get((name, caller), 0) + 1
        self._counts[name, caller] = count
        standing = Standing(name, limit, max(0, limit - count), int((window + 1) * WINDOW - now) + 1)
        if raises and count > limit:
            raise Limited(standing)
        return standing
