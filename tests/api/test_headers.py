"""What every answer bears: caching, variance, and the headers that keep a browser from mischief (SIG-23; C6)."""

from pathlib import Path

import httpx
import pytest

from tests.support.service import Running, memory_store, running, submission

PUBLIC = ["/livez", "/readyz", "/version", "/docs", "/openapi.json", "/static/docs.js", "/docs/assets/swagger-ui.css"]
WELL_KNOWN = [f"/.well-known/{name}" for name in ("gpc.json", "dnt/", "dnt/v1", "jwks.json", "security.txt", "nothing")]
VISITOR = ["/v1/consent", "/v1/banner", "/v1/banner?state=0", "/v1/consent/history", "/v1/consent/nothing"]
SHOP = [
    "/v1/visitors/{}/decisions",
    "/v1/visitors/{}/consent",
    "/v1/trackers",
    "/v1/policies",
    "/v1/policies/v1",
    "/v1/keys",
]


@pytest.mark.parametrize("path", [*PUBLIC, *WELL_KNOWN, *VISITOR, *SHOP])
async def test_every_answer_is_closed_to_mischief(shop: httpx.AsyncClient, visitor: str, path: str) -> None:
    """No sniffing, no framing, no inline script, no referrer; https once seen stays."""
    answer = await shop.get(path.format(visitor))
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))

    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy.get("script-src", "'none'") in {"'self'", "'none'"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert "cache-control" in answer.headers
    assert len(answer.headers["x-request-id"]) == 36
    assert "server" not in answer.headers


async def test_plain_http_promises_no_https(tmp_path: Path) -> None:
    async with running(tmp_path, memory_store(tmp_path), public_url="http://127.0.0.1:8080") as service:
        async with service.client() as client:
            assert "strict-transport-security" not in (await client.get("/livez")).headers


async def test_an_answer_about_a_visitor_is_never_kept(
    browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str
) -> None:
    """SIG-23."""
    base = f"/v1/visitors/{visitor}"
    answers = [
        await browser.get("/v1/consent"),
        await browser.get("/v1/banner"),
        await browser.get("/v1/consent/history"),
        await browser.get("/v1/consent/receipt"),
        await browser.get("/v1/consent/export"),
        await browser.put("/v1/consent", json=submission()),
        await shop.get(f"{base}/decisions?region=FR"),
        await shop.get(f"{base}/decisions", headers={"Sec-GPC": "1"}),
        await shop.post("/v1/decisions", json={"visitor_id": visitor, "trackers": ["_ga"]}),
        await shop.get(f"{base}/consent"),
        await shop.get(f"{base}/history"),
        await shop.get(f"{base}/receipt"),
        await shop.get(f"{base}/export"),
        await shop.post(f"{base}/opt-out"),
        await browser.delete("/v1/consent"),
        await browser.delete("/v1/consent/data"),
    ]

    assert {answer.headers["cache-control"] for answer in answers} == {"private, no-store"}
    assert all(answer.headers["vary"].startswith("DNT, Sec-GPC") for answer in answers)


async def test_the_planes_that_a_page_reads_vary_by_origin_and_cookie_once(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/v1/consent")

    assert answer.headers["vary"] == "DNT, Sec-GPC, Origin, Cookie"


@pytest.mark.parametrize("path", ["/v1/consent/nothing", "/v1/visitors/short/consent", "/v1/keys/none"])
async def test_an_error_is_never_kept(shop: httpx.AsyncClient, path: str) -> None:
    answer = await shop.get(path)

    assert answer.status_code >= 400
    assert "no-store" in answer.headers["cache-control"]


async def test_a_draining_process_says_so_and_serves_on(service: Running, browser: httpx.AsyncClient) -> None:
    """Contract §9: ready goes 503 first."""
    ready = await browser.get("/readyz")
    service.services.health.draining = True
    draining = await browser.get("/readyz")
    written = await browser.put("/v1/consent", json=submission())
    alive = await browser.get("/livez")

    assert (ready.status_code, draining.status_code, written.status_code, alive.status_code) == (200, 503, 201, 200)
    assert draining.headers["content-type"] == "application/problem+json"
    assert "retry-after" in draining.headers


async def test_the_version_is_that_of_the_package(browser: httpx.AsyncClient) -> None:
    from consent_service import __version__  # noqa: PLC0415 - the one test that needs it

    assert (await browser.get("/version")).json() == {"name": "consent-service", "version": __version__}
