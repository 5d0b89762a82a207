"""Choices that a login brings from other devices are announced on the new device, once (IDN-06; CNIL 2025-131)."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.builders import document
from tests.support.service import Running, memory_store, running, submission

CUSTOMER = {"account_ref": "customer-4711"}


@pytest.fixture
async def sharing(tmp_path: Path) -> AsyncIterator[Running]:
    """Run a shop whose customers' choices hold on all their devices."""
    async with running(tmp_path, memory_store(tmp_path), document(cross_device=True)) as service:
        yield service


async def log_in(service: Running, browser: httpx.AsyncClient, action: str) -> httpx.Response:
    """Answer the banner in a browser, then log in as the customer."""
    visitor = (await browser.put("/v1/consent", json=submission(action))).json()["visitor_id"]
    async with service.shop() as shop:
        return await shop.put(f"/v1/visitors/{visitor}/account", json=CUSTOMER)


@pytest.mark.parametrize("path", ["/v1/consent", "/v1/banner"])
async def test_a_new_device_is_told_once_that_choices_were_synced(sharing: Running, path: str) -> None:
    """IDN-06: the shop sees it in the answer to the login, the page with its first request, and nobody after that."""
    async with sharing.browser() as phone, sharing.browser() as laptop:
        first = await log_in(sharing, phone, "reject_all")
        second = await log_in(sharing, laptop, "accept_all")
        told = await laptop.get(path)
        again = await laptop.get(path)
        written = await laptop.put("/v1/consent", json=submission("reject_all"))
        history = (await laptop.get("/v1/consent/history")).json()["events"]

    assert "notice" not in first.json()
    assert second.json()["notice"] == "synced"
    assert (told.json()["notice"], "notice" in again.json()) == ("synced", False)
    assert written.status_code == 200
    assert [event["event_type"] for event in history] == ["given", "account_linked", "notice", "refused"]


async def test_the_notice_comes_with_the_revision_that_holds_now(sharing: Running) -> None:
    """IDN-06: a page that writes with If-Match after the notice is not refused."""
    async with sharing.browser() as phone, sharing.browser() as laptop:
        await log_in(sharing, phone, "reject_all")
        await log_in(sharing, laptop, "accept_all")
        told = await laptop.get("/v1/consent")
        written = await laptop.delete("/v1/consent", headers={"If-Match": told.headers["etag"]})

    assert (told.json()["notice"], written.status_code) == ("synced", 200)


async def test_whoever_logs_out_first_is_not_told_of_choices_that_are_gone(sharing: Running) -> None:
    """IDN-06, IDN-07."""
    async with sharing.browser() as phone, sharing.browser() as laptop, sharing.shop() as shop:
        await log_in(sharing, phone, "reject_all")
        visitor = (await log_in(sharing, laptop, "accept_all")).json()["visitor_id"]
        await shop.delete(f"/v1/visitors/{visitor}/account")
        answer = await laptop.get("/v1/consent")

    assert "notice" not in answer.json()
    assert answer.json()["categories"]["statistical"]["reason"] == "granted"


async def test_the_banner_says_on_its_first_layer_whether_choices_travel(sharing: Running) -> None:
    """IDN-06: `multi_device` where the shop shares choices across devices."""
    async with sharing.browser() as page:
        assert (await page.get("/v1/banner?state=0")).json()["multi_device"] is True


async def test_where_choices_stay_on_the_device_there_is_nothing_to_tell(service: Running) -> None:
    """IDN-04, IDN-06: off by default; a login shows nothing of other devices."""
    async with service.browser() as phone, service.browser() as laptop:
        await log_in(service, phone, "reject_all")
        linked = await log_in(service, laptop, "accept_all")
        banner = await laptop.get("/v1/banner")

    assert banner.json()["multi_device"] is False
    assert not {"notice"} & {*linked.json(), *banner.json()}
    assert linked.json()["categories"]["statistical"]["reason"] == "granted"
