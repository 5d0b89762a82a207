"""The group-commit writer by itself: who is answered when, and what a transaction that fails does to the others."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from consent_service.domain.errors import NotFound, StoreUnavailable
from consent_service.ports import Change, Committed, Erasure, Reply
from consent_service.storage import writer
from consent_service.storage.batch_state import Outcome
from consent_service.storage.writer import GroupCommitWriter
from tests.storage.changes import answering, erasing, visitor

CHANGES = [answering(visitor(number)) for number in range(6)]


def done(request: Change | Erasure) -> Committed:
    """Give the outcome of a change that was carried out."""
    return Committed(Reply(200, (), request.visitor_id.encode()), None)


class Database:
    """Carries batches out as far as a test lets it, and remembers them."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fails: list[Exception] = []
        self.chokes_on = ""

    async def run(self, requests: Sequence[Change | Erasure]) -> list[Outcome]:
        """Carry out one batch."""
        self.batches.append([request.visitor_id for request in requests])
        await self.open.wait()
        if self.fails:
            raise self.fails.pop()
        if self.chokes_on in self.batches[-1]:
            raise ValueError(self.chokes_on)
        return [NotFound() if isinstance(request, Erasure) else done(request) for request in requests]


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[GroupCommitWriter]:
    """Run a writer on a database."""
    running = GroupCommitWriter(database.run)
    running.start()
    yield running
    await running.stop()


async def started() -> None:
    """Let everything run that can run now."""
    for _ in range(10):
        await asyncio.sleep(0)


def submitted(running: GroupCommitWriter, changes: Sequence[Change]) -> list["asyncio.Task[Committed]"]:
    """Submit changes side by side."""
    return [asyncio.create_task(running.submit(change)) for change in changes]


async def test_what_waits_while_a_transaction_is_under_way_shares_the_next() -> None:
    database = Database()
    async with writing(database) as running:
        database.open.clear()
        first = submitted(running, CHANGES[:1])
        await started()
        others = submitted(running, CHANGES[1:])
        await started()
        database.open.set()
        await asyncio.gather(*first, *others)
    assert [len(batch) for batch in database.batches] == [1, 5]


async def test_nobody_is_answered_before_the_commit() -> None:
    database = Database()
    async with writing(database) as running:
        database.open.clear()
        tasks = submitted(running, CHANGES)
        await started()
        assert not any(task.done() for task in tasks)
        database.open.set()
        answers = await asyncio.gather(*tasks)
    assert [answer.reply.body.decode() for answer in answers] == [change.visitor_id for change in CHANGES]


async def test_a_batch_is_no_longer_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_BATCH", 4)
    database = Database()
    async with writing(database) as running:
        await asyncio.gather(*submitted(running, CHANGES))
    assert [len(batch) for batch in database.batches] == [4, 2]


async def test_an_erasure_goes_alone_and_in_its_turn() -> None:
    database = Database()
    async with writing(database) as running:
        before = submitted(running, CHANGES[:2])
        erasure = asyncio.create_task(running.erase(erasing(visitor(9))))
        after = submitted(running, CHANGES[2:4])
        await asyncio.gather(*before, erasure, *after)
    assert database.batches == [[visitor(0), visitor(1)], [visitor(9)], [visitor(2), visitor(3)]]


async def test_one_change_that_breaks_the_transaction_does_not_break_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    database = Database()
    database.chokes_on = visitor(2)
    async with writing(database) as running:
        outcomes = await asyncio.gather(*submitted(running, CHANGES), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        Committed,
        Committed,
        ValueError,
        Committed,
        Committed,
        Committed,
    ]
    assert "one by one" in caplog.text


async def test_a_store_that_is_down_refuses_the_batch_and_whoever_waits_behind_it() -> None:
    database = Database()
    database.fails = [StoreUnavailable()]
    async with writing(database) as running:
        database.open.clear()
        first = submitted(running, CHANGES[:1])
        await started()
        others = submitted(running, CHANGES[1:])
        await started()
        database.open.set()
        outcomes = await asyncio.gather(*first, *others, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert len(database.batches) == 1


async def test_a_store_that_stalls_counts_as_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract §9: a write is answered 503 within 10 s."""
    monkeypatch.setattr(writer, "BATCH_SECONDS", 0.01)
    database = Database()
    async with writing(database) as running:
        database.open.clear()
        with pytest.raises(StoreUnavailable):
            await running.submit(CHANGES[0])
        database.open.set()
        assert await running.submit(CHANGES[1]) == done(CHANGES[1])


async def test_more_than_may_wait_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING", 2)
    database = Database()
    async with writing(database) as running:
        database.open.clear()
        first = submitted(running, CHANGES[:1])
        await started()
        waiting = submitted(running, CHANGES[1:3])
        await started()
        assert running.waiting == 2
        with pytest.raises(StoreUnavailable, match="Too many"):
            await running.submit(CHANGES[3])
        database.open.set()
        await asyncio.gather(*first, *waiting)


async def test_stopping_finishes_what_waits_and_takes_nothing_new() -> None:
    database = Database()
    async with writing(database) as running:
        tasks = submitted(running, CHANGES)
        await started()
        await running.stop()
        assert [task.result() for task in tasks] == [done(change) for change in CHANGES]
        with pytest.raises(StoreUnavailable):
            await running.submit(CHANGES[0])


async def test_a_caller_that_goes_away_takes_nobody_with_it() -> None:
    database = Database()
    async with writing(database) as running:
        database.open.clear()
        gone, stays = submitted(running, CHANGES[:2])
        await started()
        gone.cancel()
        await started()
        database.open.set()
        assert await stays == done(CHANGES[1])
    assert database.batches == [[visitor(0), visitor(1)]]


class Preparing(Database):
    """A database that prepares the next batch while one is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[list[str]] = []
        self.breaks_on = ""

    async def prepare(self, requests: Sequence[Change | Erasure]) -> Callable[[], Awaitable[list[Outcome]]] | None:
        """Prepare one batch; an erasure cannot be prepared."""
        if any(isinstance(request, Erasure) for request in requests):
            return None
        ids = [request.visitor_id for request in requests]
        if self.breaks_on in ids:
            raise StoreUnavailable(self.breaks_on)
        self.prepared.append(ids)
        return lambda: self.run(requests)


@asynccontextmanager
async def preparing(database: Preparing) -> AsyncIterator[GroupCommitWriter]:
    """Run a writer on such a database."""
    running = GroupCommitWriter(database.run, database.prepare)
    running.start()
    yield running
    await running.stop()


async def test_the_next_batch_is_prepared_once_as_many_wait_as_are_under_way() -> None:
    database = Preparing()
    async with preparing(database) as running:
        database.open.clear()
        first = submitted(running, CHANGES[:2])
        await started()
        early = submitted(running, CHANGES[2:3])
        await started()
        assert database.prepared == [[visitor(0), visitor(1)]]
        late = submitted(running, CHANGES[3:5])
        await started()
        assert database.prepared == [[visitor(0), visitor(1)], [visitor(2), visitor(3), visitor(4)]]
        assert database.batches == [[visitor(0), visitor(1)]]
        database.open.set()
        await asyncio.gather(*first, *early, *late)
    assert database.batches == database.prepared


async def test_what_was_prepared_behind_a_batch_that_was_refused_is_refused_with_it() -> None:
    """It was carried out on what that batch would have left."""
    database = Preparing()
    database.fails = [StoreUnavailable()]
    async with preparing(database) as running:
        database.open.clear()
        tasks = submitted(running, CHANGES[:2])
        await started()
        tasks += submitted(running, CHANGES[2:4])
        await started()
        assert len(database.prepared) == 2
        tasks += submitted(running, CHANGES[4:5])
        await started()
        database.open.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
        assert len(database.batches) == 1
        assert await running.submit(CHANGES[5]) == done(CHANGES[5])


async def test_what_cannot_be_prepared_fails_alone_and_in_its_turn() -> None:
    database = Preparing()
    database.breaks_on = visitor(2)
    async with preparing(database) as running:
        database.open.clear()
        first = submitted(running, CHANGES[:1])
        await started()
        second = submitted(running, CHANGES[2:3])
        await started()
        assert not second[0].done()
        database.open.set()
        assert await first[0] == done(CHANGES[0])
        with pytest.raises(StoreUnavailable, match=visitor(2)):
            await second[0]
        assert await running.submit(CHANGES[3]) == done(CHANGES[3])


async def test_many_that_wait_at_once_go_in_two_halves_so_that_one_can_be_prepared() -> None:
    database = Preparing()
    async with preparing(database) as running:
        await asyncio.gather(*submitted(running, [answering(visitor(n)) for n in range(32)]))
    assert [len(batch) for batch in database.batches] == [16, 16]
    assert database.prepared == database.batches


async def test_nothing_is_prepared_behind_what_cannot_be_prepared_itself() -> None:
    """What an erasure leaves is known when it is done."""
    database = Preparing()
    async with preparing(database) as running:
        database.open.clear()
        erasure = asyncio.create_task(running.erase(erasing(visitor(9))))
        await started()
        after = submitted(running, CHANGES[:2])
        await started()
        assert database.prepared == []
        database.open.set()
        await asyncio.gather(erasure, *after)
    assert database.batches == [[visitor(9)], [visitor(0), visitor(1)]]
