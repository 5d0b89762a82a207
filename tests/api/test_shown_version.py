"""Consent is given to the version that was shown (contract §4, §10; CON-11, CON-18)."""

from datetime import timedelta

import httpx
import pytest

from tests.support.builders import TRACKERS, entry
from tests.support.service import Running, code, submission

TOMORROW = "2026-11-25T09:30:00Z"


async def test_a_version_that_was_never_published_is_unknown(browser: httpx.AsyncClient) -> None:
    answer = await browser.put("/v1/consent", json=submission(policy_version="v9"))

    assert (answer.status_code, code(answer)) == (422, "policy-version-unknown")


async def test_a_version_that_is_not_yet_in_force_cannot_have_been_shown(
    service: Running, browser: httpx.AsyncClient
) -> None:
    await service.publish(version="v2", effective_from=TOMORROW)
    early = await browser.put("/v1/consent", json=submission(policy_version="v2"))
    service.clock.forward(timedelta(days=2))
    in_force = await browser.put("/v1/consent", json=submission(policy_version="v2"))

    assert (early.status_code, code(early)) == (422, "policy-version-unknown")
    assert (in_force.status_code, in_force.json()["policy_version"]) == (201, "v2")


async def test_a_superseded_version_is_a_conflict_that_asks_to_show_the_new_one(
    service: Running, browser: httpx.AsyncClient
) -> None:
    await service.publish(version="v2", effective_from=TOMORROW)
    before = await browser.put("/v1/consent", json=submission())
    service.clock.forward(timedelta(days=2))
    after = await browser.put("/v1/consent", json=submission())

    assert before.status_code == 201
    assert (after.status_code, code(after)) == (409, "policy-version-superseded")


async def test_a_new_tracker_ends_the_grants_it_touches_and_no_others(
    service: Running, browser: httpx.AsyncClient, visitor: str
) -> None:
    """CON-11: the banner asks for the difference."""
    added = entry("_new", "cookie", "advertising", "P90D", provider="ads", third_party=True)
    await service.publish(version="v2", effective_from=TOMORROW, trackers=[*TRACKERS, added])
    service.clock.forward(timedelta(days=2))
    body = (await browser.get("/v1/consent")).json()

    assert body["categories"]["advertising"]["reason"] == "policy_changed"
    assert body["categories"]["statistical"]["reason"] == "granted"
    assert body["prompt"] is True


@pytest.mark.parametrize("version", ["", "x" * 65, 7, None])
async def test_a_version_that_cannot_be_one_is_refused(browser: httpx.AsyncClient, version: object) -> None:
    answer = await browser.put("/v1/consent", json=submission(policy_version=version))

    assert (answer.status_code, code(answer)) == (422, "validation-failed")
