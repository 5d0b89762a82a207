"""What a banner is given in one request (contract §4; CON-21)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from consent_service.domain.vocabulary import CATEGORIES
from consent_service.service.policy_files import load_document
from consent_service.stores import packaged
from tests.support.service import ORIGIN, Running, code, memory_store, running


@pytest.fixture
async def sample(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Open a page of the sample shop, whose policy speaks five languages."""
    document = load_document((packaged("policies") / "storefront.yaml").read_text("utf-8"))
    assert isinstance(document, dict)
    async with running(tmp_path, memory_store(tmp_path), document) as service, service.browser() as page:
        yield page


async def test_one_request_brings_everything_a_banner_shows(browser: httpx.AsyncClient) -> None:
    """CON-21: who answers, which providers for what, for how long."""
    answer = await browser.get("/v1/banner")
    body = answer.json()

    assert answer.status_code == 200
    assert [category["id"] for category in body["categories"]] == [category.value for category in CATEGORIES]
    assert body["texts"]["reject_all"] == "reject_all"
    assert body["first_layer"] == ["accept_all", "reject_all", "customize"]
    assert body["controller"]["email"] == "privacy@shop.example"
    assert body["signals"] == {"dnt": "respect", "gpc": "honor"}
    assert (body["regime"], body["prompt"], body["policy_version"], body["lang"]) == ("opt_in", True, "v1", "en")
    shown = {tracker["name"]: tracker for category in body["categories"] for tracker in category["trackers"]}
    assert {name: shown["_fbp"][name] for name in ("provider", "purpose", "duration", "third_party")} == {
        "provider": "Ads Inc.",
        "purpose": "What _fbp is for",
        "duration": "P90D",
        "third_party": True,
    }


async def test_the_state_is_the_visitors_own(browser: httpx.AsyncClient, visitor: str) -> None:
    banner = await browser.get("/v1/banner")
    consent = await browser.get("/v1/consent")

    assert banner.json()["state"] == consent.json()
    assert (banner.json()["prompt"], banner.headers["cache-control"]) == (False, "private, no-store")


async def test_reading_it_gives_the_page_a_fresh_token_and_a_stranger_none(
    service: Running, browser: httpx.AsyncClient, visitor: str
) -> None:
    """Contract §3: the token is short-lived, and the banner refreshes it."""
    service.clock.forward(timedelta(hours=1))
    known = await browser.get("/v1/banner")
    async with service.browser() as stranger:
        unknown = await stranger.get("/v1/banner")

    assert [name.split("=")[0] for name in known.headers.get_list("set-cookie")] == ["consent_state"]
    assert "set-cookie" not in unknown.headers


@pytest.mark.parametrize(
    ("name", "region", "exempt", "shares"),
    [
        ("session", "FR", True, False),
        ("cart", "FR", True, False),
        ("visits", "FR", True, False),
        ("visits", "DE", False, False),
        ("share", "FR", False, False),
        ("_fbp", "FR", False, True),
        ("own_ads", "FR", False, False),
    ],
)
async def test_it_says_of_each_tracker_whether_it_needs_consent_here_and_whether_it_sells(
    tmp_path: Path, name: str, region: str, *, exempt: bool, shares: bool
) -> None:
    """TRK-09: what depends on who visits is not called exempt."""
    proxy = {"region_header": "X-Region", "trusted_proxies": "203.0.113.0/24"}
    async with running(tmp_path, memory_store(tmp_path), **proxy) as service, service.browser(X_Region=region) as page:
        body = (await page.get("/v1/banner")).json()
    found = [one for category in body["categories"] for one in category["trackers"] if one["name"] == name]

    assert [(one["exempt"], one["sells_or_shares"]) for one in found] == [(exempt, shares)]


async def test_without_the_state_it_may_be_cached_by_anybody(browser: httpx.AsyncClient, visitor: str) -> None:
    """SIG-23, SVC-11."""
    answer = await browser.get("/v1/banner?state=0")
    same = await browser.get("/v1/banner?state=0", headers={"If-None-Match": answer.headers["etag"]})
    another = await browser.get("/v1/banner?state=0", headers={"If-None-Match": '"other", ' + answer.headers["etag"]})

    assert (answer.json()["state"], answer.json()["prompt"]) == (None, None)
    assert answer.headers["cache-control"].startswith("public")
    assert visitor not in answer.text
    assert "set-cookie" not in answer.headers
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert another.status_code == 304


async def test_with_the_state_it_is_never_not_modified(browser: httpx.AsyncClient, visitor: str) -> None:
    first = await browser.get("/v1/banner")
    second = await browser.get("/v1/banner", headers={"If-None-Match": first.headers["etag"]})

    assert second.status_code == 200


async def test_a_new_version_has_a_new_tag(service: Running, browser: httpx.AsyncClient) -> None:
    tag = (await browser.get("/v1/banner?state=0")).headers["etag"]
    await service.publish(version="v2", effective_from="2026-11-25T10:00:00Z")
    service.clock.forward(timedelta(days=2))
    answer = await browser.get("/v1/banner?state=0", headers={"If-None-Match": tag})

    assert (answer.status_code, answer.json()["policy_version"]) == (200, "v2")


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", "", "en"),
        ("de", "", "de"),
        ("de-AT", "", "de"),
        ("DE", "", "de"),
        ("zh-CN", "", "zh-Hans"),
        ("zh-Hans-CN", "", "zh-Hans"),
        ("tlh", "", "en"),
        ("tlh", "fr", "fr"),
        ("", "fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", "fr"),
        ("", "en;q=0.1, es;q=0.9", "es"),
        ("", "de;q=0, es;q=0.1", "es"),
        ("", "*", "en"),
        ("", ";;;,q=", "en"),
        ("de", "fr", "de"),
        ("\x00", "", "en"),
    ],
)
async def test_the_notice_comes_in_the_best_language(
    sample: httpx.AsyncClient, asked: str, accepted: str, language: str
) -> None:
    """The one asked for, else by Accept-Language, else the policy's own."""
    params = {"state": "0", "lang": asked}
    answer = await sample.get("/v1/banner", params=params, headers={"Accept-Language": accepted})

    assert (answer.json()["lang"], answer.headers["content-language"]) == (language, language)
    assert "Accept-Language" in answer.headers["vary"]


async def test_languages_have_tags_of_their_own(sample: httpx.AsyncClient) -> None:
    tags = {
        (await sample.get(f"/v1/banner?state=0&lang={lang}")).headers["etag"] for lang in ("en", "de", "fr", "es", "zh")
    }

    assert len(tags) == 5


@pytest.mark.parametrize("query", ["state=2", "state=no", "lang=" + "x" * 256])
async def test_a_question_that_cannot_be_meant_is_refused(browser: httpx.AsyncClient, query: str) -> None:
    answer = await browser.get(f"/v1/banner?{query}")

    assert (answer.status_code, code(answer)) == (422, "validation-failed")


async def test_a_foreign_page_gets_no_banner(service: Running) -> None:
    async with service.browser("https://evil.example") as page:
        refused = await page.get("/v1/banner?state=0")
    async with service.browser(ORIGIN.upper()) as page:
        taken = await page.get("/v1/banner?state=0")

    assert (refused.status_code, taken.status_code) == (403, 200)
