"""A store that cannot be reached: writes are refused, decisions deny, nothing is lost (contract §8, SVC-01)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.support.broken_store import Switch, SwitchedStore
from tests.support.service import BOOTSTRAP, Running, code, memory_store, running, submission


class Outage(NamedTuple):
    """A service, a visitor who has accepted everything, and the switch of its store."""

    service: Running
    browser: httpx.AsyncClient
    shop: httpx.AsyncClient
    visitor: str
    switch: Switch
    key: dict[str, str]


@pytest.fixture
async def outage(tmp_path: Path) -> AsyncIterator[Outage]:
    """Run the service on a store that can be switched off."""
    store = SwitchedStore(memory_store(tmp_path))
    async with running(tmp_path, store) as service, service.browser() as browser, service.shop() as shop:
        visitor = (await browser.put("/v1/consent", json=submission())).json()["visitor_id"]
        yield Outage(service, browser, shop, visitor, store.switch, {"Authorization": f"Bearer {BOOTSTRAP}"})


async def test_a_decision_allows_nothing_but_what_is_exempt(outage: Outage) -> None:
    outage.switch.all_off()
    answer = await outage.shop.get(f"/v1/visitors/{outage.visitor}/decisions?region=FR")

    body = answer.json()
    assert (answer.status_code, body["degraded"]) == (200, True)
    assert {name: entry["reason"] for name, entry in body["categories"].items()} == {
        "technical": "unavailable",
        "personalization": "unavailable",
        "advertising": "unavailable",
        "statistical": "unavailable",
        "social_media": "unavailable",
        "strictly_necessary": "exempt",
        "analytical_performance": "unavailable",
        "functionality": "unavailable",
    }


@pytest.mark.parametrize("region", ["FR", "US-TX", "US-CA", None])
async def test_silence_allows_nothing_in_any_region(outage: Outage, region: str | None) -> None:
    """B2: an unreachable store may hide a refusal, so an opt-out region's default does not count either."""
    outage.switch.all_off()
    one = {
        "visitor_id": outage.visitor,
        "region": region,
        "trackers": ["_ga", "session", "cart"],
        "categories": ["advertising"],
    }
    single = await outage.shop.post("/v1/decisions", json=one)
    many = await outage.shop.post("/v1/decisions", json={"requests": [one, one]})

    assert (single.status_code, single.json()["degraded"]) == (200, True)
    assert [item["reason"] for item in single.json()["decisions"]] == ["unavailable", "exempt", "exempt", "unavailable"]
    assert "max_age" not in single.json()["decisions"][0]
    assert (many.status_code, many.json()["degraded"]) == (200, True)
    assert [result["decisions"] for result in many.json()["results"]] == [single.json()["decisions"]] * 2


async def test_a_signal_that_cannot_be_stored_counts_all_the_same(outage: Outage) -> None:
    outage.switch.writes = False
    answer = await outage.shop.get(f"/v1/visitors/{outage.visitor}/decisions?region=FR", headers={"Sec-GPC": "1"})

    assert (answer.status_code, answer.json()["degraded"]) == (200, True)
    assert answer.json()["categories"]["advertising"] == {"allow": False, "reason": "gpc"}


WRITES = [
    ("PUT", "/v1/consent", submission("reject_all")),
    ("DELETE", "/v1/consent", None),
    ("DELETE", "/v1/consent/data", None),
    ("PUT", "/v1/visitors/{}/consent", submission()),
    ("DELETE", "/v1/visitors/{}/consent", None),
    ("POST", "/v1/visitors", None),
    ("POST", "/v1/visitors/{}/opt-out", None),
    ("PUT", "/v1/visitors/{}/age-band", {"age_band": "adult"}),
    ("DELETE", "/v1/visitors/{}", None),
]


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_write_is_refused_and_may_be_tried_again(
    outage: Outage, method: str, path: str, body: dict[str, object] | None, reads: bool
) -> None:
    """Nothing was stored, and the answer says when to come back."""
    outage.switch.writes, outage.switch.reads = False, reads
    answer = await outage.browser.request(method, path.format(outage.visitor), json=body, headers=outage.key)
    outage.switch.writes = outage.switch.reads = True
    after = await outage.browser.get("/v1/consent")

    assert (answer.status_code, code(answer)) == (503, "store-unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "tk" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert after.json()["revision"] == 1


@pytest.mark.parametrize("path", ["/v1/consent", "/v1/banner", "/v1/consent/history", "/v1/consent/export"])
async def test_what_cannot_be_known_is_not_made_up(outage: Outage, path: str) -> None:
    outage.switch.all_off()
    answer = await outage.browser.get(path)

    assert (answer.status_code, code(answer)) == (503, "store-unavailable")


async def test_what_needs_no_visitor_is_served_on(outage: Outage) -> None:
    outage.switch.all_off()
    paths = (
        "/v1/banner?state=0",
        "/.well-known/gpc.json",
        "/.well-known/dnt/",
        "/.well-known/jwks.json",
        "/livez",
        "/version",
    )

    assert [(await outage.browser.get(path)).status_code for path in paths] == [200] * len(paths)


async def test_a_process_without_its_store_is_alive_and_not_ready(outage: Outage) -> None:
    ready = await outage.browser.get("/readyz")
    outage.switch.all_off()
    away = await outage.browser.get("/readyz")
    alive = await outage.browser.get("/livez")

    assert (ready.status_code, away.status_code, alive.status_code) == (200, 503, 200)
    assert code(away) == "store-unavailable"


async def test_a_key_under_which_a_write_failed_may_be_used_again(outage: Outage) -> None:
    key = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    outage.switch.all_off()
    failed = await outage.browser.put("/v1/consent", json=submission("reject_all"), headers=key)
    outage.switch.reads = outage.switch.writes = True
    taken = await outage.browser.put("/v1/consent", json=submission("reject_all"), headers=key)

    assert (failed.status_code, taken.status_code) == (503, 200)
    assert "idempotency-replayed" not in taken.headers
