"""The register of trackers, as JSON and as CSV (contract §6; TRK-10)."""

import csv
import io
from datetime import timedelta

import httpx
import pytest

from tests.support.builders import TRACKERS
from tests.support.service import Running


async def test_the_register_says_all_that_a_policy_page_needs(shop: httpx.AsyncClient) -> None:
    """TRK-10: name, domain, provider, purpose, duration, category."""
    answer = await shop.get("/v1/trackers")
    entries = {entry["name"]: entry for entry in answer.json()["trackers"]}

    assert answer.status_code == 200
    assert list(entries) == [tracker["name"] for tracker in TRACKERS]
    assert entries["_fbp"]["purpose"] == {"en": "What _fbp is for"}
    assert {name: entries["_fbp"][name] for name in ("category", "provider", "duration", "domain", "third_party")} == {
        "category": "advertising",
        "provider": "Ads Inc.",
        "duration": "P90D",
        "domain": "",
        "third_party": True,
    }


async def test_the_register_comes_as_a_table_too(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/v1/trackers", headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert answer.headers["content-type"].startswith("text/csv")
    assert [row["name"] for row in rows] == [tracker["name"] for tracker in TRACKERS]
    assert {"name", "domain", "provider", "purpose", "duration", "category"} <= set(rows[0])


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
async def test_an_unchanged_register_is_not_sent_again(service: Running, shop: httpx.AsyncClient, accept: str) -> None:
    """SVC-11: by form and version."""
    first = await shop.get("/v1/trackers", headers={"Accept": accept})
    tag = first.headers["etag"]
    same = await shop.get("/v1/trackers", headers={"Accept": accept, "If-None-Match": tag})
    await service.publish(version="v2", effective_from="2026-11-25T10:00:00Z")
    service.clock.forward(timedelta(days=2))
    newer = await shop.get("/v1/trackers", headers={"Accept": accept, "If-None-Match": tag})

    assert (same.status_code, same.content) == (304, b"")
    assert newer.status_code == 200
    assert first.headers["vary"] == "Accept"


async def test_the_forms_have_tags_of_their_own(shop: httpx.AsyncClient) -> None:
    tags = {
        (await shop.get("/v1/trackers", headers={"Accept": accept})).headers["etag"] for accept in ("*/*", "text/csv")
    }

    assert len(tags) == 2
