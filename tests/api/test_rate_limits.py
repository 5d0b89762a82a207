"""Limits of a minute, and that a refusal is never turned away before an acceptance would be (SVC-04, SVC-05)."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.api.rate_limits import Limited, Limits
from consent_service.domain.vocabulary import Scope
from tests.support.service import Running, choices, code, memory_store, running, submission

FEW: dict[str, Any] = {"visitor_writes_per_minute": 3, "address_writes_per_minute": 5, "address_reads_per_minute": 4}


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service with small limits."""
    networks = (ip_network("192.0.2.0/24"),)
    async with running(
        tmp_path, memory_store(tmp_path), **FEW, key_requests_per_minute=3, trusted_proxies=networks
    ) as service:
        yield service


def check_refused(answer: httpx.Response, name: str, limit: int) -> None:
    """Check all that a 429 must say."""
    assert (answer.status_code, code(answer)) == (429, "too-many-requests")
    assert answer.headers["content-type"] == "application/problem+json"
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert answer.headers["ratelimit-policy"] == f'"{name}";q={limit};w=60'
    assert answer.headers["ratelimit"].startswith(f'"{name}";r=0;t=')
    assert "tk" not in answer.headers


async def test_a_visitor_who_writes_too_often_is_told_so(strict: Running) -> None:
    """SVC-04, TSR-11: the first three are taken, and each answer tells what is left."""
    async with strict.browser() as browser:
        taken = [await browser.put("/v1/consent", json=submission()) for _ in range(4)]
        refused = await browser.put("/v1/consent", json=submission())
        read = await browser.get("/v1/consent")

    assert [answer.status_code for answer in taken] == [201, 200, 200, 200]
    assert [answer.headers["ratelimit"].split(";")[1] for answer in taken[1:]] == ["r=2", "r=1", "r=0"]
    check_refused(refused, "visitor-writes", 3)
    assert read.json()["revision"] == 4


REFUSALS = [
    ("PUT", submission("reject_all")),
    ("PUT", submission("custom", choices=choices())),
    ("PUT", submission("dismiss")),
    ("DELETE", None),
]


@pytest.mark.parametrize(("method", "body"), REFUSALS)
async def test_whoever_may_no_longer_accept_may_still_refuse(
    strict: Running, method: str, body: dict[str, object] | None
) -> None:
    """SVC-05."""
    async with strict.browser() as browser:
        accepted = [await browser.put("/v1/consent", json=submission()) for _ in range(8)]
        refused = [await browser.request(method, "/v1/consent", json=body) for _ in range(8)]

    assert accepted[-1].status_code == 429
    assert [answer.status_code for answer in refused] == [200] * 8


async def test_a_choice_that_grants_something_counts_as_an_acceptance(strict: Running) -> None:
    async with strict.browser() as browser:
        body = submission("custom", choices=choices("advertising"))
        answers = [await browser.put("/v1/consent", json=body) for _ in range(5)]

    assert answers[-1].status_code == 429


@given(st.lists(st.booleans(), max_size=200))
def test_where_a_refusal_is_turned_away_an_acceptance_would_be_too(refusals: list[bool]) -> None:
    """SVC-05, in whatever order they come."""
    limits = Limits(visitor_writes=2, address_writes=4, address_reads=1, key_requests=0, seconds=lambda: 0.0)
    outcomes = [_turned_away(limits, refusal=refusal) for refusal in refusals]

    assert not (_turned_away(limits, refusal=True) and not _turned_away(limits, refusal=False))
    assert len(outcomes) == len(refusals)


def _turned_away(limits: Limits, *, refusal: bool) -> bool:
    try:
        limits.browser_write("203.0.113.9", "visitor", refusal=refusal)
    except Limited:
        return True
    return False


async def test_an_address_is_counted_whoever_writes_from_it(strict: Running) -> None:
    async with strict.client() as client:
        answers = [await _write_as_stranger(client) for _ in range(6)]

    assert [answer.status_code for answer in answers[:5]] == [201] * 5
    check_refused(answers[5], "address-writes", 5)


async def _write_as_stranger(client: httpx.AsyncClient) -> httpx.Response:
    client.cookies.clear()
    return await client.put("/v1/consent", json=submission())


@pytest.mark.parametrize("path", ["/v1/consent", "/v1/banner", "/v1/banner?state=0"])
async def test_reads_of_an_address_are_counted(strict: Running, path: str) -> None:
    async with strict.browser() as browser:
        answers = [await browser.get(path) for _ in range(5)]

    assert [answer.status_code for answer in answers[:4]] == [200] * 4
    check_refused(answers[4], "reads", 4)


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("203.0.113.9", "203.0.113.10", 200),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", 429),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", 200),
    ],
)
async def test_neighbours_of_one_ipv6_network_count_as_one(
    strict: Running, first: str, second: str, status: int
) -> None:
    async with strict.client(client=(first, 1)) as one, strict.client(client=(second, 1)) as other:
        spent = [await one.get("/v1/consent") for _ in range(5)]
        answer = await other.get("/v1/consent")

    assert (spent[-1].status_code, answer.status_code) == (429, status)


@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        ("192.0.2.7", "198.51.100.{}", 200),
        ("192.0.2.7", "198.51.100.{}, 198.51.100.1", 429),
        ("192.0.2.7", "198.51.100.{}, 192.0.2.8", 200),
        ("203.0.113.9", "198.51.100.{}", 429),
        ("192.0.2.7", "nonsense{}", 429),
    ],
)
async def test_the_client_behind_trusted_proxies_is_counted(
    strict: Running, peer: str, forwarded: str, status: int
) -> None:
    """Only what a trusted proxy has added tells one client from another."""
    async with strict.client(client=(peer, 1)) as client:
        answers = [
            await client.get("/v1/consent", headers={"X-Forwarded-For": forwarded.format(i)}) for i in range(2, 7)
        ]

    assert answers[-1].status_code == status


async def test_a_key_may_be_given_a_limit(strict: Running) -> None:
    async with strict.shop(await strict.key(Scope.MANAGE)) as shop:
        answers = [await shop.get("/v1/visitors/ZZZZZZZZZZZZZZZZZZZZZA/decisions") for _ in range(4)]

    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    check_refused(answers[3], "key", 3)


async def test_a_key_has_no_limit_of_its_own_accord(service: Running) -> None:
    """SVC-10."""
    async with service.shop() as shop:
        answers = [await shop.post("/v1/visitors") for _ in range(700)]

    assert {answer.status_code for answer in answers} == {201}


async def test_the_next_minute_begins_anew(strict: Running) -> None:
    async with strict.browser() as browser:
        spent = [await browser.get("/v1/consent") for _ in range(5)]
        strict.services.limits._seconds = lambda: 60.0
        fresh = await browser.get("/v1/consent")

    assert (spent[-1].status_code, fresh.status_code) == (429, 200)
