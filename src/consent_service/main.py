"""The composition root: from settings to an application. Nothing happens at import."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from opentelemetry.trace import TracerProvider
from sqlalchemy import Connection
from starlette.types import Receive, Scope, Send

from consent_service import __version__, checkpoint_post
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
from consent_service.api.measurements import samples
from consent_service.api.metrics_board import SECONDS as BOARD_SECONDS
from consent_service.api.metrics_board import MetricsBoard
from consent_service.api.ops import pages
from consent_service.api.rate_limits import Limits
from consent_service.api.request_counts import RequestCounts
from consent_service.api.services import Health, HttpSettings, Services
from consent_service.api.tracing import PrivateTracerProvider, hot_path_trace
from consent_service.config import Settings
from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.webhooks import Endpoint, secret_text
from consent_service.ports import Clock, NewId, Store
from consent_service.server.shortcut import Shortcut
from consent_service.service.checkpoint_review import CheckpointReview
from consent_service.service.checkpoints import Checkpoints
from consent_service.service.consents import Consents
from consent_service.service.decisions import Decisions
from consent_service.service.evidence import Evidence
from consent_service.service.identity import Identity
from consent_service.service.keys import Keys, bootstrap_key
from consent_service.service.policies import Publisher
from consent_service.service.policy_files import load_document
from consent_service.service.privacy_rights import PrivacyRights
from consent_service.service.proof import Proofs
from consent_service.service.published_keys import PublishedKeys
from consent_service.service.receipts import Receipts
from consent_service.service.reports import Reports
from consent_service.service.retention import Retention
from consent_service.service.sites import Sites
from consent_service.service.staff_sessions import StaffSessions
from consent_service.service.tokens import Tokens
from consent_service.service.upkeep import Upkeep
from consent_service.service.webhook_delivery import Courier
from consent_service.service.webhooks import Webhooks
from consent_service.service.withdrawal.links import WithdrawalLinks
from consent_service.storage.batch import Secrets
from consent_service.storage.keyring import LOG, TOKEN, Keyring, SigningKey
from consent_service.storage.migrate import require_served, upgrade
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore, is_served
from consent_service.trace_export import exporting_provider
from consent_service.webhook_post import Poster

Result = TypeVar("Result")

_log = logging.getLogger(__name__)

KEYRING_SECONDS = 5.0
"""How often the directory of keys is looked at for a rotation."""


class State(TypedDict):
    """What every request finds in `request.state`."""

    services: Services


def utc_now() -> datetime:
    """Tell the time: the service's only clock."""
    return datetime.now(UTC)


_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


class RandomIds:
    """Makes random UUIDs (RFC 9562, version 4), the service's only source of ids.

    Randomness is taken from the system for many ids at once: a call for each would cost as much as a decision.
    """

    _AT_ONCE = 256
    _BYTES = 16

    def __init__(self) -> None:
        """Begin without a store of randomness."""
        self._random = b""
        self._used = 0

    def __call__(self) -> str:
        """Make one id; not for several threads at once."""
        if self._used == len(self._random):
            self._random, self._used = secrets.token_bytes(self._AT_ONCE * self._BYTES), 0
        start, self._used = self._used, self._used + self._BYTES
        digits = self._random[start : self._used].hex()
        # Version 4 and the variant of RFC 9562 §4.1 in their places, without the detour over uuid.UUID.
        variant = _VARIANT[digits[16]]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


class ConsentApp(FastAPI):
    """The framework's application with the hot path in front of all of it."""

    front: FastDecisions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request: the hot path first, which hands on what is not for it."""
        await self.front(scope, receive, send)

    @property
    def shortcut(self) -> Shortcut | None:
        """Give the hot path's own entrance, which our server knows."""
        return self.front.shortcut

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
        watchers: list[asyncio.Task[None]] = []
        poster = Poster(settings.webhook_networks, loopback=settings.dev)
        try:
            if isinstance(services.store, SqliteStore | PostgresStore):
                await services.store.read(require_served)
            await services.sites.refresh(force=True)
            await publish_at_start(settings, services)
            keyring.current(TOKEN, "", clock())
            # Every log has its key, and a copy of the directory holds it, before the first checkpoint is signed.
            services.published_keys.jwks()
            courier = Courier(services.store.outbox, services.sites, clock, services.webhooks.secret_of, poster)
            upkeep = Upkeep(services.store, clock)
            watched = [
                services.sites.watch(),
                _watch_keys(keyring),
                services.checkpoints.watch(),
                courier.watch(),
                upkeep.watch(),
            ]
            if board is not None:
                watched.append(_lay_out(board, services))
            watchers = [asyncio.create_task(watch) for watch in watched]
            yield State(services=services)
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
            await poster.close()
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
    return app


def _telemetry(provider: PrivateTracerProvider | None) -> TelemetryConfig:
    """Say what the framework may tell: spans by our provider; logs and metrics never, and nothing of its own accord."""
    return {
        "tracing": provider is not None,
        "tracer_provider": provider,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
    }


async def _lay_out(board: MetricsBoard, services: Services) -> None:
    while True:
        board.lay(samples(services))
        await asyncio.sleep(BOARD_SECONDS)


def build_services(
    settings: Settings,
    keyring: Keyring,
    clock: Clock,
    new_id: NewId,
    store: Store | None,
    health: Health,
    requests: RequestCounts | None = None,
    board: MetricsBoard | None = None,
) -> Services:
    """Put the use cases together."""
    identity = Identity(keyring.mac)
    store = store or open_store(settings, identity)
    secret = settings.bootstrap_key
    sites = Sites(store.catalog, clock, bootstrap_key(secret.get_secret_value(), clock) if secret else None)
    consents = Consents(store, clock, new_id)
    life = timedelta(minutes=settings.token_minutes)
    tokens = Tokens(settings.address, life, lambda now: keyring.current(TOKEN, "", now))
    log = Evidence(store.log, settings.address, lambda site, now: keyring.current(LOG, site, now), clock)
    receipts = Receipts(store, settings.address, tokens, clock)
    published = PublishedKeys(
        lambda: keyring.all(TOKEN), lambda: _log_keys(keyring, log, [site.slug for site in sites.all()])
    )
    return Services(
        http=_http(settings),
        store=store,
        sites=sites,
        identity=identity,
        tokens=tokens,
        published_keys=published,
        consents=consents,
        decisions=Decisions(store, consents, clock),
        publisher=Publisher(store.catalog, sites, clock, at_once=settings.dev),
        keys=Keys(store.catalog, sites, clock, new_id),
        evidence=log,
        checkpoint_review=CheckpointReview(store.log, log, published),
        checkpoints=Checkpoints(
            log,
            store.log,
            sites,
            settings.checkpoint_seconds,
            settings.checkpoint_events,
            settings.checkpoint_dir,
            checkpoint_post.poster(settings.checkpoint_webhook),
        ),
        receipts=receipts,
        proofs=Proofs(receipts, log),
        rights=PrivacyRights(store, consents, identity, clock, new_id),
        retention=Retention(store, clock, new_id),
        withdrawal_links=WithdrawalLinks(settings.address, identity.mac),
        staff=StaffSessions(keyring.mac, sites, clock),
        reports=Reports(store.counts, settings.report_smallest_count),
        webhooks=Webhooks(store, sites, clock, new_id, _webhook_secrets(keyring), settings.dev),
        limits=Limits(
            visitor_writes=settings.visitor_writes_per_minute,
            address_writes=settings.address_writes_per_minute,
            address_reads=settings.address_reads_per_minute,
            key_requests=settings.key_requests_per_minute,
        ),
        health=health,
        requests=requests or RequestCounts(),
        board=board,
        clock=clock,
    )


def open_store(settings: Settings, identity: Identity, *, exclusive: bool = True) -> Store:
    """Choose the store that the settings name; it is not yet started."""
    made_with = Secrets(identity.pseudonym, lambda: secrets.token_bytes(32))
    path = sqlite_path(settings)
    if path is not None:
        return SqliteStore(path, made_with, exclusive=exclusive)
    return PostgresStore(settings.database_url, made_with)


@contextlib.asynccontextmanager
async def bulk_store(settings: Settings) -> AsyncIterator[tuple[SqliteStore | PostgresStore, Sites]]:
    """Open the store of the settings for loading in bulk, migrated and with a policy, also beside a serving process."""
    await asyncio.to_thread(upgrade, settings.database_url)
    keyring = Keyring(settings.keys_dir)
    path = sqlite_path(settings)
    # Whoever is alone with a SQLite file empties its write-ahead log; beside a serving process that one does.
    alone = path is not None and not is_served(path)
    store = open_store(settings, Identity(keyring.mac), exclusive=alone)
    if not isinstance(store, SqliteStore | PostgresStore):
        raise StoreUnavailable("This store has no database.")
    services = build_services(settings, keyring, utc_now, RandomIds(), store, Health())
    await store.start()
    try:
        await services.sites.refresh(force=True)
        await publish_at_start(settings, services)
        yield store, services.sites
    finally:
        await store.stop()


async def read_database(store: Store, work: Callable[[Connection], Result]) -> Result:
    """Run a reading function in one snapshot of the database behind a store; a store in memory has none."""
    if not isinstance(store, SqliteStore | PostgresStore):
        raise StoreUnavailable("This store has no database.")
    return await store.read(work)


def sqlite_path(settings: Settings) -> Path | None:
    """Give the path of the SQLite file; None where the database is PostgreSQL."""
    prefix = "sqlite:///"
    return Path(settings.database_url.removeprefix(prefix)) if settings.database_url.startswith(prefix) else None


def packaged(directory: str) -> Path:
    """Find files that travel with the package: inside an installed wheel, else at the root of the repository."""
    here = Path(__file__).parent
    installed = here / f"_{directory}"
    return installed if installed.is_dir() else here.parent.parent / directory


async def publish_at_start(settings: Settings, services: Services) -> None:
    """Publish the policy that the settings name if its version is new; without any policy, the packaged sample."""
    if settings.policy is None and services.sites.all():
        return
    path = settings.policy or packaged("policies") / "storefront.yaml"
    document: Any = load_document(path.read_text("utf-8"))
    site, version = document.get("site"), document.get("version")
    if any(version in found.by_name for found in services.sites.all() if found.slug == site):
        return
    stored = await services.publisher.publish(document)
    _log.info("published policy %s of site %s", stored.version, stored.site)


def _log_keys(keyring: Keyring, log: Evidence, sites: Sequence[str]) -> list[tuple[str, SigningKey]]:
    for site in sites:
        keyring.current(LOG, site, log.clock())  # published before its first checkpoint
    return [(log.origin(key.site), key) for key in keyring.all(LOG)]


def _webhook_secrets(keyring: Keyring) -> Callable[[Endpoint], str]:
    return lambda endpoint: secret_text(keyring.mac("webhook", f"{endpoint.site} {endpoint.id}"))


async def _watch_keys(keyring: Keyring) -> None:
    while True:
        await asyncio.sleep(KEYRING_SECONDS)
        try:
            keyring.reload()
        except (OSError, ValueError, KeyError):
            _log.exception("the directory of keys could not be read")


def _http(settings: Settings) -> HttpSettings:
    return HttpSettings(
        address=settings.address,
        trusted_proxies=settings.trusted_proxies,
        region_header=settings.region_header,
        dev=settings.dev,
        secure_cookies=not settings.insecure_cookies,
        jwks_max_age=settings.jwks_max_age,
        gpc_last_update=settings.gpc_last_update,
        security_contact=settings.security_contact,
        dnt_policy=settings.dnt_policy.read_bytes() if settings.dnt_policy else None,
        metrics_public=settings.metrics_public,
    )
