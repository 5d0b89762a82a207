"""What `/metrics` tells, whom, and what it never does."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from consent_service.api.metric_families import FAMILIES
from consent_service.domain.errors import StoreUnavailable
from tests.api.test_log_lines import CANARIES, use_everything
from tests.support.broken_store import SwitchedStore
from tests.support.postgres import PostgresServer
from tests.support.receiver import receiving
from tests.support.service import Running, memory_store, postgres_store, running, submission

LOOPBACK = ("127.0.0.1", 50_000)


async def scrape(service: Running, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Ask from the service's own machine."""
    async with service.client(headers, client=LOOPBACK) as scraper:
        return await scraper.get("/metrics")


async def measured(service: Running, name: str, **labels: str) -> float:
    """Give the sum of a metric's values that bear these labels."""
    families = text_string_to_metric_families((await scrape(service)).text)
    found = [sample for family in families for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in found if labels.items() <= sample.labels.items())


async def test_every_documented_metric_is_there_from_the_start(service: Running) -> None:
    text = (await scrape(service)).text
    assert [family.name for family in FAMILIES if f"# TYPE {family.name} {family.kind}" not in text] == []
    assert "process_resident_memory_bytes" in text


async def test_another_machine_is_told_nothing_unless_a_setting_says_so(service: Running, tmp_path: Path) -> None:
    """Contract §2: on by default for callers on loopback only."""
    async with service.client() as stranger:
        refused = await stranger.get("/metrics")
    async with running(tmp_path, memory_store(tmp_path), metrics_public=True) as opened, opened.client() as stranger:
        assert (await stranger.get("/metrics")).status_code == 200
    assert refused.status_code == 404
    assert "consent_" not in refused.text


@pytest.mark.parametrize("field", ["Forwarded", "X-Forwarded-For", "X-Real-IP"])
async def test_a_proxy_on_the_same_machine_opens_nothing(service: Running, field: str) -> None:
    assert (await scrape(service, {field: "198.51.100.77"})).status_code == 404


async def test_openmetrics_is_answered_to_who_asks_for_it(service: Running) -> None:
    answer = await scrape(service, {"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


async def test_decisions_are_counted_alike_on_the_hot_path_and_beside_it(
    service: Running, shop: httpx.AsyncClient, visitor: str
) -> None:
    path = f"/v1/visitors/{visitor}/decisions"
    for query in ("?region=FR", "?region=FR", "?region=FR&ordinary=1"):
        await shop.get(path + query)
    await shop.post("/v1/decisions", json={"visitor_id": visitor, "trackers": ["_ga", "not-registered"]})
    assert await measured(service, "consent_decisions_total", category="advertising", reason="granted") == 3
    assert await measured(service, "consent_decisions_total", category="analytical_performance") == 4
    assert await measured(service, "consent_decisions_total", category="none", reason="unregistered") == 1
    route = "/v1/visitors/{visitor_id}/decisions"
    assert await measured(service, "consent_http_requests_total", route=route, status="200") == 3


async def test_answers_without_the_store_are_counted_as_degraded(tmp_path: Path) -> None:
    store = SwitchedStore(memory_store(tmp_path))
    async with running(tmp_path, store) as service, service.shop() as shop, service.browser() as browser:
        visitor = (await browser.put("/v1/consent", json=submission())).json()["visitor_id"]
        store.switch.all_off()
        for query in ("?region=FR", "?region=FR&ordinary=1"):
            await shop.get(f"/v1/visitors/{visitor}/decisions{query}")
        assert await measured(service, "consent_degraded_answers_total") == 2
        assert await measured(service, "consent_decisions_total", reason="unavailable") > 0
        assert await measured(service, "consent_decisions_total", reason="granted") == 0


async def test_changes_are_counted_by_what_they_came_to(
    service: Running, browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str
) -> None:
    await browser.delete("/v1/consent")
    await browser.put("/v1/consent", json=submission(), headers={"If-Match": '"1"'})
    await shop.delete(f"/v1/visitors/{visitor}")
    outcomes = ("given", "withdrawn", "refused", "erased")
    assert [await measured(service, "consent_writes_total", outcome=outcome) for outcome in outcomes] == [1, 1, 1, 1]
    assert await measured(service, "consent_batch_size_sum", queue="writes") >= 3


async def test_entries_wait_for_a_checkpoint_until_there_is_one(
    service: Running, browser: httpx.AsyncClient, visitor: str
) -> None:
    await service.services.checkpoints.publish_news()
    await browser.delete("/v1/consent")
    await service.services.checkpoints.publish_news()
    assert await measured(service, "consent_log_entries", site="default") == 2
    assert await measured(service, "consent_checkpoint_entries", site="default") == 1
    service.clock.forward(timedelta(minutes=1))
    await service.services.checkpoints.publish_news()
    assert await measured(service, "consent_checkpoint_entries", site="default") == 2
    assert await measured(service, "consent_checkpoint_lag_seconds", site="default") == 0


async def attempted(service: Running, number: int) -> None:
    """Wait until so many deliveries have been tried and noted."""
    async with asyncio.timeout(30):
        while service.services.webhook_standings.outcomes.total() < number:  # noqa: ASYNC110 - a counter wakes nobody
            await asyncio.sleep(0.02)


async def standing(service: Running) -> list[float]:
    """Give what waits for the site's endpoints, what was given up, and the age in seconds."""
    names = ("waiting", "dead_letters", "oldest_seconds")
    return [await measured(service, f"consent_webhook_{name}", site="default") for name in names]


async def test_an_event_that_is_refused_is_seen_to_wait_and_to_age(tmp_path: Path) -> None:
    """SVC-09, over a real socket: one visitor's message is refused, the next one's is taken."""
    async with receiving() as receiver, running(tmp_path, memory_store(tmp_path), dev=True) as service:
        receiver.statuses = ["503 Service Unavailable", "204 No Content"]
        await service.services.webhooks.add("default", receiver.url)
        before = (await scrape(service)).text
        async with service.browser() as browser, service.browser() as another:
            await browser.put("/v1/consent", json=submission())
            await attempted(service, 1)
            service.clock.forward(timedelta(seconds=4))
            await another.put("/v1/consent", json=submission())
            await attempted(service, 2)
        await service.services.webhook_standings.look()
        outcomes = ("delivered", "failed", "given_up")
        told = [await measured(service, "consent_webhook_deliveries_total", outcome=outcome) for outcome in outcomes]
        found = await standing(service)

    assert 'consent_webhook_deliveries_total{outcome="given_up",site="default"} 0.0' in before
    assert told == [1, 1, 0]
    assert found == [1, 0, 4]


async def test_while_the_database_is_away_the_last_look_at_the_outbox_stands_and_grows_older(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    store = await postgres_store(tmp_path, postgres_server.url)
    async with receiving() as receiver, running(tmp_path, store, dev=True) as service, service.browser() as browser:
        receiver.statuses = ["503 Service Unavailable"]
        await service.services.webhooks.add("default", receiver.url)
        await browser.put("/v1/consent", json=submission())
        await attempted(service, 1)
        await service.services.webhook_standings.look()
        await asyncio.to_thread(postgres_server.stop)
        service.clock.forward(timedelta(hours=1))
        with pytest.raises(StoreUnavailable):
            await service.services.webhook_standings.look()
        assert await standing(service) == [1, 0, 3600]


async def test_a_caller_cannot_make_labels(service: Running, browser: httpx.AsyncClient) -> None:
    """Labels are bounded: whatever is asked is counted under names that there are."""
    for number in range(20):
        await browser.request(f"BREW{number}", f"/coffee/{number}")
    text = (await scrape(service)).text
    assert "coffee" not in text
    assert "BREW" not in text
    assert await measured(service, "consent_http_requests_total", method="other") == 20


async def test_metrics_say_nothing_about_whom(any_service: Running) -> None:
    """C4: no address, agent, visitor id, token, key, query or reference."""
    made = await use_everything(any_service)
    text = (await scrape(any_service)).text
    assert [canary for canary in (*CANARIES, *made) if canary in text] == []
