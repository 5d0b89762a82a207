"""What is measured, each with its name, kind, help and labels; docs/metrics.md is compared with this list.

Labels are bounded: closed vocabularies, the routes' templates, and the sites that the catalog holds. None names a
person (C4).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from consent_service.api.services import Services
from consent_service.measures import SECONDS, SIZES, Histogram
from consent_service.ports import Queue


@dataclass(frozen=True, slots=True)
class Family:
    """One metric."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


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
LOG_ENTRIES = Family("consent_log_entries", "gauge", "Entries of a site's evidence log.", ("site",))
COVERED = Family(
    "consent_checkpoint_entries", "gauge", "Entries that the newest published checkpoint covers.", ("site",)
)
CHECKPOINT_AGE = Family(
    "consent_checkpoint_lag_seconds",
    "gauge",
    "How long entries have been waiting for a checkpoint; 0 where all are covered.",
    ("site",),
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
DRAINING = Family("consent_draining", "gauge", "1 while the process is shutting down.")
POLICIES = Family("consent_policy_versions", "gauge", "Published policy versions.", ("site",))

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
)


def samples(services: Services) -> Iterator[Sample]:
    """Take all measurements of this process."""
    tally = services.decisions.tally
    for (category, reason), number in tally.totals().items():
        yield Sample(DECISIONS, (category.value if category else "none", reason.value), number)
    yield Sample(DEGRADED, (), tally.degraded)
    queues = services.store.queues
    for outcome, number in queues.writes.outcomes.items():
        yield Sample(WRITES, (outcome,), number)
    yield from _queue("reads", queues.reads)
    yield from _queue("writes", queues.writes)
    yield from _log(services)
    for (route, method, status), count in services.requests.counts.items():
        yield Sample(REQUESTS, (route, method, str(status)), count.times)
    for route, histogram in services.requests.seconds.items():
        yield _histogram(REQUEST_SECONDS, (route,), histogram)
    yield Sample(DRAINING, (), float(services.health.draining))
    for site in services.sites.all():
        yield Sample(POLICIES, (site.slug,), len(site.versions))


def _queue(name: str, queue: Queue) -> Iterator[Sample]:
    yield Sample(WAITING, (name,), queue.waiting)
    yield _histogram(BATCH_SIZE, (name,), queue.batch_sizes)
    yield _histogram(BATCH_SECONDS, (name,), queue.batch_seconds)


def _log(services: Services) -> Iterator[Sample]:
    now = services.clock()
    for site, standing in services.checkpoints.standings.items():
        since = standing.uncovered_since
        yield Sample(LOG_ENTRIES, (site,), standing.entries)
        yield Sample(COVERED, (site,), standing.covered)
        yield Sample(CHECKPOINT_AGE, (site,), (now - since).total_seconds() if since else 0.0)


def _histogram(family: Family, labels: tuple[str, ...], found: Histogram) -> Sample:
    return Sample(family, labels, found.whole, tuple(found.numbers))
