"""Two service processes on one PostgreSQL: what one acknowledged the other sees, and nobody's seq is doubled."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from consent_service.domain.errors import PreconditionFailed
from consent_service.domain.vocabulary import Action
from consent_service.ports import Committed
from consent_service.storage.batch_state import Secrets
from consent_service.storage.postgres import PostgresStore
from tests.storage.changes import answering, expecting, submit_all, visitor
from tests.support.builders import SITE

TIMES = 200


@pytest.fixture
async def other_replica(
    postgres_store: PostgresStore, postgres_database: str, made_with: Secrets
) -> AsyncIterator[PostgresStore]:
    """Open the same database a second time."""
    store = PostgresStore(postgres_database, made_with)
    await store.start()
    yield store
    await store.stop()


async def revisions_seen(writer: PostgresStore, reader: PostgresStore, times: int) -> list[int]:
    """Change one visitor again and again on one replica, and look each time on the other."""
    seen: list[int] = []
    for _ in range(times):
        await writer.writer.submit(answering(visitor(1)))
        stored = await reader.visitors.get(SITE, visitor(1))
        seen.append(stored.revision if stored else 0)
    return seen


async def test_no_read_on_the_other_replica_is_stale(
    postgres_store: PostgresStore, other_replica: PostgresStore
) -> None:
    """B4, CON-12: an acknowledged write is seen by the next read, wherever that is."""
    assert await revisions_seen(postgres_store, other_replica, TIMES) == list(range(1, TIMES + 1))


async def test_both_replicas_writing_leave_no_gap_and_no_double(
    postgres_store: PostgresStore, other_replica: PostgresStore
) -> None:
    ours = submit_all(postgres_store, [answering(visitor(n)) for n in range(100)])
    theirs = submit_all(other_replica, [answering(visitor(n), Action.REJECT_ALL) for n in range(100)])
    outcomes = [*await ours, *await theirs]
    assert [event.seq for event in await other_replica.log.events(SITE, -1, 1_000)] == list(range(200))
    assert len({outcome.reply.body for outcome in outcomes}) == 200  # type: ignore[union-attr]


async def test_of_fifty_who_expect_the_same_revision_on_two_replicas_one_wins(
    postgres_store: PostgresStore, other_replica: PostgresStore
) -> None:
    """B3: a race for one visitor has one winner, whoever asks where."""
    await postgres_store.writer.submit(answering(visitor(1)))
    races = [submit_all(replica, [expecting(visitor(1), 1)] * 25) for replica in (postgres_store, other_replica)]
    outcomes = [type(outcome) for race in await asyncio.gather(*races) for outcome in race]
    assert (outcomes.count(Committed), outcomes.count(PreconditionFailed)) == (1, 49)
    assert (await other_replica.log.head(SITE)).size == 2
