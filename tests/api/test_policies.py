"""Publishing policies over HTTP (contract §6, §10)."""

import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from consent_service.domain.vocabulary import Scope
from tests.support.builders import TRACKERS, document, entry
from tests.support.service import Running, code, memory_store, running

WIDER = [*TRACKERS, entry("_new", "cookie", "advertising", "P90D", provider="ads", third_party=True)]
IN_25_HOURS = "2026-11-25T10:00:00Z"
IN_ONE_HOUR = "2026-11-24T10:00:00Z"


@pytest.fixture
async def development(tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service with its development setting."""
    async with running(tmp_path, memory_store(tmp_path), dev=True) as started:
        yield started


async def test_a_version_is_published_for_good(any_service: Running) -> None:
    async with any_service.shop() as shop:
        published = await shop.post("/v1/policies", json=document(version="v2", effective_from=IN_25_HOURS))
        again = await shop.post("/v1/policies", json=document(version="v2", effective_from=IN_25_HOURS))
        other = await shop.post("/v1/policies", json=document(version="v2", effective_from="2026-11-26T10:00:00Z"))
        listed = (await shop.get("/v1/policies")).json()["policies"]

    entry = published.json()
    assert published.status_code == again.status_code == 201
    assert again.json() == entry
    assert set(entry) == {"site", "version", "sha256", "effective_from", "published_at", "in_force"}
    assert (entry["version"], entry["effective_from"], entry["in_force"]) == ("v2", IN_25_HOURS, False)
    assert (other.status_code, code(other)) == (409, "policy-version-exists")
    assert [(item["version"], item["in_force"]) for item in listed] == [("v1", True), ("v2", False)]


async def test_a_version_is_read_back_byte_for_byte(any_service: Running) -> None:
    """EVD-03: the body hashes to what the list names; it may be kept for ever."""
    async with any_service.shop() as shop:
        named = (await shop.get("/v1/policies")).json()["policies"][0]
        read = await shop.get("/v1/policies/v1")
        kept = await shop.get("/v1/policies/v1", headers={"If-None-Match": read.headers["etag"]})

    assert sha256(read.content).hexdigest() == named["sha256"]
    assert read.json() == document()
    assert read.headers["etag"] == f'"{named["sha256"]}"'
    assert (kept.status_code, kept.content) == (304, b"")


@pytest.mark.parametrize("version", ["v9", "V1", "v1%20", "..%2Fv1"])
async def test_a_version_that_was_never_published_is_not_found(shop: httpx.AsyncClient, version: str) -> None:
    assert (await shop.get(f"/v1/policies/{version}")).status_code == 404


async def test_every_fault_is_named_at_once(shop: httpx.AsyncClient) -> None:
    faulty = document(version="v2", origins=["not an origin"], banner={"first_layer": ["accept_all"]})
    del faulty["categories"]["advertising"]
    faulty["trackers"][0]["provider"] = "nobody"
    answer = await shop.post("/v1/policies", json=faulty)

    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert (answer.status_code, code(answer)) == (422, "policy-invalid")
    assert {"/origins/0", "/trackers/0/provider"} <= pointers
    assert any(pointer.startswith("/banner") for pointer in pointers)
    assert any(pointer.startswith("/categories") for pointer in pointers)
    assert {frozenset(fault) for fault in answer.json()["errors"]} == {frozenset({"pointer", "code", "message"})}


async def test_more_tracking_is_announced_a_day_ahead(shop: httpx.AsyncClient) -> None:
    """TSR-13."""
    hasty = await shop.post("/v1/policies", json=document(version="v2", effective_from=IN_ONE_HOUR, trackers=WIDER))
    announced = await shop.post("/v1/policies", json=document(version="v3", effective_from=IN_25_HOURS, trackers=WIDER))

    assert (hasty.status_code, code(hasty)) == (422, "policy-invalid")
    assert hasty.json()["errors"][0]["pointer"] == "/effective_from"
    assert announced.status_code == 201


async def test_less_tracking_needs_no_notice(shop: httpx.AsyncClient) -> None:
    """TSR-13."""
    fewer = document(version="v2", effective_from=IN_ONE_HOUR, trackers=list(TRACKERS[:5]))

    assert (await shop.post("/v1/policies", json=fewer)).status_code == 201


async def test_a_development_setting_lifts_the_notice(development: Running) -> None:
    async with development.shop() as shop:
        answer = await shop.post(
            "/v1/policies", json=document(version="v2", effective_from=IN_ONE_HOUR, trackers=WIDER)
        )

    assert answer.status_code == 201


async def test_an_admin_key_publishes_policies_of_its_own_site_only(service: Running) -> None:
    async with service.shop(await service.key(Scope.ADMIN)) as admin, service.shop() as bootstrap:
        refused = await admin.post("/v1/policies", json=document(site="other"))
        published = await bootstrap.post("/v1/policies", json=document(site="other"))

    assert (refused.status_code, code(refused)) == (403, "forbidden")
    assert (published.status_code, published.json()["site"]) == (201, "other")


@pytest.mark.parametrize("body", [[], "policy", 7, None, {}, {"site": "default"}])
async def test_what_is_no_policy_is_refused(shop: httpx.AsyncClient, body: object) -> None:
    answer = await shop.post("/v1/policies", content=json.dumps(body), headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_refused_policy_leaves_everything_as_it_was(shop: httpx.AsyncClient) -> None:
    await shop.post("/v1/policies", json=document(version="v2", languages={"default": "xx", "available": ["en"]}))

    assert [item["version"] for item in (await shop.get("/v1/policies")).json()["policies"]] == ["v1"]
