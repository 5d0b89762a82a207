"""What becomes of a message: told in order, tried for a day, seen when it is given up (SVC-09). The clock is moved by hand."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from consent_service.domain.errors import Conflict, InvalidInput, NotFound
from consent_service.domain.vocabulary import Action
from consent_service.domain.webhooks import Endpoint, secret_text
from consent_service.ports import Backlog, Store
from consent_service.service import webhook_delivery
from consent_service.service.identity import Identity
from consent_service.service.policies import Publisher
from consent_service.service.sites import Sites
from consent_service.service.webhook_delivery import Courier, DeliveryFailed
from consent_service.service.webhook_standings import Outcome, WebhookStandings
from consent_service.service.webhooks import MOST, Webhooks
from consent_service.storage.batch_state import Secrets
from consent_service.storage.keyring import Keyring
from consent_service.storage.memory import MemoryStore
from consent_service.storage.migrate import upgrade
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from tests.storage.changes import answering, submit_all, visitor
from tests.support.builders import SITE, document
from tests.support.receiver import Received
from tests.support.service import MovableClock

URL = "https://crm.example/hooks/consent"
SECRET = secret_text(b"a key of thirty-two bytes of len")


@dataclass
class Shop:
    """The other end: takes messages, or is down."""

    up: bool = True
    refuses: frozenset[str] = frozenset()
    taken: list[Received] = field(default_factory=list)
    attempts: int = 0

    async def post(self, url: str, fields: Mapping[str, str], body: bytes) -> None:
        """Take a message."""
        self.attempts += 1
        message = Received(url, dict(fields), body)
        if not self.up or message.data["visitor_id"] in self.refuses:
            raise DeliveryFailed("status 503")
        self.taken.append(message)

    def told(self) -> list[tuple[str, int]]:
        """Give whom the messages were about and their revisions, as they came."""
        return [(message.data["visitor_id"], message.data["revision"]) for message in self.taken]


@dataclass
class World:
    """A store with a published policy, the use cases, and two processes that deliver."""

    store: Store
    clock: MovableClock
    webhooks: Webhooks
    couriers: tuple[Courier, Courier]
    shop: Shop
    standings: WebhookStandings

    async def pass_time(self, total: timedelta, step: timedelta) -> None:
        """Let time pass, while both processes deliver what is due, side by side."""
        (endpoint,) = self.couriers[0].sites.endpoints
        for _ in range(total // step):
            self.clock.forward(step)
            await asyncio.gather(*(courier.deliver(endpoint) for courier in self.couriers))


async def world(store: Store) -> World:
    """Publish the small shop's policy and put the use cases together."""
    clock, shop = MovableClock(), Shop()
    sites = Sites(store.catalog, clock)
    await Publisher(store.catalog, sites, clock, at_once=True).publish(document())
    standings = WebhookStandings(store.outbox, sites)
    couriers = [Courier(store.outbox, sites, clock, lambda _: SECRET, shop.post, standings.outcomes) for _ in range(2)]
    webhooks = Webhooks(store, sites, clock, lambda: secrets.token_hex(8), lambda _: SECRET)
    return World(store, clock, webhooks, (couriers[0], couriers[1]), shop, standings)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def here(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Give each store in turn, with what delivers from it."""
    made_with = Secrets(Identity(Keyring(tmp_path / "keys").mac).pseudonym, lambda: secrets.token_bytes(32))
    url = f"sqlite:///{tmp_path / 'consent.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_database")
    await asyncio.to_thread(upgrade, url)
    stores: dict[str, Callable[[], Store]] = {
        "memory": lambda: MemoryStore(made_with),
        "sqlite": lambda: SqliteStore(tmp_path / "consent.db", made_with),
        "postgresql": lambda: PostgresStore(url, made_with),
    }
    store = stores[request.param]()
    await store.start()
    yield await world(store)
    await store.stop()


@pytest.fixture
async def endpoint(here: World) -> Endpoint:
    """Add an endpoint to the site."""
    added, _ = await here.webhooks.add(SITE, URL)
    return added


async def grant_and_withdraw(store: Store, numbers: Sequence[int]) -> None:
    """Let visitors accept everything and then refuse it."""
    await submit_all(store, [answering(visitor(n)) for n in numbers])
    await submit_all(store, [answering(visitor(n), Action.REJECT_ALL) for n in numbers])


async def test_after_an_hours_outage_everything_arrives_in_order_and_signed(here: World, endpoint: Endpoint) -> None:
    """SVC-09: receiver down 1 h, delivered afterwards in order, the signature verifies; from two processes."""
    here.shop.up = False
    await grant_and_withdraw(here.store, range(20))
    await here.pass_time(timedelta(hours=1), timedelta(seconds=30))
    during = len(here.shop.taken)
    here.shop.up = True
    await here.pass_time(timedelta(minutes=40), timedelta(seconds=30))
    by_visitor = [
        [message.data for message in here.shop.taken if message.data["visitor_id"] == visitor(n)] for n in range(20)
    ]

    assert during == 0
    assert [[data["revision"] for data in told] for told in by_visitor] == [[1, 2]] * 20
    assert [told[1]["choices"]["advertising"] for told in by_visitor] == [False] * 20
    assert all(message.signed_with(SECRET) for message in here.shop.taken)
    assert {message.headers["content-type"] for message in here.shop.taken} == {"application/json"}
    assert await here.store.outbox.backlog(SITE) == {}


async def test_a_receiver_that_is_well_is_told_at_once_and_once(here: World, endpoint: Endpoint) -> None:
    await grant_and_withdraw(here.store, range(40))
    await asyncio.gather(*(courier.deliver(endpoint) for courier in here.couriers))
    assert sorted(here.shop.told()) == [(visitor(n), revision) for n in range(40) for revision in (1, 2)]
    assert here.shop.attempts == 80


async def test_an_endpoint_that_is_down_is_not_hammered(here: World, endpoint: Endpoint) -> None:
    """A hundred messages wait, and the receiver is knocked at some ten times a minute and process, not each of them."""
    here.shop.up = False
    await submit_all(here.store, [answering(visitor(n)) for n in range(100)])
    await here.pass_time(timedelta(minutes=10), timedelta(seconds=5))
    assert here.shop.attempts <= 2 * 16 * (6 + 10)


async def test_one_message_that_is_refused_holds_up_nobody_else(here: World, endpoint: Endpoint) -> None:
    here.shop.refuses = frozenset({visitor(1)})
    await grant_and_withdraw(here.store, range(3))
    await here.pass_time(timedelta(minutes=5), timedelta(seconds=10))
    assert sorted(here.shop.told()) == [(visitor(n), revision) for n in (0, 2) for revision in (1, 2)]


async def test_after_a_day_a_message_is_a_dead_letter_that_is_seen_and_can_be_sent_again(
    here: World, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """SVC-09: given up visibly; `replay` brings it back."""
    here.shop.up = False
    await here.store.writer.submit(answering(visitor(1)))
    await here.pass_time(timedelta(hours=25), timedelta(minutes=5))
    (letter,) = await here.webhooks.dead(endpoint, 10)
    ((_, backlog),) = await here.webhooks.list(SITE)
    attempts = here.shop.attempts
    await here.pass_time(timedelta(hours=2), timedelta(minutes=5))

    assert (letter.visitor_id, letter.error) == (visitor(1), "status 503")
    assert letter.attempts == attempts > 80
    assert (backlog.waiting, backlog.dead) == (0, 1)
    assert here.shop.attempts == attempts
    assert "given up" in caplog.text
    assert visitor(1) not in caplog.text

    here.shop.up = True
    assert (await here.webhooks.revive(endpoint)).queued == 1
    await here.pass_time(timedelta(minutes=2), timedelta(minutes=1))
    assert here.shop.told() == [(visitor(1), 1)]


async def test_a_receiver_that_lost_its_data_is_told_the_whole_log_again(here: World, endpoint: Endpoint) -> None:
    """SVC-09: replayable, under the same message ids."""
    await grant_and_withdraw(here.store, range(3))
    await here.couriers[0].deliver(endpoint)
    first = {message.headers["webhook-id"] for message in here.shop.taken}
    assert (await here.webhooks.replay(endpoint, -1, 4)).next_after == 3
    assert await here.webhooks.replay(endpoint, 3, 100) == (await here.webhooks.replay(endpoint, 3, 2))
    here.shop.taken.clear()
    await here.couriers[0].deliver(endpoint)
    again = [message.headers["webhook-id"] for message in here.shop.taken]

    assert sorted(again) == sorted(first)
    assert [message.data["revision"] for message in here.shop.taken] == [None] * 6


async def test_attempts_are_counted_by_what_became_of_them(here: World, endpoint: Endpoint) -> None:
    """SVC-09: whoever watches sees an outage, the recovery, and what was given up."""
    here.shop.refuses = frozenset({visitor(1)})
    await submit_all(here.store, [answering(visitor(n)) for n in range(3)])
    await here.pass_time(timedelta(hours=25), timedelta(minutes=5))
    counted = here.standings.outcomes
    assert counted[SITE, Outcome.DELIVERED] == 2
    assert counted[SITE, Outcome.GIVEN_UP] == 1
    assert counted[SITE, Outcome.FAILED] == here.shop.attempts - 3 > 60


async def test_what_waits_is_seen_for_all_endpoints_of_a_site_together(here: World, endpoint: Endpoint) -> None:
    began = here.clock()
    here.shop.refuses = frozenset({visitor(1)})
    await submit_all(here.store, [answering(visitor(n)) for n in range(3)])
    await here.pass_time(timedelta(minutes=1), timedelta(minutes=1))
    await here.webhooks.add(SITE, f"{URL}/second")
    await here.store.writer.submit(answering(visitor(3)))
    await here.standings.look()
    during = dict(here.standings.backlogs)
    await here.webhooks.remove(SITE, endpoint.id)
    await here.standings.look()
    after = here.standings.backlogs
    assert during == {SITE: Backlog(3, began, 0)}
    assert (after[SITE].waiting, after[SITE].dead) == (1, 0)


async def test_a_process_that_died_after_its_claim_costs_a_minute_not_the_message(
    here: World, endpoint: Endpoint
) -> None:
    await here.store.writer.submit(answering(visitor(1)))
    await here.store.outbox.claim(endpoint, here.clock(), here.clock() + webhook_delivery.LEASE, 10)
    await here.couriers[1].deliver(endpoint)
    before = here.shop.told()
    await here.pass_time(webhook_delivery.LEASE, webhook_delivery.LEASE)
    assert (before, here.shop.told()) == ([], [(visitor(1), 1)])


async def test_an_endpoint_is_added_once_and_ten_at_most(here: World) -> None:
    _, secret = await here.webhooks.add(SITE, URL)
    with pytest.raises(Conflict):
        await here.webhooks.add(SITE, URL)
    await asyncio.gather(*(here.webhooks.add(SITE, f"{URL}/{number}") for number in range(MOST - 1)))
    with pytest.raises(Conflict):
        await here.webhooks.add(SITE, f"{URL}/more")
    assert secret == SECRET
    assert len(await here.webhooks.list(None)) == MOST


async def test_what_cannot_be_an_endpoint_is_refused(here: World) -> None:
    with pytest.raises(InvalidInput):
        await here.webhooks.add(SITE, "http://crm.example/")
    with pytest.raises(NotFound):
        await here.webhooks.add("nobody", URL)
    with pytest.raises(NotFound):
        await here.webhooks.remove(SITE, "nothing")
    with pytest.raises(NotFound):
        await here.webhooks.get(SITE, "nothing")
