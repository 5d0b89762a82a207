"""The group-commit writer: whatever is waiting goes into one transaction, and nobody is answered before its commit.

One transaction at a time keeps the order plain; while it is under way the next batch gathers by itself, so the
batch grows with the load and an idle service adds no delay. A store may prepare the next batch meanwhile: what that
one finds and computes rests on the one under way, and is thrown away where that one comes to nothing.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from consent_service.domain.errors import NotFound, StoreUnavailable
from consent_service.measures import SECONDS, SIZES, Histogram
from consent_service.ports import Change, Committed, Erasure, LogEntry, Purge, Purged
from consent_service.storage.batch_state import Outcome

_log = logging.getLogger(__name__)

Request = Change | Erasure | Purge
_ALONE = (Erasure, Purge)
"""They go alone: each must see every entry of its visitors that is already in the log."""
Carry = Callable[[], Awaitable[list[Outcome]]]
"""Carries one batch out."""
RunBatch = Callable[[Sequence[Request]], Awaitable[list[Outcome]]]
Prepare = Callable[[Sequence[Request]], Awaitable[Carry | None]]
"""Does for a batch what can be done while another is under way, and gives the rest; None where that is nothing."""
Told = Callable[[Outcome | Exception], None]
"""Hears once what a request came to, or why it was not carried out; it must not raise."""
_Asked = tuple[Request, Told]

MAX_BATCH = 256
"""Changes in one transaction; beyond it the latency of the batch grows faster than the throughput."""
_WORTH_HALVING = 16
MAX_WAITING = 4_096
"""Changes that may wait; the next one is told to come back later instead of growing the memory."""
BATCH_SECONDS = 8.0
"""How long a transaction may take before the store counts as stalled (contract §9: a 503 within 10 s)."""


class GroupCommitWriter:
    """Takes changes from many requests and carries them out in batches."""

    def __init__(self, run_batch: RunBatch, prepare: Prepare | None = None) -> None:
        """Use `run_batch` for one durable transaction; it raises StoreUnavailable where nothing was stored."""
        self._run_batch = run_batch
        self._prepare = prepare
        self._flight: _Flight | None = None
        self._next: list[_Asked] = []
        """What is being prepared."""
        self._waiting: deque[_Asked] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.batch_sizes = Histogram(SIZES)
        self.batch_seconds = Histogram(SECONDS)
        self.outcomes: Counter[str] = Counter()
        """What changes came to: the type of each event, or how one ended without an event."""

    def start(self) -> None:
        """Begin to take changes; needs a running event loop."""
        self._task = asyncio.create_task(self._work(), name="group-commit")

    async def stop(self) -> None:
        """Carry out what is waiting, then end."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def submit(self, change: Change) -> Committed:
        """Carry out a change; returns once it is durable and raises the change's own ConsentError."""
        outcome = await self._enqueue(change)
        if not isinstance(outcome, Committed):
            raise TypeError("a change comes to a Committed")
        return outcome

    async def erase(self, erasure: Erasure) -> LogEntry | None:
        """Erase a visitor; returns once it is durable, None where there is no such visitor."""
        try:
            outcome = await self._enqueue(erasure)
        except NotFound:
            return None
        if not isinstance(outcome, LogEntry):
            raise TypeError("an erasure comes to a LogEntry")
        return outcome

    async def purge(self, purge: Purge) -> Purged:
        """Remove what has been kept long enough of some visitors; returns once it is durable."""
        outcome = await self._enqueue(purge)
        if not isinstance(outcome, Purged):
            raise TypeError("a purge comes to a Purged")
        return outcome

    @property
    def waiting(self) -> int:
        """Give the number of changes that wait for their transaction."""
        return len(self._waiting)

    def ask(self, request: Request, told: Told) -> None:
        """Carry out a request and call back: for whoever needs no task to wait in."""
        if self._stopping or self._task is None or len(self._waiting) >= MAX_WAITING:
            told(StoreUnavailable("Too many changes are waiting; nothing was stored.", retry_after=1))
            return
        self._waiting.append((request, told))
        self._wake.set()

    async def _enqueue(self, request: Request) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.ask(request, partial(_settle, future))
        return await future

    async def _work(self) -> None:
        while not (self._stopping and not self._waiting):
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._gathered()
                if self._waiting:  # else refused meanwhile
                    await self._launch(self._take())
        await self._landed()

    async def _gathered(self) -> None:
        """Wait until a batch may be taken: no other is under way, or as many wait as are, and can be prepared."""
        flight = self._flight
        while flight is not None and not flight.task.done():
            if flight.prepared and len(self._waiting) >= flight.size:
                return
            self._wake.clear()
            await self._wake.wait()

    async def _launch(self, batch: list[_Asked]) -> None:
        began = time.perf_counter()
        self._next = batch
        carry = await self._prepared(batch)
        await self._landed()
        # Empty where the batch before was refused, and this one with it.
        batch, self._next = self._next, []
        if batch:
            task = asyncio.create_task(self._carry_out(batch, carry, began))
            task.add_done_callback(lambda _: self._wake.set())
            self._flight = _Flight(task, len(batch), prepared=carry is not None)

    async def _prepared(self, batch: list[_Asked]) -> Carry | None:
        if self._prepare is None:
            return None
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                return await self._prepare([request for request, _ in batch])
        except Exception as error:  # noqa: BLE001 - the batch meets it in its turn
            return partial(_raise, error)

    async def _landed(self) -> None:
        if self._flight is not None:
            await self._flight.task
            self._flight = None

    def _take(self) -> list[_Asked]:
        most = MAX_BATCH
        if self._prepare and len(self._waiting) >= _WORTH_HALVING and (not self._flight or self._flight.task.done()):
            # In two halves: one is prepared while the other is written, where all in one would wait for both in turn.
            most = min(most, len(self._waiting) // 2)
        batch = [self._waiting.popleft()]
        while self._waiting and len(batch) < most and not isinstance(batch[-1][0], _ALONE):
            if isinstance(self._waiting[0][0], _ALONE):
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _carry_out(self, batch: list[_Asked], carry: Carry | None, began: float) -> None:
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                outcomes = await (carry() if carry else self._run_batch([request for request, _ in batch]))
        except (StoreUnavailable, TimeoutError) as error:
            self._refuse_all(batch, error)
        except Exception as error:  # noqa: BLE001 - it reaches the caller whose change it was
            await self._one_by_one(batch, error)
        else:
            self.batch_sizes.observe(len(batch))
            self.batch_seconds.observe(time.perf_counter() - began)
            self.outcomes.update(name for outcome in outcomes for name in _names(outcome))
            # The next batch is on its way to the database before this one's callers are answered.
            asyncio.get_running_loop().call_soon(_tell, batch, outcomes)

    def _refuse_all(self, batch: list[_Asked], error: Exception) -> None:
        refusal = error if isinstance(error, StoreUnavailable) else StoreUnavailable()
        # Whoever waited behind a stalled batch has waited long enough.
        refused = (*batch, *self._next, *self._waiting)
        self.outcomes["unavailable"] += len(refused)
        self._next = []
        self._waiting.clear()
        for _, told in refused:
            told(refusal)

    async def _one_by_one(self, batch: list[_Asked], error: Exception) -> None:
        if len(batch) == 1:
            batch[0][1](error)
            return
        _log.error("a batch failed and is carried out one by one", exc_info=error)
        for item in batch:
            await self._carry_out([item], None, time.perf_counter())


@dataclass(frozen=True, slots=True)
class _Flight:
    """A batch under way."""

    task: "asyncio.Task[None]"
    size: int
    prepared: bool


async def _raise(error: Exception) -> list[Outcome]:
    raise error


def _tell(batch: Sequence[_Asked], outcomes: Sequence[Outcome]) -> None:
    for (_, told), outcome in zip(batch, outcomes, strict=True):
        told(outcome)


def _names(outcome: Outcome) -> Iterator[str]:
    if isinstance(outcome, Committed):
        if outcome.replayed:
            yield "replayed"
        elif not outcome.event_types:
            yield "unchanged"
        else:
            yield from [event_type.value for event_type in outcome.event_types]
    else:
        yield "erased" if isinstance(outcome, LogEntry) else "refused"


def _settle(future: "asyncio.Future[Outcome]", outcome: Outcome | Exception) -> None:
    if future.done():  # the caller has gone; the change stands all the same
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
