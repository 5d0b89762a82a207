"""Takes the measurements that `metric_families.py` names, off the places that keep them."""

from collections.abc import Iterator

from consent_service.api.metric_families import (
    BATCH_SECONDS,
    BATCH_SIZE,
    CHECKPOINT_AGE,
    COVERED,
    DECISIONS,
    DEGRADED,
    DRAINING,
    LOG_ENTRIES,
    POLICIES,
    REQUEST_SECONDS,
    REQUESTS,
    WAITING,
    WEBHOOK_DELIVERIES,
    WEBHOOKS_AGE,
    WEBHOOKS_DEAD,
    WEBHOOKS_WAITING,
    WRITES,
    Family,
    Sample,
)
from consent_service.api.services import Services
from consent_service.measures import Histogram
from consent_service.ports import Queue
from consent_service.service.webhook_standings import Outcome


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
    yield from _webhooks(services)


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


def _webhooks(services: Services) -> Iterator[Sample]:
    now, standings = services.clock(), services.webhook_standings
    for site, backlog in standings.backlogs.items():
        yield Sample(WEBHOOKS_WAITING, (site,), backlog.waiting)
        yield Sample(WEBHOOKS_DEAD, (site,), backlog.dead)
        yield Sample(WEBHOOKS_AGE, (site,), (now - backlog.oldest).total_seconds() if backlog.oldest else 0.0)
    # From nought on: what rises from nothing at all is no increase to Prometheus.
    for site in sorted({endpoint.site for endpoint in services.sites.endpoints}):
        for outcome in Outcome:
            yield Sample(WEBHOOK_DELIVERIES, (site, outcome.value), standings.outcomes[site, outcome])


def _histogram(family: Family, labels: tuple[str, ...], found: Histogram) -> Sample:
    return Sample(family, labels, found.whole, tuple(found.numbers))
