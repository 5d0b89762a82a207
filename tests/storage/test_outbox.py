"""The outbox of webhooks in every store: what is written with a change, in what order it comes out, and who gets it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from consent_service.domain.vocabulary import Action
from consent_service.domain.webhooks import Delivery, Endpoint, Failure
from consent_service.ports import Backlog, Store
from consent_service.storage.batch_state import Secrets
from consent_service.storage.postgres import PostgresStore
from tests.storage.changes import answering, erasing, submit_all, visitor
from tests.support.builders import NOW, SITE

CRM = Endpoint("crm", SITE, "https://crm.example/consent", NOW)
MAIL = Endpoint("mail", SITE, "https://mail.example/consent", NOW + timedelta(seconds=1))
EARLIER = NOW - timedelta(hours=1)
LEASE = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)


async def claimed(store: Store, endpoint: Endpoint = CRM, limit: int = 100) -> list[Delivery]:
    """Claim what is due now."""
    return await store.outbox.claim(endpoint, NOW, LEASE, limit)


def told(deliveries: Sequence[Delivery]) -> list[tuple[str, int]]:
    """Give whom the deliveries are about and their places in the log, in a fixed order."""
    return sorted((delivery.visitor_id, delivery.seq) for delivery in deliveries)


async def test_a_change_is_on_its_way_to_every_endpoint_once_it_is_durable(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await store.catalog.add_endpoint(MAIL)
    await store.writer.submit(answering(visitor(1)))
    (to_crm,), (to_mail,) = await claimed(store), await claimed(store, MAIL)
    assert (to_crm.visitor_id, to_crm.seq, to_crm.revision, to_crm.attempts) == (visitor(1), 0, 1, 0)
    assert b'"given"' in to_crm.payload
    assert to_mail == replace(to_crm, endpoint=MAIL.id)


async def test_a_site_without_an_endpoint_writes_nothing(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await store.writer.submit(answering(visitor(1), site="other"))
    assert await store.outbox.backlog("other") == {}
    assert await store.outbox.backlog(SITE) == {}


async def test_what_was_said_before_the_endpoint_was_added_is_not_told_by_itself(store: Store) -> None:
    await store.writer.submit(answering(visitor(1)))
    await store.catalog.add_endpoint(CRM)
    assert await claimed(store) == []


async def test_a_refused_change_tells_nobody(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await submit_all(store, [answering(visitor(1), key="k"), answering(visitor(1), key="k")])
    assert told(await claimed(store)) == [(visitor(1), 0)]


async def test_a_visitors_changes_come_out_one_after_the_other(store: Store) -> None:
    """SVC-09: a withdrawal is never told before the grant that it ends."""
    await store.catalog.add_endpoint(CRM)
    await store.writer.submit(answering(visitor(1)))
    await store.writer.submit(answering(visitor(1), Action.REJECT_ALL))
    await store.writer.submit(answering(visitor(2)))
    first = await claimed(store)
    assert told(first) == [(visitor(1), 0), (visitor(2), 2)]
    assert await claimed(store) == []
    await store.outbox.settle(first, [])
    assert told(await claimed(store)) == [(visitor(1), 1)]


async def test_a_failed_delivery_waits_for_its_time_and_holds_the_visitors_later_ones(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await store.writer.submit(answering(visitor(1)))
    await store.writer.submit(answering(visitor(1), Action.REJECT_ALL))
    (failed,) = await claimed(store)
    await store.outbox.settle([], [Failure(failed, LATER, "status 503")])
    assert await claimed(store) == []
    (again,) = await store.outbox.claim(CRM, LATER, LATER + timedelta(minutes=1), 10)
    assert (again.seq, again.attempts) == (0, 1)


async def test_what_a_dead_replica_had_claimed_is_due_again_after_its_lease(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await store.writer.submit(answering(visitor(1)))
    first = await claimed(store)
    assert await store.outbox.claim(CRM, LEASE - timedelta(seconds=1), LATER, 10) == []
    (again,) = await store.outbox.claim(CRM, LEASE, LATER, 10)
    assert again == replace(first[0], claimed_until=LATER)
    await store.outbox.settle(first, [])
    assert (await store.outbox.backlog(SITE))[CRM.id].waiting == 1


async def test_what_is_replayed_while_it_is_being_sent_is_sent_again(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await store.writer.submit(answering(visitor(1)))
    first = await claimed(store)
    await store.outbox.replay(CRM, -1, 10, NOW)
    await store.outbox.settle(first, [])
    assert told(await claimed(store)) == [(visitor(1), 0)]


async def test_no_more_is_taken_than_asked_for(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await submit_all(store, [answering(visitor(n)) for n in range(5)])
    assert [len(await claimed(store, limit=3)), len(await claimed(store, limit=3))] == [3, 2]


async def test_a_dead_letter_is_seen_holds_nobody_and_can_be_revived(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await store.writer.submit(answering(visitor(1)))
    await store.writer.submit(answering(visitor(1), Action.REJECT_ALL))
    (failed,) = await claimed(store)
    await store.outbox.settle([], [Failure(failed, None, "status 410")])
    (letter,) = await store.outbox.dead(SITE, None, 10)
    backlog = (await store.outbox.backlog(SITE))[CRM.id]
    assert (letter.endpoint, letter.visitor_id, letter.seq, letter.error) == (CRM.id, visitor(1), 0, "status 410")
    assert (backlog.waiting, backlog.oldest, backlog.dead) == (1, NOW, 1)
    assert told(await claimed(store)) == [(visitor(1), 1)]
    assert await store.outbox.dead(SITE, MAIL.id, 10) == []
    assert await store.outbox.revive(CRM, NOW) == 1
    assert [(d.seq, d.attempts, d.revision) for d in await claimed(store)] == [(0, 0, 1)]


async def test_old_dead_letters_are_forgotten(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await submit_all(store, [answering(visitor(n)) for n in range(2)])
    first, second = await claimed(store)
    await store.outbox.settle([], [Failure(first, None, "timeout"), Failure(second, LATER, "timeout")])
    assert await store.outbox.drop_dead(NOW, 10) == 0
    assert await store.outbox.drop_dead(LATER, 10) == 1
    assert (await store.outbox.backlog(SITE))[CRM.id].waiting == 1


async def test_a_glance_counts_what_waits_and_what_was_given_up_for_one_endpoint(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await store.catalog.add_endpoint(MAIL)
    await submit_all(store, [answering(visitor(n)) for n in range(3)])
    first, second, _ = await claimed(store)
    await store.outbox.settle([], [Failure(first, None, "status 410"), Failure(second, LATER, "timeout")])
    assert await store.outbox.depth(CRM, 10) == Backlog(2, NOW, 1)
    assert await store.outbox.depth(MAIL, 10) == Backlog(3, NOW, 0)
    assert await store.outbox.depth(replace(CRM, site="other"), 10) == Backlog()


async def test_a_glance_goes_no_further_than_asked_and_begins_with_what_is_due_first(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await submit_all(store, [answering(visitor(n)) for n in range(6)])
    dead = [delivery for delivery in await claimed(store) if delivery.seq < 3]
    await store.outbox.settle([], [Failure(delivery, None, "status 410") for delivery in dead])
    await store.outbox.replay(CRM, 3, 1, EARLIER)
    assert await store.outbox.depth(CRM, 1) == Backlog(1, EARLIER, 1)
    assert await store.outbox.depth(CRM, 2) == Backlog(2, EARLIER, 2)
    assert await store.outbox.depth(CRM, 100) == Backlog(3, EARLIER, 3)


async def test_the_log_can_be_told_again_from_any_place_on(store: Store) -> None:
    await submit_all(store, [answering(visitor(n)) for n in range(4)])
    await store.writer.erase(erasing(visitor(3)))
    await store.catalog.add_endpoint(CRM)
    assert await store.outbox.replay(CRM, -1, 2, NOW) == (2, 1)
    assert await store.outbox.replay(CRM, 1, 100, NOW) == (1, None)
    assert told(await claimed(store)) == [(visitor(n), n) for n in range(3)]


async def test_a_replay_of_what_is_waiting_anyway_doubles_nothing(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await store.writer.submit(answering(visitor(1)))
    assert await store.outbox.replay(CRM, -1, 100, NOW) == (1, None)
    assert [(d.seq, d.revision) for d in await claimed(store)] == [(0, 1)]


async def test_an_empty_log_has_nothing_to_tell_again(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    assert await store.outbox.replay(CRM, -1, 100, NOW) == (0, None)


async def test_an_erased_visitor_is_told_to_nobody(store: Store) -> None:
    """IDN-09: an erasure takes along what was on its way."""
    await store.catalog.add_endpoint(CRM)
    await submit_all(store, [answering(visitor(1)), answering(visitor(2))])
    await store.writer.erase(erasing(visitor(1)))
    assert told(await claimed(store)) == [(visitor(2), 1)]


async def test_a_removed_endpoint_leaves_nothing_behind_and_is_told_nothing_more(store: Store) -> None:
    await store.catalog.add_endpoint(CRM)
    await store.catalog.add_endpoint(MAIL)
    await store.writer.submit(answering(visitor(1)))
    assert not await store.catalog.remove_endpoint("other", CRM.id)
    assert await store.catalog.remove_endpoint(SITE, CRM.id)
    assert not await store.catalog.remove_endpoint(None, CRM.id)
    await store.writer.submit(answering(visitor(2)))
    assert {name: b.waiting for name, b in (await store.outbox.backlog(SITE)).items()} == {MAIL.id: 2}
    assert (await store.catalog.load()).endpoints == (MAIL,)


@pytest.fixture
async def other_replica(
    postgres_store: PostgresStore, postgres_database: str, made_with: Secrets
) -> AsyncIterator[PostgresStore]:
    """Open the same database a second time."""
    store = PostgresStore(postgres_database, made_with)
    await store.start()
    yield store
    await store.stop()


async def test_several_replicas_share_the_work_and_none_is_given_the_same(
    postgres_store: PostgresStore, other_replica: PostgresStore
) -> None:
    """SVC-09: without a leader, nothing is claimed twice."""
    await postgres_store.catalog.add_endpoint(CRM)
    await submit_all(postgres_store, [answering(visitor(n)) for n in range(200)])
    takers = [claimed(replica, limit=10) for replica in (postgres_store, other_replica) * 10]
    shares = await asyncio.gather(*takers)
    taken = [delivery.seq for share in shares for delivery in share]
    assert len(taken) == len(set(taken))
    rest = await claimed(postgres_store, limit=200)
    assert sorted([*taken, *(delivery.seq for delivery in rest)]) == list(range(200))
