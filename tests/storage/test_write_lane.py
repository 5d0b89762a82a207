"""The writer's own connection to PostgreSQL: batches without a lock, and what happens when another is quicker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from consent_service.domain.errors import PreconditionFailed, StoreUnavailable
from consent_service.domain.evidence.leaf import format_time, leaf_bytes, leaf_hash
from consent_service.domain.webhooks import Endpoint
from consent_service.ports import Change, Committed
from consent_service.storage import write_lane
from consent_service.storage.batch_state import Secrets
from consent_service.storage.postgres import PostgresStore
from tests.storage.changes import answering, erasing, expecting, naive_root, submit_all, visitor
from tests.support.builders import NOW, SITE


async def end_all_connections(url: str) -> None:
    """End every other session of the database, as a failover or an administrator does."""
    own = await asyncpg.connect(url)
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1"
    await own.fetch(ended, own.get_server_pid())
    await own.close()


async def test_a_connection_that_the_server_has_ended_is_made_again(
    postgres_store: PostgresStore, postgres_database: str
) -> None:
    """SVC-01: whoever was told of a failure may write again at once, and what was acknowledged is there."""
    await postgres_store.writer.submit(answering(visitor(1)))
    before = await postgres_store.writer.submit(answering(visitor(1)))
    await end_all_connections(postgres_database)
    during = await asyncio.gather(postgres_store.writer.submit(answering(visitor(2))), return_exceptions=True)
    after = await postgres_store.writer.submit(answering(visitor(3)))
    acknowledged = [before, *(outcome for outcome in during if isinstance(outcome, Committed)), after]
    assert [outcome.entries[0].seq for outcome in acknowledged] == list(range(1, len(acknowledged) + 1))


async def test_a_connection_that_the_driver_has_lost_track_of_counts_as_lost(
    postgres_store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A3: seen when a leader was killed while a statement was being prepared."""
    await postgres_store.writer.submit(answering(visitor(1)))
    look, lost = write_lane._look, [asyncpg.InternalClientError("another operation is in progress")]

    async def looked(connection: Any, site: str, changes: Sequence[Change]) -> Any:
        if lost:
            raise lost.pop()
        return await look(connection, site, changes)

    monkeypatch.setattr(write_lane, "_look", looked)
    with pytest.raises(StoreUnavailable):
        await postgres_store.writer.submit(answering(visitor(1)))
    assert (await postgres_store.writer.submit(answering(visitor(1)))).entries[0].seq == 1


@pytest.fixture
async def other_replica(postgres_database: str, made_with: Secrets) -> AsyncIterator[PostgresStore]:
    """Run a second service process's store on the same database."""
    other = PostgresStore(postgres_database, made_with)
    await other.start()
    yield other
    await other.stop()


Between = Callable[[], Awaitable[object]]


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Between], None]:
    """Have something happen once after a batch has looked and before it writes."""
    look = write_lane._look

    def arrange(happens: Between) -> None:
        left = [happens]

        async def looked(connection: Any, site: str, changes: Sequence[Change]) -> Any:
            seen = await look(connection, site, changes)
            if left:
                await left.pop()()
            return seen

        monkeypatch.setattr(write_lane, "_look", looked)

    return arrange


async def test_a_batch_that_another_replica_was_quicker_than_is_carried_out_on_what_that_one_left(
    postgres_store: PostgresStore, other_replica: PostgresStore, between: Callable[[Between], None]
) -> None:
    """B3: of two changes of one revision one wins, wherever the other falls between look and write."""
    await postgres_store.writer.submit(answering(visitor(1)))
    between(lambda: other_replica.writer.submit(expecting(visitor(1), 1)))
    with pytest.raises(PreconditionFailed):
        await postgres_store.writer.submit(expecting(visitor(1), 1))
    stored = await postgres_store.visitors.get(SITE, visitor(1))
    assert stored is not None
    assert stored.revision == 2
    assert (await postgres_store.log.head(SITE)).size == 2


async def test_a_change_of_another_visitor_in_between_is_kept_too(
    postgres_store: PostgresStore, other_replica: PostgresStore, between: Callable[[Between], None]
) -> None:
    await postgres_store.writer.submit(answering(visitor(1)))
    between(lambda: other_replica.writer.submit(answering(visitor(2))))
    answer = await postgres_store.writer.submit(answering(visitor(1)))
    assert answer.entries[0].seq == 2
    assert [event.visitor_id for event in await postgres_store.log.events(SITE, -1, 9)] == [
        visitor(1),
        visitor(2),
        visitor(1),
    ]


async def test_a_key_that_another_replica_took_in_between_makes_one_event(
    postgres_store: PostgresStore, other_replica: PostgresStore, between: Callable[[Between], None]
) -> None:
    """B3, contract §4: one event for one Idempotency-Key, and both callers have its answer."""
    await postgres_store.writer.submit(answering(visitor(1)))
    between(lambda: other_replica.writer.submit(answering(visitor(1), key="k")))
    answer = await postgres_store.writer.submit(answering(visitor(1), key="k"))
    assert answer.replayed
    assert answer.reply.body == b"1"
    assert (await postgres_store.log.head(SITE)).size == 2


async def test_an_endpoint_that_was_added_in_between_is_told(
    postgres_store: PostgresStore, other_replica: PostgresStore, between: Callable[[Between], None]
) -> None:
    crm = Endpoint("crm", SITE, "https://crm.example/consent", NOW)
    await postgres_store.writer.submit(answering(visitor(1)))
    between(lambda: other_replica.catalog.add_endpoint(crm))
    await postgres_store.writer.submit(answering(visitor(1)))
    (told,) = await postgres_store.outbox.claim(crm, NOW, NOW + timedelta(minutes=1), 9)
    assert (told.visitor_id, told.seq) == (visitor(1), 1)


async def test_a_visitor_erased_in_between_stays_erased(
    postgres_store: PostgresStore, other_replica: PostgresStore, between: Callable[[Between], None]
) -> None:
    """A5: no write brings back whom an erasure has removed, except as somebody who was never here."""
    await postgres_store.writer.submit(answering(visitor(1)))
    between(lambda: other_replica.writer.erase(erasing(visitor(1))))
    with pytest.raises(PreconditionFailed):
        await postgres_store.writer.submit(expecting(visitor(1), 1))
    assert await postgres_store.visitors.get(SITE, visitor(1)) is None


async def test_several_replicas_that_write_at_once_lose_nothing_and_double_nothing(
    postgres_store: PostgresStore, other_replica: PostgresStore
) -> None:
    """Each finds the other quicker most of the time; the log has every event once, in the order of its places."""
    stores = (postgres_store, other_replica)
    rounds = [
        submit_all(stores[number % 2], [answering(visitor(n % 7)) for n in range(number, number + 5)])
        for number in range(40)
    ]
    answers = [answer for each in await asyncio.gather(*rounds) for answer in each]
    seqs = sorted(answer.entries[0].seq for answer in answers if isinstance(answer, Committed))
    assert seqs == list(range(200))
    assert (await postgres_store.log.head(SITE)).size == 200
    rows = [await postgres_store.visitors.get(SITE, visitor(number)) for number in range(7)]
    assert sum(row.revision for row in rows if row) == 200


async def sound(store: PostgresStore, size: int) -> bool:
    """Tell whether the log has so many entries and its head is their root."""
    head, events = await store.log.head(SITE), await store.log.events(SITE, -1, 99)
    leaves = [leaf_hash(leaf_bytes(SITE, e.seq, format_time(e.time), e.pseudonym, e.commitment)) for e in events]
    return head.size == len(leaves) == size and head.root() == naive_root(leaves)


async def test_a_batch_rests_on_the_one_that_is_written_before_it(postgres_store: PostgresStore) -> None:
    """Prepared before the other is written, and on what that one leaves: revision, seq and remembered answer."""
    await postgres_store.writer.submit(answering(visitor(1)))
    lane = postgres_store._write_lane
    first = await lane.prepare([answering(visitor(1), key="k")])
    second = await lane.prepare([answering(visitor(1)), answering(visitor(1), key="k")])
    assert first is not None
    assert second is not None
    assert [answer.reply.body for answer in await first() or () if isinstance(answer, Committed)] == [b"1"]
    assert [answer.reply.body for answer in await second() or () if isinstance(answer, Committed)] == [b"2", b"1"]
    stored = await postgres_store.visitors.get(SITE, visitor(1))
    assert stored is not None
    assert stored.revision == 3
    assert await sound(postgres_store, 3)


async def test_a_batch_that_rests_on_what_never_was_is_carried_out_anew(
    postgres_store: PostgresStore, other_replica: PostgresStore
) -> None:
    """The head is as long as it was to be, and another one all the same: its hashes tell."""
    await postgres_store.writer.submit(answering(visitor(1)))
    lane = postgres_store._write_lane
    never = await lane.prepare([answering(visitor(2))])
    resting = await lane.prepare([answering(visitor(3))])
    await other_replica.writer.submit(answering(visitor(4)))
    assert never is not None
    assert resting is not None
    (answer,) = await resting() or ()
    assert isinstance(answer, Committed)
    assert answer.entries[0].seq == 2
    assert [event.visitor_id for event in await postgres_store.log.events(SITE, 0, 9)] == [visitor(4), visitor(3)]
    assert await sound(postgres_store, 3)


async def test_a_batch_whose_forerunner_was_overtaken_is_carried_out_anew(
    postgres_store: PostgresStore, other_replica: PostgresStore
) -> None:
    await postgres_store.writer.submit(answering(visitor(1)))
    lane = postgres_store._write_lane
    first, second = [await lane.prepare([answering(visitor(number))]) for number in (2, 3)]
    await other_replica.writer.submit(answering(visitor(4)))
    assert first is not None
    assert second is not None
    assert await first() is not None
    assert await second() is not None
    assert await sound(postgres_store, 4)
