"""Reports: what is counted, what is withheld, in both forms, and for nobody but the site's own staff."""

import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest

from consent_service.domain.vocabulary import Category, Scope
from tests.support.builders import NOW
from tests.support.service import Running, code, submission

RATES = "/v1/reports/consent-rates"
TODAY = NOW.date().isoformat()


async def answer(
    service: Running, action: str, times: int, origin: str = "https://shop.example", **headers: str
) -> None:
    """Let so many new visitors give an answer."""
    for _ in range(times):
        async with service.browser(origin, **headers) as browser:
            (await browser.put("/v1/consent", json=submission(action))).raise_for_status()


async def report(shop: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    """Ask for a report."""
    found: dict[str, Any] = (await shop.get(RATES, params=asked)).raise_for_status().json()
    return found


async def test_rates_are_the_share_of_answers_that_grant(any_service: Running) -> None:
    await answer(any_service, "accept_all", 30)
    await answer(any_service, "reject_all", 20, DNT="1")
    async with any_service.shop() as shop:
        found = await report(shop, group_by="category")
    rows = {row["category"]: row for row in found["rows"]}
    assert list(rows) == [category.value for category in Category]
    assert rows["advertising"] == {
        "category": "advertising",
        "answers": 50,
        "granted": 30,
        "denied": 20,
        "withdrawn": 0,
        "rate": 0.6,
    }
    assert (found["total"]["accepted_all"], found["total"]["refused_all"], found["total"]["dnt_share"]) == (30, 20, 0.4)


async def test_days_come_in_order_and_only_those_asked_for(service: Running, shop: httpx.AsyncClient) -> None:
    await answer(service, "accept_all", 10)
    service.clock.forward(timedelta(days=1))
    await answer(service, "reject_all", 12)
    service.clock.forward(timedelta(days=1))
    await answer(service, "accept_all", 11)
    found = await report(shop, **{"from": TODAY, "to": (NOW + timedelta(days=1)).date().isoformat()})
    days = [(row["day"], row["categories"]["statistical"]["granted"]) for row in found["rows"]]
    assert days == [("2026-11-24", 10), ("2026-11-25", 0)]
    assert found["total"]["answers"] == 22


async def test_a_report_without_days_is_about_the_last_thirty(service: Running, shop: httpx.AsyncClient) -> None:
    await answer(service, "accept_all", 10)
    service.clock.forward(timedelta(days=30))
    assert (await report(shop))["rows"] == []
    service.clock.forward(-timedelta(days=1))
    found = await report(shop)
    assert (found["from"], found["to"], len(found["rows"])) == ("2026-11-24", "2026-12-23", 1)


async def test_a_report_by_version_or_region_names_its_groups(service: Running, shop: httpx.AsyncClient) -> None:
    await answer(service, "accept_all", 15)
    assert [row["policy_version"] for row in (await report(shop, group_by="policy_version"))["rows"]] == ["v1"]
    assert [row["region"] for row in (await report(shop, group_by="region"))["rows"]] == [None]


async def test_small_counts_are_withheld(service: Running, shop: httpx.AsyncClient) -> None:
    """EVD-14: neither the three refusals nor what would give them away."""
    await answer(service, "accept_all", 30)
    await answer(service, "reject_all", 3)
    total = (await report(shop))["total"]
    assert (total["answers"], total["accepted_all"], total["refused_all"]) == (33, None, None)
    assert total["categories"]["advertising"] == {"granted": None, "denied": None, "withdrawn": 0, "rate": None}


async def test_a_day_of_few_answers_hides_behind_its_neighbour(service: Running, shop: httpx.AsyncClient) -> None:
    """EVD-14: the total is told, so one missing day alone would follow from the others."""
    for number in (30, 4, 12):
        await answer(service, "accept_all", number)
        service.clock.forward(timedelta(days=1))
    found = await report(shop)
    assert found["total"]["answers"] == 46
    assert [row["answers"] for row in found["rows"]] == [30, None, None]
    assert set(found["rows"][1]["categories"]["advertising"].values()) == {None}


async def test_a_report_holds_nobodys_id(service: Running, shop: httpx.AsyncClient, visitor: str) -> None:
    """EVD-14: aggregate statistics without visitor ids."""
    texts = [(await shop.get(RATES, params={"format": form})).text for form in ("json", "csv")]
    assert all(visitor not in text for text in texts)


async def test_an_erasure_leaves_a_report_as_it_is(service: Running, shop: httpx.AsyncClient, visitor: str) -> None:
    await answer(service, "accept_all", 12)
    before = await report(shop)
    assert (await shop.delete(f"/v1/visitors/{visitor}")).status_code == 204
    assert await report(shop) == before


@pytest.mark.parametrize("how", [{"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])
async def test_a_report_comes_as_csv(service: Running, shop: httpx.AsyncClient, how: dict[str, Any]) -> None:
    await answer(service, "accept_all", 25)
    found = await shop.get(RATES, **how)
    lines = list(csv.DictReader(io.StringIO(found.text)))
    assert found.headers["content-type"].startswith("text/csv")
    assert 'filename="consent-rates-' in found.headers["content-disposition"]
    assert lines[2] == {
        "day": TODAY,
        "category": "advertising",
        "answers": "25",
        "granted": "25",
        "denied": "0",
        "withdrawn": "0",
        "rate": "1.0",
    }
    assert len(lines) == len(Category)


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "yesterday"},
        {"to": "2026-02-30"},
        {"from": "20261122"},
        {"from": "1763769600"},
        {"from": "2026-11-24", "to": "2026-11-22"},
        {"group_by": "visitor"},
        {"channel": "fax"},
    ],
)
async def test_what_no_report_can_be_about_is_refused(shop: httpx.AsyncClient, asked: dict[str, str]) -> None:
    found = await shop.get(RATES, params=asked)
    assert found.status_code == 422
    assert found.json()["errors"][0]["pointer"] in {"/query/from", "/query/to", "/query/group_by", "/query/channel"}


async def test_a_site_sees_its_own_consents_only(two_sites: Running) -> None:
    await answer(two_sites, "accept_all", 20)
    async with two_sites.shop(await two_sites.key(Scope.AUDIT, "other")) as other:
        assert (await report(other))["total"]["answers"] == 0


@pytest.mark.parametrize("scope", [Scope.DECIDE, Scope.MANAGE])
async def test_a_storefronts_key_sees_no_reports(service: Running, scope: Scope) -> None:
    async with service.shop(await service.key(scope)) as shop:
        found = await shop.get(RATES)
    assert (found.status_code, code(found)) == (403, "forbidden")
