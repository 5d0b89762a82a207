"""Traces say how long what took, by the route's template, and nothing about whom (C4); none is made unless asked for."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from consent_service.api.tracing import SPOKEN_OF
from consent_service.outgoing.traces import exporting_provider
from tests.api.test_log_lines import CANARIES, use_everything
from tests.support.service import Running, memory_store, running

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ROUTE = "/v1/visitors/{visitor_id}/decisions"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Keep spans in memory."""
    return InMemorySpanExporter()


@pytest.fixture
async def traced(tmp_path: Path, exporter: InMemorySpanExporter) -> AsyncIterator[Running]:
    """Run the service with traces."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with running(tmp_path, memory_store(tmp_path), tracer_provider=provider) as service:
        yield service


def everything(spans: tuple[ReadableSpan, ...]) -> str:
    """Give all that an exporter would send of spans."""
    return "\n".join(span.to_json() for span in spans)


async def test_traces_say_nothing_about_whom(traced: Running, exporter: InMemorySpanExporter) -> None:
    """C4: no address, agent, visitor id, token, key, query or reference in any span."""
    made = await use_everything(traced)
    spans = exporter.get_finished_spans()
    text = everything(spans)
    assert len(spans) > 20
    assert {name for span in spans for name in span.attributes or {}} <= SPOKEN_OF
    assert [canary for canary in (*CANARIES, *made) if canary in text] == []


@pytest.mark.parametrize("query", ["?region=FR", "?region=FR&ordinary=1"])
async def test_a_decision_is_a_span_of_the_callers_trace_on_the_hot_path_and_beside_it(
    traced: Running, exporter: InMemorySpanExporter, query: str
) -> None:
    async with traced.shop() as shop:
        visitor = (await shop.post("/v1/visitors")).json()["visitor_id"]
        exporter.clear()
        await shop.get(f"/v1/visitors/{visitor}/decisions{query}", headers={"traceparent": PARENT})
    (span,) = [span for span in exporter.get_finished_spans() if span.name == f"GET {ROUTE}"]
    assert span.parent is not None
    assert format(span.context.trace_id, "032x") == PARENT.split("-")[1]
    assert format(span.parent.span_id, "016x") == PARENT.split("-")[2]
    assert span.attributes is not None
    assert (span.attributes["http.route"], span.attributes["http.response.status_code"]) == (ROUTE, 200)
    assert span.end_time is not None
    assert span.start_time is not None
    assert span.end_time > span.start_time


async def test_without_a_setting_no_span_is_made_whatever_the_process_has_set_up(
    service: Running,
    shop: httpx.AsyncClient,
    visitor: str,
    monkeypatch: pytest.MonkeyPatch,
    exporter: InMemorySpanExporter,
) -> None:
    """The framework would use the process's own provider, and would write visitors' ids into its spans."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", provider)
    await shop.get(f"/v1/visitors/{visitor}/decisions?region=FR")
    await shop.get(f"/v1/visitors/{visitor}/consent")
    assert exporter.get_finished_spans() == ()


def test_traces_go_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    provider = exporting_provider()
    assert isinstance(provider, TracerProvider)
    assert provider.resource.attributes["service.name"] == "consent-service"
    provider.shutdown()
