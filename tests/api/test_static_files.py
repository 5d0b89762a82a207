"""The files that a shop's pages load from here (contract §11): any origin, the right types, small, asked for again."""

import gzip

import httpx
import pytest

TYPES = {
    "choices.js": "text/javascript; charset=utf-8",
    "choices.mjs": "text/javascript; charset=utf-8",
    "centre.css": "text/css; charset=utf-8",
    "words/de.json": "application/json",
    "words/ar.json": "application/json",
}


@pytest.mark.parametrize(("name", "media"), TYPES.items())
async def test_a_page_of_any_origin_may_load_them_and_check_their_integrity(
    browser: httpx.AsyncClient, name: str, media: str
) -> None:
    """CORS for `crossorigin`, CORP for pages that isolate themselves, and a type that `nosniff` lets run."""
    answer = await browser.get(f"/static/{name}", headers={"Origin": "https://anywhere.example"})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == media
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "access-control-allow-credentials" not in answer.headers
    assert "set-cookie" not in answer.headers


async def test_they_are_kept_a_while_and_then_asked_for_again(browser: httpx.AsyncClient) -> None:
    first = await browser.get("/static/choices.js")
    again = await browser.get("/static/choices.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "public, max-age=300"
    assert first.headers["etag"].startswith('W/"')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["access-control-allow-origin"] == "*"


async def test_they_travel_compressed_to_whoever_understands_it(browser: httpx.AsyncClient) -> None:
    """P10 counts what travels."""
    async with browser.stream("GET", "/static/choices.js", headers={"Accept-Encoding": "gzip"}) as answer:
        small = b"".join([part async for part in answer.aiter_raw()])
    plain = await browser.get("/static/choices.js", headers={"Accept-Encoding": "identity"})

    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(small) == plain.content
    assert len(small) < 0.5 * len(plain.content)


@pytest.mark.parametrize("path", ["/static/", "/static/words/", "/static/nothing.js", "/static/../config.py"])
async def test_nothing_else_is_there(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)

    assert answer.status_code == 404
