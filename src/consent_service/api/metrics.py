"""`/metrics` for Prometheus: measurements are taken when they are asked for, and by default by this machine only."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from consent_service.api.callers import is_loopback
from consent_service.api.deps import Served
from consent_service.api.measurements import samples
from consent_service.api.metric_families import FAMILIES, Family, Sample
from consent_service.api.metrics_board import merged
from consent_service.domain.errors import NotFound

router = APIRouter(tags=["public"])

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request, services: Served) -> Response:
    """Give the measurements of this service; callers that are not on loopback need CONSENT_METRICS_PUBLIC."""
    # A proxy on this machine is on loopback as well; whom it speaks for is not.
    forwarded = any(name in request.headers for name in _FORWARDED)
    if not services.http.metrics_public and (forwarded or not is_loopback(request)):
        raise NotFound("Nothing is here for this caller.")
    registry = CollectorRegistry(auto_describe=False)
    board = services.board
    registry.register(_Taken(samples(services) if board is None else merged([*samples(services), *board.others()])))
    ProcessCollector(registry=registry)
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), 200, {"Cache-Control": "no-store"}, media_type)


class _Taken(Collector):
    """Hands measurements over to Prometheus's own library, which writes them."""

    def __init__(self, taken: Iterable[Sample]) -> None:
        self._taken: dict[Family, list[Sample]] = {family: [] for family in FAMILIES}
        for sample in taken:
            self._taken[sample.family].append(sample)

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        for family, found in self._taken.items():
            yield _metric(family, found)


def _metric(family: Family, found: Iterable[Sample]) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        bounds = [*map(str, family.bounds), "+Inf"]
        for sample in found:
            buckets = list(zip(bounds, accumulate(sample.numbers), strict=True))
            histogram.add_metric(sample.labels, buckets, sample.value)
        return histogram
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    plain = kind(family.name, family.help, labels=family.labels)
    for sample in found:
        plain.add_metric(sample.labels, sample.value)
    return plain
