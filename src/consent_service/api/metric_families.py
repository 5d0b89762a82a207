"""What is measured, each with its name, kind, help and labels; docs/metrics.md is compared with this list.

Labels are bounded: closed vocabularies, the routes' templates, and the sites that the catalog holds. None names a
person (C4).
"""

from dataclasses import dataclass
from typing import Literal

from consent_service.measures import SECONDS, SIZES


@dataclass(frozen=True, slots=True)
class Family:
    """One metric."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    over_workers: Literal["sum", "max", "min"] = "sum"
    """What several workers of one service come to together."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric: a number, or a histogram's numbers and sum."""

    family: Family
    labels: tuple[str, ...]
    value: float = 0.0
    numbers: tuple[int, ...] = ()


DECISIONS = Family("consent_decisions_total", "counter", "Decisions, by category and reason.", ("category", "reason"))
DEGRADED = Family("consent_degraded_answers_total", "counter", "Decisions answered without the store.")
WRITES = Family(
    "consent_writes_total",
    "counter",
    "Changes by what they came to: an event's type, or unchanged, replayed, refused, erased, unavailable.",
    ("outcome",),
)
WAITING = Family("consent_waiting", "gauge", "Lookups and changes that have no answer yet.", ("queue",))
BATCH_SIZE = Family(
    "consent_batch_size", "histogram", "Visitors in one lookup and changes in one transaction.", ("queue",), SIZES
)
BATCH_SECONDS = Family(
    "consent_batch_seconds", "histogram", "Time of one lookup statement and of one commit.", ("queue",), SECONDS
)
LOG_ENTRIES = Family("consent_log_entries", "gauge", "Entries of a site's evidence log.", ("site",), over_workers="max")
COVERED = Family(
    "consent_checkpoint_entries",
    "gauge",
    "Entries that the newest published checkpoint covers.",
    ("site",),
    over_workers="max",
)
CHECKPOINT_AGE = Family(
    "consent_checkpoint_lag_seconds",
    "gauge",
    "How long entries have been waiting for a checkpoint; 0 where all are covered.",
    ("site",),
    over_workers="min",
)
REQUESTS = Family(
    "consent_http_requests_total",
    "counter",
    "Requests answered, by route template, method and status.",
    ("route", "method", "status"),
)
REQUEST_SECONDS = Family(
    "consent_http_request_seconds",
    "histogram",
    "Time of a request; the hot path of decisions is not timed one by one.",
    ("route",),
    SECONDS,
)
DRAINING = Family("consent_draining", "gauge", "1 while the process is shutting down.", over_workers="max")
POLICIES = Family("consent_policy_versions", "gauge", "Published policy versions.", ("site",), over_workers="max")
WEBHOOKS_WAITING = Family(
    "consent_webhook_waiting",
    "gauge",
    "Events that endpoints were not told yet, counted up to 10,000 for each endpoint.",
    ("site",),
    over_workers="max",
)
WEBHOOKS_DEAD = Family(
    "consent_webhook_dead_letters",
    "gauge",
    "Events that were given up, counted up to 10,000 for each endpoint.",
    ("site",),
    over_workers="max",
)
WEBHOOKS_AGE = Family(
    "consent_webhook_oldest_seconds",
    "gauge",
    "Age of the oldest event that waits, tried before or not; 0 where none waits.",
    ("site",),
    over_workers="max",
)
WEBHOOK_DELIVERIES = Family(
    "consent_webhook_deliveries_total",
    "counter",
    "Attempts to tell an endpoint, by what became of them: delivered, failed (tried again), given_up.",
    ("site", "outcome"),
)

FAMILIES = (
    DECISIONS,
    DEGRADED,
    WRITES,
    WAITING,
    BATCH_SIZE,
    BATCH_SECONDS,
    LOG_ENTRIES,
    COVERED,
    CHECKPOINT_AGE,
    REQUESTS,
    REQUEST_SECONDS,
    DRAINING,
    POLICIES,
    WEBHOOKS_WAITING,
    WEBHOOKS_DEAD,
    WEBHOOKS_AGE,
    WEBHOOK_DELIVERIES,
)
