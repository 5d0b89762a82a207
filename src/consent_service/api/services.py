"""What the planes are given: the use cases and what the settings say about HTTP. Built by `main`, read by `deps`."""

from dataclasses import dataclass

from consent_service.api.callers import Network
from consent_service.api.metrics_board import MetricsBoard
from consent_service.api.rate_limits import Limits
from consent_service.api.request_counts import RequestCounts
from consent_service.ports import Clock, Store
from consent_service.service.batch_answers import BatchAnswers
from consent_service.service.checkpoint_review import CheckpointReview
from consent_service.service.checkpoints import Checkpoints
from consent_service.service.consents import Consents
from consent_service.service.decisions import Decisions
from consent_service.service.evidence import Evidence
from consent_service.service.identity import Identity
from consent_service.service.keys import Keys
from consent_service.service.policies import Publisher
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


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The settings that shape answers."""

    address: str
    """Where visitors reach the service, without a trailing slash."""
    trusted_proxies: tuple[Network, ...]
    region_header: str
    dev: bool
    secure_cookies: bool
    jwks_max_age: int
    gpc_last_update: str
    security_contact: str
    dnt_policy: bytes | None
    metrics_public: bool


@dataclass(slots=True)
class Health:
    """Whether the service takes new work."""

    draining: bool = False


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a request may need."""

    http: HttpSettings
    store: Store
    sites: Sites
    identity: Identity
    tokens: Tokens
    published_keys: PublishedKeys
    consents: Consents
    decisions: Decisions
    batches: BatchAnswers
    publisher: Publisher
    keys: Keys
    evidence: Evidence
    checkpoints: Checkpoints
    checkpoint_review: CheckpointReview
    receipts: Receipts
    proofs: Proofs
    rights: PrivacyRights
    retention: Retention
    withdrawal_links: WithdrawalLinks
    reports: Reports
    webhooks: Webhooks
    webhook_standings: WebhookStandings
    staff: StaffSessions
    limits: Limits
    health: Health
    requests: RequestCounts
    board: MetricsBoard | None
    """Where several workers put their measurements together."""
    clock: Clock
