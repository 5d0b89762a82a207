"""Puts the use cases together, as the settings say."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from consent_service.api.metrics_board import MetricsBoard
from consent_service.api.rate_limits import Limits
from consent_service.api.request_counts import RequestCounts
from consent_service.api.services import Health, HttpSettings, Services
from consent_service.config import Settings
from consent_service.domain.webhooks import Endpoint, secret_text
from consent_service.outgoing.checkpoints import poster as checkpoint_poster
from consent_service.ports import Clock, NewId, Store
from consent_service.service.batch_answers import BatchAnswers
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
from consent_service.service.webhook_standings import WebhookStandings
from consent_service.service.webhooks import Webhooks
from consent_service.service.withdrawal.links import WithdrawalLinks
from consent_service.storage.keyring import LOG, TOKEN, Keyring, SigningKey
from consent_service.stores import open_store, packaged

_log = logging.getLogger(__name__)


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
    decisions = Decisions(store, consents, clock)
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
        decisions=decisions,
        batches=BatchAnswers(store.visitors, decisions.tally, clock),
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
            checkpoint_poster(settings.checkpoint_webhook),
        ),
        receipts=receipts,
        proofs=Proofs(receipts, log),
        rights=PrivacyRights(store, consents, identity, clock, new_id),
        retention=Retention(store, clock, new_id),
        withdrawal_links=WithdrawalLinks(settings.address, identity.mac),
        staff=StaffSessions(keyring.mac, sites, clock),
        reports=Reports(store.counts, settings.report_smallest_count),
        webhooks=Webhooks(store, sites, clock, new_id, _webhook_secrets(keyring), settings.dev),
        webhook_standings=WebhookStandings(store.outbox, sites),
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
