"""Which pages may act for a visitor: Origin × Sec-Fetch-Site × content type (C5, SVC-08, SIG-24)."""

import json
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from tests.support.service import ADDRESS, BOOTSTRAP, CLIENT, ORIGIN, Running, code, memory_store, running, submission

JSON = "application/json"
ALLOWED = [None, ORIGIN, ADDRESS]
FOREIGN = [
    "https://evil.example",
    "null",
    "http://shop.example",
    "https://shop.example:8443",
    "https://shop.example.evil.example",
    "",
    "*",
    "https://shop.example/",
]


async def write(
    page: httpx.AsyncClient, origin: str | None, fetch_site: str | None, media_type: str | None
) -> httpx.Response:
    """Send an answer as a page would."""
    named = {"Origin": origin, "Sec-Fetch-Site": fetch_site, "Content-Type": media_type}
    headers = {name: value for name, value in named.items() if value is not None}
    return await page.put("/v1/consent", content=json.dumps(submission()).encode(), headers=headers)


@pytest.mark.parametrize("fetch_site", [None, "same-origin", "same-site", "cross-site", "none"])
@pytest.mark.parametrize("origin", [ORIGIN, ADDRESS, ORIGIN.upper()])
async def test_the_shops_own_pages_are_served(service: Running, origin: str, fetch_site: str | None) -> None:
    """C5: the browser vouches for Origin, wherever the page stands."""
    async with service.client() as page:
        answer = await write(page, origin, fetch_site, JSON)

    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize(
    ("fetch_site", "status"),
    [(None, 201), ("same-origin", 201), ("same-site", 201), ("none", 201), ("cross-site", 403), ("anything", 403)],
)
async def test_a_request_without_origin_must_not_come_across_sites(
    service: Running, fetch_site: str | None, status: int
) -> None:
    """C5: an image, a form or a frame on somebody's page."""
    async with service.client() as page:
        answer = await write(page, None, fetch_site, JSON)

    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", submission()), ("DELETE", None)])
@pytest.mark.parametrize("fetch_site", ["", "same-origin", "same-site", "cross-site"])
@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_page_is_refused_whatever_else_it_says(
    service: Running, origin: str, fetch_site: str, method: str, body: dict[str, object] | None
) -> None:
    """C5, SVC-08, SIG-24."""
    headers = {"Origin": origin, "Sec-Fetch-Site": fetch_site}
    async with service.client() as page:
        answer = await page.request(method, "/v1/consent", json=body, headers=headers)

    assert (answer.status_code, code(answer)) == (403, "origin-not-allowed")
    assert "access-control-allow-origin" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "text/plain",
        "text/plain; charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/problem+json",
    ],
)
@pytest.mark.parametrize("origin", ALLOWED)
async def test_only_json_is_taken(service: Running, origin: str | None, media_type: str | None) -> None:
    """SVC-08: what a page may send across sites without asking first is refused."""
    async with service.client() as page:
        answer = await write(page, origin, None, media_type)
        read = await page.get("/v1/consent")

    assert (answer.status_code, code(answer), read.json()["revision"]) == (415, "unsupported-media-type", 0)


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_json_is_taken_however_it_is_spelt(service: Running, media_type: str) -> None:
    async with service.client() as page:
        assert (await write(page, ORIGIN, "cross-site", media_type)).status_code == 201


async def test_two_origins_are_none(service: Running) -> None:
    async with service.client() as page:
        answer = await page.get("/v1/consent", headers=[("Origin", ORIGIN), ("Origin", "https://evil.example")])

    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/v1/consent", "/v1/banner", "/v1/consent/data"])
async def test_a_preflight_of_the_shop_is_answered(service: Running, path: str) -> None:
    """SIG-24: an allowed origin is named, never `*`; signals are set by the browser and need no entry."""
    asked = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type,if-match,idempotency-key",
    }
    async with service.browser() as page:
        answer = await page.options(path, headers=asked)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-allow-methods"] == "GET, PUT, DELETE"
    assert answer.headers["access-control-allow-headers"] == "content-type, idempotency-key, if-match"
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_preflight_of_a_foreign_page_is_refused(service: Running, origin: str) -> None:
    """SIG-24."""
    async with service.client() as page:
        answer = await page.options("/v1/consent", headers={"Origin": origin, "Access-Control-Request-Method": "PUT"})

    assert (answer.status_code, code(answer)) == (403, "origin-not-allowed")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/v1/decisions", "/v1/keys", "/v1/policies", "/v1/trackers", "/v1/visitors", "/v1/evidence/checkpoint"]
)
async def test_no_page_may_use_the_planes_of_servers(service: Running, path: str) -> None:
    async with service.browser(authorization=f"Bearer {BOOTSTRAP}") as page:
        preflight = await page.options(path, headers={"Access-Control-Request-Method": "GET"})
        answer = await page.get(path)

    assert preflight.status_code == 405
    assert "access-control-allow-origin" not in {*preflight.headers, *answer.headers}


@pytest.fixture
async def development(tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service with its development setting."""
    async with running(tmp_path, memory_store(tmp_path), dev=True) as started:
        yield started


LOOPBACK = ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:5173", "http://shop.localhost"]


@pytest.mark.parametrize("origin", LOOPBACK)
async def test_pages_on_loopback_are_for_development_only(service: Running, development: Running, origin: str) -> None:
    async with service.client() as page, development.client() as developer:
        refused, taken = await write(page, origin, None, JSON), await write(developer, origin, None, JSON)

    assert (refused.status_code, taken.status_code) == (403, 201)


@pytest.mark.parametrize(
    "origin", ["http://localhost.evil.example", "http://127.0.0.1.evil.example", "null", "http://["]
)
async def test_what_only_looks_like_loopback_is_refused_in_development_too(development: Running, origin: str) -> None:
    async with development.client() as page:
        assert (await write(page, origin, None, JSON)).status_code == 403


@pytest.mark.parametrize(("peer", "status"), [(("192.0.2.7", 1), 201), (CLIENT, 403)])
async def test_the_host_that_a_proxy_names_is_believed_from_a_trusted_one(
    tmp_path: Path, peer: tuple[str, int], status: int
) -> None:
    async with running(tmp_path, memory_store(tmp_path), trusted_proxies=(ip_network("192.0.2.0/24"),)) as service:
        async with service.client({"X-Forwarded-Host": "www.shop.example"}, peer) as page:
            answer = await write(page, "https://www.shop.example", None, JSON)

    assert answer.status_code == status
