"""The coalescing reader by itself: how many statements it sends, and what becomes of those who wait too long."""

import asyncio
from collections.abc import Sequence

import pytest

from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record_text import StoredVisitor
from consent_service.storage import reader
from consent_service.storage.reader import CoalescingReader, VisitorKey
from tests.storage.changes import visitor
from tests.support.builders import SITE

KNOWN = StoredVisitor(1, "{}", "[1,1,0]")


class Database:
    """Knows every visitor but the ninth, and answers when a test lets it."""

    def __init__(self) -> None:
        self.statements: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fails: list[Exception] = []
        self.revision = 1

    async def fetch(self, keys: Sequence[VisitorKey]) -> dict[VisitorKey, StoredVisitor]:
        """Answer one statement."""
        self.statements.append([visitor_id for _, visitor_id in keys])
        found = StoredVisitor(self.revision, KNOWN.facts, KNOWN.times)
        await self.open.wait()
        if self.fails:
            raise self.fails.pop()
        return {key: found for key in keys if key[1] != visitor(9)}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait hardly at all."""
    monkeypatch.setattr(reader, "READ_SECONDS", 0.02)


async def get_all(reading: CoalescingReader, numbers: Sequence[int]) -> list[StoredVisitor | BaseException | None]:
    """Look visitors up side by side."""
    return await asyncio.gather(*(reading.get(SITE, visitor(n)) for n in numbers), return_exceptions=True)


async def started() -> None:
    """Let everything run that can run now."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_lookups_of_one_moment_are_one_statement() -> None:
    database = Database()
    found = await get_all(CoalescingReader(database.fetch), [1, 2, 9, 2, 1])
    assert database.statements == [[visitor(1), visitor(2), visitor(9)]]
    assert found == [KNOWN, KNOWN, None, KNOWN, KNOWN]


async def test_lookups_during_a_statement_share_the_next() -> None:
    database = Database()
    database.open.clear()
    reading = CoalescingReader(database.fetch)
    first = asyncio.create_task(reading.get(SITE, visitor(1)))
    await started()
    others = asyncio.create_task(get_all(reading, range(2, 8)))
    await started()
    database.open.set()
    await asyncio.gather(first, others)
    assert [len(statement) for statement in database.statements] == [1, 6]


async def test_a_lookup_never_joins_a_statement_that_has_been_sent() -> None:
    """CON-12: what was acknowledged before the question is in the answer."""
    database = Database()
    database.open.clear()
    reading = CoalescingReader(database.fetch)
    early = asyncio.create_task(reading.get(SITE, visitor(1)))
    await started()
    database.revision = 2
    late = asyncio.create_task(reading.get(SITE, visitor(1)))
    await started()
    database.open.set()
    revisions = [found.revision for found in await asyncio.gather(early, late) if found]
    assert revisions == [1, 2]


async def test_two_lanes_send_two_statements_at_once() -> None:
    database = Database()
    database.open.clear()
    reading = CoalescingReader(database.fetch, lanes=2)
    tasks = [asyncio.create_task(reading.get(SITE, visitor(1)))]
    await started()
    tasks.append(asyncio.create_task(reading.get(SITE, visitor(2))))
    await started()
    assert database.statements == [[visitor(1)], [visitor(2)]]
    database.open.set()
    await asyncio.gather(*tasks)


async def test_more_visitors_than_fit_one_statement_are_read_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_KEYS", 4)
    database = Database()
    found = await CoalescingReader(database.fetch).get_many(SITE, [visitor(n) for n in range(10)])
    assert [len(statement) for statement in database.statements] == [4, 4, 2]
    assert sorted(found) == [visitor(n) for n in range(9)]


@pytest.mark.usefixtures("impatient")
async def test_a_store_that_does_not_answer_is_given_up() -> None:
    """Contract §8: a decision is answered within 300 ms."""
    database = Database()
    database.open.clear()
    reading = CoalescingReader(database.fetch)
    with pytest.raises(StoreUnavailable):
        await reading.get(SITE, visitor(1))
    database.open.set()
    assert await reading.get(SITE, visitor(1)) == KNOWN


@pytest.mark.usefixtures("impatient")
async def test_whoever_asks_after_others_gave_up_has_a_time_limit_too() -> None:
    database = Database()
    database.open.clear()
    reading = CoalescingReader(database.fetch)
    sent = asyncio.create_task(reading.get(SITE, visitor(1)))
    await started()
    gathering = asyncio.create_task(reading.get(SITE, visitor(2)))
    await asyncio.wait([sent, gathering])
    async with asyncio.timeout(5):
        outcomes = [*await asyncio.gather(sent, gathering, return_exceptions=True), *await get_all(reading, [3])]
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    database.open.set()


@pytest.mark.parametrize("failure", [StoreUnavailable(), ValueError("a row nobody can read")])
async def test_a_statement_that_fails_is_told_to_all_who_shared_it(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database()
    database.fails = [failure]
    reading = CoalescingReader(database.fetch)
    outcomes = await get_all(reading, [1, 2])
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
    assert await reading.get(SITE, visitor(1)) == KNOWN
    assert ("a lookup failed" in caplog.text) is isinstance(failure, ValueError)


async def test_more_than_may_wait_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_WAITING", 3)
    database = Database()
    reading = CoalescingReader(database.fetch)
    outcomes = await get_all(reading, range(5))
    assert [type(outcome) for outcome in outcomes] == [StoredVisitor] * 3 + [StoreUnavailable] * 2
    assert reading.waiting == 0
