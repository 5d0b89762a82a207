"""Work beside the requests, on every replica and without a leader: checkpoints and the removal of what has lapsed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from consent_service.domain.webhooks import Endpoint, Failure
from consent_service.ports import Store, StoredCheckpoint
from consent_service.service.checkpoints import Checkpoints
from consent_service.service.evidence import Evidence
from consent_service.service.policies import Publisher
from consent_service.service.sites import Sites
from consent_service.service.upkeep import BATCH, DEAD_LETTERS_KEPT, Upkeep
from consent_service.storage.batch_state import Secrets
from consent_service.storage.keyring import LOG, Keyring
from consent_service.storage.postgres import PostgresStore
from tests.storage.changes import answering, submit_all, visitor
from tests.support.builders import NOW, SITE, document
from tests.support.service import MovableClock

MINUTE = timedelta(minutes=1)


class Outside:
    """The place outside the database that checkpoints are sent to."""

    def __init__(self) -> None:
        self.sent: list[StoredCheckpoint] = []

    async def send(self, checkpoint: StoredCheckpoint) -> None:
        """Take a checkpoint."""
        self.sent.append(checkpoint)


@pytest.fixture
def clock() -> MovableClock:
    """Give a clock that all replicas share."""
    return MovableClock()


@pytest.fixture
def outside() -> Outside:
    """Give the place that all replicas send to."""
    return Outside()


async def publishing(store: Store, clock: MovableClock, outside: Outside, keys: Path) -> Checkpoints:
    """Make what one replica publishes with; replicas share the keys."""
    sites = Sites(store.catalog, clock)
    await Publisher(store.catalog, sites, clock, at_once=True).publish(document())
    keyring = Keyring(keys)
    evidence = Evidence(store.log, "https://consent.example", lambda site, now: keyring.current(LOG, site, now), clock)
    return Checkpoints(evidence, store.log, sites, send=outside.send)


@pytest.fixture
async def replicas(
    postgres_store: PostgresStore,
    postgres_database: str,
    made_with: Secrets,
) -> AsyncIterator[list[PostgresStore]]:
    """Open the same database three times."""
    others = [PostgresStore(postgres_database, made_with) for _ in range(2)]
    await asyncio.gather(*(other.start() for other in others))
    yield [postgres_store, *others]
    await asyncio.gather(*(other.stop() for other in others))


async def test_of_several_replicas_one_publishes_a_size_and_once(
    replicas: list[PostgresStore], clock: MovableClock, outside: Outside, tmp_path: Path
) -> None:
    """One log, one checkpoint of each size, whoever signs it."""
    publishers = [await publishing(replica, clock, outside, tmp_path / "keys") for replica in replicas]
    await submit_all(replicas[0], [answering(visitor(n)) for n in range(5)])
    await asyncio.gather(*(publisher.publish_news() for publisher in publishers * 4))
    kept = await replicas[1].log.checkpoints(SITE)
    assert [checkpoint.size for checkpoint in kept] == [5]
    assert outside.sent == kept


async def test_replicas_take_turns_by_the_newest_checkpoint_whoever_made_it(
    replicas: list[PostgresStore], clock: MovableClock, outside: Outside, tmp_path: Path
) -> None:
    """Three replicas publish as often as one does: a minute apart."""
    first, second, third = [await publishing(replica, clock, outside, tmp_path / "keys") for replica in replicas]
    await replicas[0].writer.submit(answering(visitor(1)))
    await first.publish_news()
    await replicas[0].writer.submit(answering(visitor(2)))
    clock.forward(MINUTE / 2)
    assert await second.publish_news() == []
    clock.forward(MINUTE / 2)
    assert [checkpoint.size for checkpoint in await third.publish_news()] == [2]
    clock.forward(MINUTE)
    assert await first.publish_news() == []


async def test_while_replicas_write_and_publish_every_checkpoint_is_of_one_tree(
    replicas: list[PostgresStore], clock: MovableClock, outside: Outside, tmp_path: Path
) -> None:
    """A4: each checkpoint's root is that of the log at its size, and larger ones continue smaller ones."""
    publishers = [await publishing(replica, clock, outside, tmp_path / "keys") for replica in replicas]

    async def rounds(number: int) -> None:
        for turn in range(10):
            clock.forward(MINUTE)
            await replicas[number].writer.submit(answering(visitor(number * 100 + turn)))
            await publishers[number].publish_news()

    await asyncio.gather(*(rounds(number) for number in range(3)))
    kept = await replicas[0].log.checkpoints(SITE)
    roots = [(await publishers[0].evidence.consistency(SITE, c.size, 30))["from_root"] for c in kept]
    assert sorted(checkpoint.size for checkpoint in outside.sent) == [checkpoint.size for checkpoint in kept]
    assert [checkpoint.note.split("\n")[2] for checkpoint in kept] == roots


async def test_a_store_keeps_the_first_checkpoint_of_a_size(store: Store) -> None:
    first = StoredCheckpoint(SITE, 7, "first", NOW)
    assert await store.log.newest_checkpoint(SITE) is None
    assert await store.log.add_checkpoint(first)
    assert not await store.log.add_checkpoint(replace(first, note="second"))
    assert await store.log.add_checkpoint(StoredCheckpoint(SITE, 3, "smaller", NOW))
    assert await store.log.newest_checkpoint(SITE) == first


async def test_lapsed_idempotency_keys_go_in_batches_and_living_ones_stay(store: Store, clock: MovableClock) -> None:
    """Every idempotency key has its time; afterwards nothing remembers the answer."""
    await submit_all(store, [answering(visitor(n), key="k") for n in range(BATCH + 3)])
    upkeep = Upkeep(store, clock)
    early = await upkeep.tidy()
    clock.forward(timedelta(hours=2))
    await store.writer.submit(answering(visitor(0), key="new")._replace(now=clock()))
    assert (early, await upkeep.tidy(), await upkeep.tidy()) == (0, BATCH + 4, 0)


async def test_replicas_tidy_up_side_by_side(replicas: list[PostgresStore], clock: MovableClock) -> None:
    await submit_all(replicas[0], [answering(visitor(n), key="k") for n in range(400)])
    clock.forward(timedelta(hours=2))
    removed = await asyncio.gather(*(Upkeep(replica, clock).tidy() for replica in replicas))
    assert sum(removed) + await Upkeep(replicas[0], clock).tidy() == 400


async def test_dead_letters_are_kept_for_a_month(store: Store, clock: MovableClock) -> None:
    endpoint = Endpoint("crm", SITE, "https://crm.example/", NOW)
    await store.catalog.add_endpoint(endpoint)
    await store.writer.submit(answering(visitor(1)))
    (claimed,) = await store.outbox.claim(endpoint, NOW, NOW + MINUTE, 1)
    await store.outbox.settle([], [Failure(claimed, None, "status 503")])
    clock.forward(DEAD_LETTERS_KEPT)
    kept = await Upkeep(store, clock).tidy()
    clock.forward(timedelta(seconds=1))
    assert (kept, await Upkeep(store, clock).tidy()) == (0, 1)
