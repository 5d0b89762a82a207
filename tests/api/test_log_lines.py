"""What the log never holds (C4): addresses, user agents, visitor ids, tokens, keys, queries, references to customers."""

import asyncio
import json
import logging
from pathlib import Path

import httpx
import pytest

from consent_service import logs
from consent_service.api.log_line import LinesOfAStep
from tests.support.broken_store import SwitchedStore
from tests.support.service import BOOTSTRAP, CLIENT, Running, memory_store, running, submission

AGENT = "CanaryBrowser/7.3"
CANARIES = [
    CLIENT[0],
    "198.51.100.77",
    AGENT,
    BOOTSTRAP,
    "canary-reference",
    "canary-query",
    "canary-language",
    "canary-name",
]


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Give everything that the service logged, tracebacks included; the lines of the test's own client are not its."""
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")
    return "\n".join(formatter.format(record) for record in caplog.records if record.name != "httpx")


async def use_everything(service: Running) -> list[str]:
    """Go through the planes with canaries in every place; gives those that came into being on the way."""
    seen = {
        "User-Agent": AGENT,
        "X-Forwarded-For": "198.51.100.77",
        "Accept-Language": "canary-language",
        "Referer": "https://canary-name",
    }
    async with service.browser(**seen) as browser, service.shop() as shop:
        browser.headers.update(seen)
        visitor = (await browser.put("/v1/consent?x=canary-query", json=submission())).json()["visitor_id"]
        tokens = [browser.cookies["consent_visitor"], browser.cookies["consent_state"]]
        await browser.get("/v1/consent?x=canary-query", headers={"Sec-GPC": "1"})
        await browser.get("/v1/banner?lang=canary-language")
        await browser.get("/canary-name?x=canary-query")
        await browser.put("/v1/consent", json={"canary-name": "canary-query"})
        await browser.put("/v1/consent", content=b"canary-name", headers={"Content-Type": "canary/name"})
        await shop.get(f"/v1/visitors/{visitor}/decisions?region=canary-query")
        await shop.post("/v1/decisions", json={"visitor_id": visitor, "trackers": ["canary-name"]})
        await shop.put(f"/v1/visitors/{visitor}/account", json={"account_ref": "canary-reference"})
        key = (await shop.post("/v1/keys", json={"scope": "decide", "name": "canary-name"})).json()["key"]
        await shop.get("/v1/keys", headers={"Authorization": f"Bearer {key}"})
        await shop.get("/v1/policies/canary-name")
        await browser.delete("/v1/consent")
        await shop.delete(f"/v1/visitors/{visitor}")
    return [visitor, *tokens, key]


async def test_a_log_line_says_what_happened_and_nothing_about_whom(
    any_service: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """C4."""
    caplog.set_level(logging.DEBUG)
    made = await use_everything(any_service)
    text = logged(caplog)

    assert "consent_service.request" in text
    assert [canary for canary in (*CANARIES, *made) if canary in text] == []


async def test_an_outage_is_logged_without_the_visitor(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """C4."""
    caplog.set_level(logging.DEBUG)
    store = SwitchedStore(memory_store(tmp_path))
    async with running(tmp_path, store) as service, service.browser() as browser, service.shop() as shop:
        visitor = (await browser.put("/v1/consent", json=submission())).json()["visitor_id"]
        store.switch.all_off()
        await browser.delete("/v1/consent", headers={"User-Agent": AGENT})
        await shop.get(f"/v1/visitors/{visitor}/decisions")

    assert [canary for canary in (*CANARIES, visitor) if canary in logged(caplog)] == []


async def test_a_request_is_one_line_with_the_routes_template(
    browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An id in a path never reaches the log, and the id of the answer does."""
    caplog.set_level(logging.INFO, "consent_service.request")
    caplog.clear()
    answer = await shop.get(f"/v1/visitors/{visitor}/consent?region=FR")
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "consent_service.request"]

    assert len(lines) == 1
    assert set(lines[0]) == {"id", "method", "route", "status", "ms"}
    assert lines[0]["route"] == "/v1/visitors/{visitor_id}/consent"
    assert (lines[0]["id"], lines[0]["status"]) == (answer.headers["x-request-id"], 200)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/.well-known/dnt/"])
async def test_probes_and_status_requests_are_not_logged(
    browser: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """TSR-06."""
    caplog.set_level(logging.INFO)
    caplog.clear()
    await browser.get(path)

    assert "consent_service" not in logged(caplog)


async def test_each_decision_is_a_line_where_the_setting_asks_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The hot path's line a second stands for many; who needs each gets each, and no visitor in it (C4)."""
    async with running(tmp_path, memory_store(tmp_path), log_decisions=True) as service, service.shop() as shop:
        visitor = (await shop.post("/v1/visitors")).json()["visitor_id"]
        caplog.set_level(logging.INFO, "consent_service.request")
        caplog.clear()
        answers = [await shop.get(f"/v1/visitors/{visitor}/decisions?region=FR") for _ in range(3)]
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "consent_service.request"]

    assert [line["id"] for line in lines] == [answer.headers["x-request-id"] for answer in answers]
    assert [set(line) for line in lines] == [{"id", "method", "route", "status", "ms"}] * 3
    assert visitor not in logged(caplog)


async def test_lines_of_one_step_are_written_together_and_each_is_whole(caplog: pytest.LogCaptureFixture) -> None:
    """One record for a batch of writes; what is written stays one line of JSON for each request."""
    caplog.set_level(logging.INFO, "consent_service.request")
    lines, ids = LinesOfAStep(), ["a", "b"]
    for request_id in ids:
        lines.write("PUT", "/v1/visitors/{visitor_id}/consent", request_id, 200, 0.0012)
    assert not caplog.records
    await asyncio.sleep(0)
    lines.write("PUT", "/v1/visitors/{visitor_id}/consent", "c", 503, 0.0012)
    await asyncio.sleep(0)

    together, alone = caplog.records
    assert [json.loads(line)["id"] for line in together.getMessage().split("\n")] == ids
    assert json.loads(alone.getMessage())["status"] == 503
    written = [json.loads(line) for line in logs._JsonLine().format(together).split("\n")]
    assert [(line["id"], line["logger"], line["ms"]) for line in written] == [
        (request_id, "consent_service.request", 1.2) for request_id in ids
    ]
    readable = logs._ReadableLine().format(together).split("\n")
    assert [line.startswith("INFO    consent_service.request  {") for line in readable] == [True, True]
