"""The coalescing reader: concurrent lookups of visitors become one statement on the primary.

Nothing is remembered between statements. A lookup only ever joins a statement that has not been sent yet, so what
was acknowledged before a request is seen by it, from every replica.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record_text import StoredVisitor
from consent_service.measures import SECONDS, SIZES, Histogram

_log = logging.getLogger(__name__)

VisitorKey = tuple[str, str]
Fetch = Callable[[Sequence[VisitorKey]], Awaitable[dict[VisitorKey, StoredVisitor]]]

READ_SECONDS = 0.25
"""How long a lookup may take before it is answered without the store (contract §8: 300 ms in all)."""
MAX_KEYS = 512
"""Visitors in one statement."""
MAX_WAITING = 20_000
"""Lookups that may wait before new ones are turned away."""


class _Batch:
    """The lookups that will share one statement."""

    __slots__ = ("timer", "waiters")

    def __init__(self, loop: asyncio.AbstractEventLoop, expire: Callable[["_Batch"], None]) -> None:
        self.waiters: dict[VisitorKey, list[asyncio.Future[StoredVisitor | None]]] = {}
        self.timer = loop.call_later(READ_SECONDS, expire, self)

    def fail(self, error: Exception) -> None:
        for futures in self.waiters.values():
            for future in futures:
                if not future.done():
                    future.set_exception(error)

    def settle(self, found: dict[VisitorKey, StoredVisitor]) -> None:
        for key, futures in self.waiters.items():
            visitor = found.get(key)
            for future in futures:
                if not future.done():
                    future.set_result(visitor)


class CoalescingReader:
    """Answers single lookups by shared statements; `lanes` of them may be under way at once."""

    def __init__(self, fetch: Fetch, lanes: int = 1) -> None:
        """Use `fetch` to read a list of visitors in one go."""
        self._fetch = fetch
        self._idle = lanes
        self._batch: _Batch | None = None
        self._waiting = 0
        self.batch_sizes = Histogram(SIZES)
        self.batch_seconds = Histogram(SECONDS)
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, site: str, visitor_id: str) -> StoredVisitor | None:
        """Read one visitor; raises StoreUnavailable where there is no answer in time."""
        return await self._future(site, visitor_id)

    async def get_many(self, site: str, visitor_ids: Sequence[str]) -> dict[str, StoredVisitor]:
        """Read several visitors of a site; the unknown are left out."""
        wanted = list(dict.fromkeys(visitor_ids))
        found = await asyncio.gather(*(self._future(site, visitor_id) for visitor_id in wanted))
        return {visitor_id: visitor for visitor_id, visitor in zip(wanted, found, strict=True) if visitor is not None}

    @property
    def waiting(self) -> int:
        """Give the number of lookups that have no answer yet."""
        return self._waiting

    async def stop(self) -> None:
        """Wait for the statements under way."""
        await asyncio.gather(*self._tasks)

    def _future(self, site: str, visitor_id: str) -> "asyncio.Future[StoredVisitor | None]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[StoredVisitor | None] = loop.create_future()
        if self._waiting >= MAX_WAITING:
            future.set_exception(StoreUnavailable("Too many lookups are waiting.", retry_after=1))
            return future
        if self._batch is None:
            self._batch = _Batch(loop, self._expire)
            if self._idle:
                self._idle -= 1
                # The statement goes out at the next turn of the loop: whatever arrives in this one joins it.
                task = loop.create_task(self._serve())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        self._batch.waiters.setdefault((site, visitor_id), []).append(future)
        self._waiting += 1
        future.add_done_callback(self._answered)
        return future

    def _expire(self, batch: _Batch) -> None:
        if self._batch is batch:
            # It was never sent. Whoever asks from now on gathers anew, with a time limit that is still to come.
            self._batch = None
        batch.fail(StoreUnavailable())

    def _answered(self, future: "asyncio.Future[StoredVisitor | None]") -> None:
        self._waiting -= 1

    async def _serve(self) -> None:
        try:
            while self._batch is not None:
                batch, self._batch = self._batch, None
                started = time.perf_counter()
                try:
                    keys = list(batch.waiters)
                    self.batch_sizes.observe(len(keys))
                    found: dict[VisitorKey, StoredVisitor] = {}
                    for start in range(0, len(keys), MAX_KEYS):
                        found |= await self._fetch(keys[start : start + MAX_KEYS])
                    batch.settle(found)
                except StoreUnavailable as error:
                    batch.fail(error)
                except Exception:  # noqa: BLE001 - it goes to the log, and the waiters are told
                    # Every waiter must be told, whatever went wrong; the log keeps what it was.
                    _log.exception("a lookup failed")
                    batch.fail(StoreUnavailable())
                finally:
                    self.batch_seconds.observe(time.perf_counter() - started)
                    batch.timer.cancel()
        finally:
            self._idle += 1
