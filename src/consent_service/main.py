"""The composition root: from settings to an application. Nothing happens at import."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, TypedDict

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import TracerProvider
from starlette.types import Receive, Scope, Send

from consent_service import __version__
from consent_service.api import (
    browser,
    decisions,
    documentation,
    evidence,
    metrics,
    operations,
    own_rights,
    personal,
    problems,
    public,
    reports,
    signal_documents,
    static_files,
    visitors,
    webhooks,
    withdrawal,
)
from consent_service.api.cors import SiteCors
from consent_service.api.envelope import Envelope, headers_for
from consent_service.api.fastcalls import FastCalls
from consent_service.api.fastpath import FastDecisions
from consent_service.api.fastwrites import FastWrites
from consent_service.api.metrics_board import MetricsBoard
from consent_service.api.ops import pages
from consent_service.api.request_counts import RequestCounts
from consent_service.api.services import Health, Services
from consent_service.api.tracing import PrivateTracerProvider, hot_path_trace
from consent_service.assembly import build_services, publish_at_start
from consent_service.background import at_work
from consent_service.config import Settings
from consent_service.outgoing.traces import exporting_provider
from consent_service.outgoing.webhooks import Poster
from consent_service.ports import Clock, NewId, Store
from consent_service.server.shortcut import Answer, Shortcut, ShortCycle
from consent_service.storage.keyring import TOKEN, Keyring
from consent_service.storage.migrate import require_served
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from consent_service.system import RandomIds, utc_now


class State(TypedDict):
    """What every request finds in `request.state`."""

    services: Services


class ConsentApp(FastAPI):
    """The framework's application with the hot path in front of all of it."""

    front: FastDecisions
    shortcut: Shortcut | None = None
    """The hot paths' own entrance, which our server knows; none where each answer leaves a span, made of its scope."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: the hot path first, which hands on what is not for it."""
        await self.front(scope, receive, send)

    async def ordinary(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request the framework's way."""
        await super().__call__(scope, receive, send)


def create_app(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    new_id: NewId | None = None,
    store: Store | None = None,
    board: MetricsBoard | None = None,
    tracer_provider: TracerProvider | None = None,
) -> ConsentApp:
    """Build the application; it opens its store when its lifespan begins.

    `store` replaces the one in the settings, `tracer_provider` the one that they switch on; `board` is where several
    workers put their measurements together.
    """
    new_id = new_id or RandomIds()
    requests = RequestCounts()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        keyring = Keyring(settings.keys_dir)
        services = build_services(settings, keyring, clock, new_id, store, app.state.health, requests, board)
        await services.store.start()
        try:
            if isinstance(services.store, SqliteStore | PostgresStore):
                await services.store.read(require_served)
            await services.sites.refresh(force=True)
            await publish_at_start(settings, services)
            keyring.current(TOKEN, "", clock())
            # Every log has its key, and a copy of the directory holds it, before the first checkpoint is signed.
            services.published_keys.jwks()
            async with at_work(services, keyring, Poster(settings.webhook_networks, loopback=settings.dev)):
                yield State(services=services)
        finally:
            await services.store.stop()

    tracer_provider = tracer_provider or (exporting_provider() if settings.tracing else None)
    private = None if tracer_provider is None else PrivateTracerProvider(tracer_provider)
    app = ConsentApp(
        title="consent-service",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        telemetry=_telemetry(private),
    )
    app.state.health = Health()
    for router in (
        browser.router,
        personal.visitor_router,
        own_rights.router,
        decisions.router,
        visitors.router,
        personal.shop_router,
        operations.router,
        webhooks.router,
        evidence.router,
        reports.router,
        metrics.router,
        pages.router,
        public.router,
        signal_documents.router,
        withdrawal.router,
    ):
        app.include_router(router)
    documentation.install(app)
    static_files.install(app)
    problems.install(app)
    app.add_middleware(SiteCors)
    hsts = settings.public_url.startswith("https://")
    app.add_middleware(Envelope, new_id=new_id, requests=requests, hsts=hsts)
    headers = headers_for(hsts=hsts)
    trace = None if private is None else hot_path_trace(private)
    calls = FastCalls(app.ordinary, new_id, headers, requests, trace)
    app.front = FastDecisions(calls, new_id, headers, requests, log_each=settings.log_decisions, trace=trace)
    if trace is None:
        app.shortcut = _shortcut(app.front, FastWrites(new_id, headers, requests))
    return app


def _shortcut(decisions: FastDecisions, writes: FastWrites) -> Shortcut:
    def take(request: ShortCycle, state: Mapping[str, Any], answer: Answer) -> bool:
        return (decisions if request.method == b"GET" else writes).take(request, state, answer)

    return take


def _telemetry(provider: PrivateTracerProvider | None) -> TelemetryConfig:
    """Say what the framework may tell: spans by our provider; logs and metrics never, and nothing of its own accord."""
    return {
        "tracing": provider is not None,
        "tracer_provider": provider,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
    }
