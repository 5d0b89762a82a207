"""The coalescing reader: concurrent lookups of visitors become one statement on the primary.

Nothing is remembered between statements. A lookup only ever joins a statement that has not been sent yet, so what
was acknowledged before a request is seen by it, from every replica.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record_text import StoredVisitor
from consent_service.measures import SECONDS, SIZES, Histogram

_log = logging.getLogger(__name__)

VisitorKey = tuple[str, str]
Told = Callable[[StoredVisitor | None, StoreUnavailable | None], None]
"""Hears of a lookup's end, once: the visitor or None for an unknown one, or the error."""
Fetch = Callable[[Sequence[VisitorKey]], Awaitable[dict[VisitorKey, StoredVisitor]]]

READ_SECONDS = 0.25
"""How long a lookup may take before it is answered without the store (contract §8: 300 ms in all)."""
MAX_KEYS = 512
"""Visitors in one statement."""
MAX_WAITING = 20_000
"""Lookups that may wait before new ones are turned away."""


class _Batch:
    """The lookups that will share one statement."""

    __slots__ = ("size", "timer", "waiters")

    def __init__(self, loop: asyncio.AbstractEventLoop, expire: Callable[["_Batch"], None]) -> None:
        self.waiters: dict[VisitorKey, list[Told]] = {}
        self.size = 0
        self.timer = loop.call_later(READ_SECONDS, expire, self)

    def add(self, key: VisitorKey, told: Told) -> None:
        self.size += 1
        if key in self.waiters:
            self.waiters[key].append(told)
        else:
            self.waiters[key] = [told]

    def settle(self, found: dict[VisitorKey, StoredVisitor], error: StoreUnavailable | None) -> None:
        """Tell everybody, once."""
        waiters = self.waiters
        self.waiters, self.size = {}, 0
        for key, those in waiters.items():
            visitor = found.get(key)
            for told in those:
                told(visitor, error)


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

    def ask(self, site: str, visitor_id: str, told: Told) -> None:
        """Read one visitor and call back: for whoever needs no task to wait in."""
        if self._waiting >= MAX_WAITING:
            told(None, StoreUnavailable("Too many lookups are waiting.", retry_after=1))
            return
        self._waiting += 1
        batch = self._batch
        if batch is None:
            loop = asyncio.get_running_loop()
            batch = self._batch = _Batch(loop, self._expire)
            if self._idle:
                self._idle -= 1
                # The statement goes out at the next turn of the loop: whatever arrives in this one joins it.
                task = loop.create_task(self._serve())
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        batch.add((site, visitor_id), told)

    async def get_many(self, site: str, visitor_ids: Sequence[str]) -> dict[str, StoredVisitor]:
        """Read several visitors of a site; the unknown are left out."""
        wanted = dict.fromkeys(visitor_ids)
        found: dict[str, StoredVisitor] = {}
        left = len(wanted)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def told(visitor_id: str, visitor: StoredVisitor | None, error: StoreUnavailable | None) -> None:
            nonlocal left
            left -= 1
            if visitor is not None:
                found[visitor_id] = visitor
            if done.done():
                return
            if error is not None:
                done.set_exception(error)
            elif left == 0:
                done.set_result(None)

        for visitor_id in wanted:
            self.ask(site, visitor_id, partial(told, visitor_id))
        if wanted:
            await done
        return found

    @property
    def waiting(self) -> int:
        """Give the number of lookups that have no answer yet."""
        return self._waiting

    async def stop(self) -> None:
        """Wait for the statements under way."""
        await asyncio.gather(*self._tasks)

    def _future(self, site: str, visitor_id: str) -> "asyncio.Future[StoredVisitor | None]":
        future: asyncio.Future[StoredVisitor | None] = asyncio.get_running_loop().create_future()
        self.ask(site, visitor_id, partial(_settle, future))
        return future

    def _expire(self, batch: _Batch) -> None:
        if self._batch is batch:
            # It was never sent. Whoever asks from now on gathers anew, with a time limit that is still to come.
            self._batch = None
        self._settle(batch, {}, StoreUnavailable())

    def _settle(
        self, batch: _Batch, found: dict[VisitorKey, StoredVisitor], error: StoreUnavailable | None = None
    ) -> None:
        self._waiting -= batch.size
        batch.settle(found, error)

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
                    self._settle(batch, found)
                except StoreUnavailable as error:
                    self._settle(batch, {}, error)
                except Exception:  # noqa: BLE001 - it goes to the log, and the waiters are told
                    # Every waiter must be told, whatever went wrong; the log keeps what it was.
                    _log.exception("a lookup failed")
                    self._settle(batch, {}, StoreUnavailable())
                finally:
                    self.batch_seconds.observe(time.perf_counter() - started)
                    batch.timer.cancel()
        finally:
            self._idle += 1


def _settle(
    future: "asyncio.Future[StoredVisitor | None]", visitor: StoredVisitor | None, error: StoreUnavailable | None
) -> None:
    if future.done():  # whoever waited has gone
        return
    if error is None:
        future.set_result(visitor)
    else:
        future.set_exception(error)
