"""B3, SVC-12: many want the same thing at once, on one service and on two replicas of it; one gets it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from consent_service.ports import Store
from tests.reliability.campaign import figures, times
from tests.support.service import Running, postgres_store, running, submission

WAYS = 50
REPEATS = 100


@dataclass
class Replicas:
    """Services on one database, and a shop's server that speaks to each of them."""

    subject: str
    services: list[Running]
    shops: list[httpx.AsyncClient]

    def shop(self, number: int) -> httpx.AsyncClient:
        """Give the shop's line to a replica, in turns."""
        return self.shops[number % len(self.shops)]

    async def mint(self) -> str:
        """Mint a visitor who has accepted everything."""
        visitor: str = (await self.shops[0].post("/v1/visitors")).json()["visitor_id"]
        await self.shops[0].put(f"/v1/visitors/{visitor}/consent", json=submission())
        return visitor

    async def events(self) -> int:
        """Tell how many events there are."""
        return (await self.services[0].services.store.log.head("default")).size


@pytest.fixture(params=["SQLite", "PostgreSQL, two replicas"])
async def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Replicas]:
    """Run the service on SQLite, then two replicas of it on PostgreSQL."""
    stores: list[Store | None] = [None]
    if request.param != "SQLite":
        url = request.getfixturevalue("postgres_database")
        stores = [await postgres_store(tmp_path, url) for _ in range(2)]
    async with AsyncExitStack() as stack:
        services = [await stack.enter_async_context(running(tmp_path, store)) for store in stores]
        shops = [await stack.enter_async_context(service.shop()) for service in services]
        yield Replicas(request.param, services, shops)


async def race_for_a_revision(replicas: Replicas, races: int) -> list[Counter[int]]:
    """Let many change one revision at once, again and again; gives the statuses of each race."""
    visitor = await replicas.mint()
    path = f"/v1/visitors/{visitor}/consent"
    found = []
    for revision in range(1, races + 1):
        tag = {"If-Match": f'"{revision}"'}
        calls = [replicas.shop(n).put(path, json=submission("reject_all"), headers=tag) for n in range(WAYS // 2)]
        calls += [replicas.shop(n).delete(path, headers=tag) for n in range(WAYS // 2)]
        found.append(Counter(answer.status_code for answer in await asyncio.gather(*calls)))
    return found


async def test_of_fifty_changes_of_one_revision_one_wins(replicas: Replicas) -> None:
    races = times(3, 100)
    found = await race_for_a_revision(replicas, races)
    figures("B3", f"If-Match, {replicas.subject}", races=races, ways=WAYS, winners=sum(one[200] for one in found))
    assert found == [Counter({200: 1, 412: WAYS - 1})] * races
    assert await replicas.events() == 1 + races


async def repeat_at_once(replicas: Replicas, races: int) -> tuple[Counter[int], set[int]]:
    """Send one change so many times at once under one key, again and again; gives statuses, and distinct answers."""
    visitor = await replicas.mint()
    path = f"/v1/visitors/{visitor}/consent"
    statuses: Counter[int] = Counter()
    distinct = set()
    for _ in range(races):
        key = {"Idempotency-Key": str(uuid4())}
        calls = [replicas.shop(n).put(path, json=submission("reject_all"), headers=key) for n in range(REPEATS)]
        answers = await asyncio.gather(*calls)
        answers += [await shop.put(path, json=submission("reject_all"), headers=key) for shop in replicas.shops]
        statuses.update(answer.status_code for answer in answers)
        distinct.add(len({answer.content for answer in answers if answer.status_code == 200}))
    return statuses, distinct


async def test_the_same_key_a_hundred_times_at_once_is_one_event(replicas: Replicas) -> None:
    """Whoever is not answered is told that the first is still under way; each replica then gives the same answer."""
    races = times(3, 50)
    statuses, distinct = await repeat_at_once(replicas, races)
    events = await replicas.events() - 1
    figures(
        "B3",
        f"Idempotency-Key, {replicas.subject}",
        races=races,
        repeats=REPEATS,
        events=events,
        answers=dict(statuses),
    )
    assert events == races
    assert distinct == {1}
    assert statuses.keys() <= {200, 409}


async def mint_at_once(replicas: Replicas) -> tuple[Counter[int], set[str]]:
    """Let a hundred browsers without a cookie answer under one key, on all replicas; gives statuses and visitors."""
    key = {"Idempotency-Key": str(uuid4())}
    answers = []
    async with AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(service.client()) for service in replicas.services]
        for _ in range(2):
            calls = [browsers[n % len(browsers)].put("/v1/consent", json=submission(), headers=key) for n in range(50)]
            answers += await asyncio.gather(*calls)
            for browser in browsers:
                browser.cookies.clear()
    visitors = {answer.json()["visitor_id"] for answer in answers if answer.is_success}
    return Counter(answer.status_code for answer in answers), visitors


async def test_a_hundred_strangers_with_one_key_are_one_visitor(replicas: Replicas) -> None:
    statuses, visitors = await mint_at_once(replicas)
    figures("B3", f"minting, {replicas.subject}", repeats=100, visitors=len(visitors), answers=dict(statuses))
    assert len(visitors) == 1
    assert statuses.keys() <= {200, 201, 409}
    assert await replicas.events() == 1


async def accept_and_withdraw_at_once(replicas: Replicas, rounds: int) -> Counter[tuple[str, str]]:
    """Accept and withdraw in parallel; counts which came last by the log, together with what is decided then."""
    visitor = await replicas.mint()
    path = f"/v1/visitors/{visitor}"
    found: Counter[tuple[str, str]] = Counter()
    for number in range(rounds):
        first, second = replicas.shop(number), replicas.shop(number + 1)
        calls = [first.put(f"{path}/consent", json=submission()), second.delete(f"{path}/consent")]
        answers = await asyncio.gather(*(calls if number % 3 else reversed(calls)))
        last = max(answers, key=lambda answer: answer.json()["receipt"]["seq"])
        kind = "withdrawal" if last.request.method == "DELETE" else "acceptance"
        decided = (await first.get(f"{path}/decisions?region=FR")).json()["categories"]["advertising"]["reason"]
        found[kind, decided] += 1
    return found


async def test_whichever_of_acceptance_and_withdrawal_comes_last_is_in_force(replicas: Replicas) -> None:
    """SVC-12: both are logged, and the last by the log's order counts, wherever they arrived."""
    rounds = times(30, 1_000)
    found = await accept_and_withdraw_at_once(replicas, rounds)
    figures("SVC-12", replicas.subject, rounds=rounds, **{f"{kind}_last": n for (kind, _), n in found.items()})
    assert found.keys() <= {("withdrawal", "withdrawn"), ("acceptance", "granted")}
    assert await replicas.events() == 1 + 2 * rounds
