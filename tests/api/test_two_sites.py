"""Two shops in one installation: neither sees anything of the other (C3; contract §2)."""

from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import pytest

from consent_service.domain.vocabulary import Scope
from tests.support.service import Running, code, submission

OTHER = "https://other.example"
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


class Neighbours(NamedTuple):
    """A visitor of `default` who accepted everything, and the people of `other`."""

    service: Running
    visitor: str
    cookie: str
    page: httpx.AsyncClient
    manager: httpx.AsyncClient
    auditor: httpx.AsyncClient


@pytest.fixture
async def neighbours(two_sites: Running) -> AsyncIterator[Neighbours]:
    """Open both shops."""
    manage, audit = await two_sites.key(Scope.MANAGE, "other"), await two_sites.key(Scope.AUDIT, "other")
    async with (
        two_sites.browser() as browser,
        two_sites.browser(OTHER) as page,
        two_sites.shop(manage) as manager,
        two_sites.shop(audit) as auditor,
    ):
        visitor = (await browser.put("/v1/consent", json=submission(), headers=KEY)).json()["visitor_id"]
        cookie = f"consent_visitor={browser.cookies['consent_visitor']}"
        yield Neighbours(two_sites, visitor, cookie, page, manager, auditor)


async def test_a_cookie_of_one_shop_is_none_at_the_other(neighbours: Neighbours) -> None:
    read = await neighbours.page.get("/v1/consent", headers={"Cookie": neighbours.cookie})
    written = await neighbours.page.put(
        "/v1/consent", json=submission("reject_all"), headers={"Cookie": neighbours.cookie}
    )

    assert (read.json()["visitor_id"], read.json()["site"]) == (None, "other")
    assert (written.status_code, written.json()["site"]) == (201, "other")
    assert written.json()["visitor_id"] != neighbours.visitor


@pytest.mark.parametrize("path", ["/v1/consent/history", "/v1/consent/receipt", "/v1/consent/export"])
async def test_the_other_shops_page_reads_nothing_with_it(neighbours: Neighbours, path: str) -> None:
    answer = await neighbours.page.get(path, headers={"Cookie": neighbours.cookie})

    assert answer.status_code == 404


CALLS = [
    ("GET", "/consent", None),
    ("PUT", "/consent", submission()),
    ("DELETE", "/consent", None),
    ("PUT", "/account", {"account_ref": "4711"}),
    ("DELETE", "/account", None),
    ("POST", "/opt-out", None),
    ("DELETE", "/opt-out", None),
    ("PUT", "/age-band", {"age_band": "child"}),
    ("PUT", "/restriction", {"restricted": True}),
    ("PUT", "/objections", {"categories": ["statistical"]}),
    ("GET", "/history", None),
    ("GET", "/receipt", None),
    ("GET", "/export", None),
    ("DELETE", "", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_a_foreign_visitor_is_answered_like_one_who_never_was(
    neighbours: Neighbours, method: str, path: str, body: dict[str, object] | None
) -> None:
    """C3: unknown and foreign ids answer identically, but for the id of the request."""
    foreign = await neighbours.manager.request(method, f"/v1/visitors/{neighbours.visitor}{path}", json=body)
    unknown = await neighbours.manager.request(method, f"/v1/visitors/ZZZZZZZZZZZZZZZZZZZZZA{path}", json=body)

    assert (foreign.status_code, code(foreign)) == (404, "not-found")
    assert foreign.json() | {"instance": ""} == unknown.json() | {"instance": ""}


async def test_a_decision_about_a_foreign_visitor_is_that_of_a_stranger(neighbours: Neighbours) -> None:
    answer = await neighbours.manager.get(f"/v1/visitors/{neighbours.visitor}/decisions?region=FR")
    listed = await neighbours.manager.post(
        "/v1/decisions", json={"visitor_id": neighbours.visitor, "trackers": ["_ga"]}
    )

    assert answer.json()["categories"]["advertising"]["reason"] == "no_record"
    assert listed.json()["decisions"][0]["reason"] == "no_record"


async def test_a_signal_about_a_foreign_visitor_changes_nothing(neighbours: Neighbours) -> None:
    await neighbours.manager.get(f"/v1/visitors/{neighbours.visitor}/decisions", headers={"Sec-GPC": "1"})

    assert (await neighbours.service.services.store.log.head("default")).size == 1


async def test_the_auditor_of_one_shop_sees_one_log(neighbours: Neighbours) -> None:
    events = (await neighbours.auditor.get("/v1/evidence/events")).json()["events"]
    exported = await neighbours.auditor.get("/v1/evidence/export")
    checkpoint = await neighbours.auditor.get("/v1/evidence/checkpoint")
    policies = (await neighbours.auditor.get("/v1/policies")).json()["policies"]

    assert (events, exported.text) == ([], "")
    assert "/evidence/other\n0\n" in checkpoint.text
    assert {policy["site"] for policy in policies} == {"other"}


async def test_one_minting_key_at_two_shops_makes_two_visitors(neighbours: Neighbours) -> None:
    answer = await neighbours.page.put("/v1/consent", json=submission(), headers=KEY)

    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers
    assert answer.json()["visitor_id"] != neighbours.visitor


async def test_one_customers_reference_at_two_shops_is_two_accounts(neighbours: Neighbours) -> None:
    """What a shop calls its customer says nothing at another."""
    async with neighbours.service.shop() as shop:
        account = {"account_ref": "4711"}
        await shop.put(f"/v1/visitors/{neighbours.visitor}/account", json=account, headers={"Sec-GPC": "1"})
    visitor = (await neighbours.manager.post("/v1/visitors")).json()["visitor_id"]
    linked = await neighbours.manager.put(f"/v1/visitors/{visitor}/account", json=account)

    assert linked.json()["gpc"] is False


@pytest.mark.parametrize(
    ("address", "origin", "site"),
    [
        ("https://shop.example", {}, "default"),
        ("https://other.example", {}, "other"),
        ("https://consent.example", {"Origin": OTHER}, "other"),
        ("https://shop.example", {"Origin": OTHER}, "other"),
        ("https://other.example", {"Origin": OTHER}, "other"),
    ],
)
async def test_a_page_is_known_by_its_origin_then_by_its_host(
    two_sites: Running, address: str, origin: dict[str, str], site: str
) -> None:
    async with two_sites.client(origin, address=address) as page:
        assert (await page.get("/v1/consent")).json()["site"] == site


async def test_a_page_that_names_neither_shop_is_nobodys(two_sites: Running) -> None:
    async with two_sites.client(address="https://consent.example") as page:
        answer = await page.get("/v1/consent")

    assert (answer.status_code, code(answer)) == (404, "not-found")
