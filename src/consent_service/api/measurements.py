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
    WRITES,
    Family,
    Sample,
)
from consent_service.api.services import Services
from consent_service.measures import Histogram
from consent_service.ports import Queue


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
