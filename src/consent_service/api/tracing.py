"""OpenTelemetry traces by the framework's own support, with nothing personal in them (C4); off unless switched on.

The framework writes the path and the query of every request into its span, and a path here holds a visitor's id. So
spans are made through a tracer that lets named attributes through and no other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Tracer, TracerProvider
from opentelemetry.util.types import Attributes
from starlette.datastructures import Headers
from starlette.types import Scope

SPOKEN_OF = frozenset(
    {
        "code.function.name",
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "network.protocol.version",
        "url.scheme",
    }
)
"""The attributes that a span may bear; none says who or what was asked about."""

Trace = Callable[[Scope, str, int], None]
"""Writes the span of an answer of the hot path: the request, its route, and when it began in nanoseconds since 1970."""


class PrivateTracerProvider(TracerProvider):
    """Gives tracers whose spans say nothing personal."""

    def __init__(self, provider: TracerProvider) -> None:
        """Write to a provider."""
        self._provider = provider

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        """Give a tracer."""
        return _PrivateTracer(self._provider.get_tracer(*args, **kwargs))


class _PrivateTracer(Tracer):
    """Starts spans with the attributes that may be spoken of."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        # An exception's message may hold what the visitor sent; its type stands in an attribute.
        return self._tracer.start_span(
            name,
            context,
            kind,
            _fit(attributes),
            links,
            start_time,
            record_exception=False,
            set_status_on_exception=set_status_on_exception,
        )

    @contextmanager
    def start_as_current_span(self, name: str, *args: Any, end_on_exit: bool = True, **kwargs: Any) -> Iterator[Span]:  # type: ignore[override]
        span = self.start_span(name, *args, **kwargs)
        quiet = kwargs.get("set_status_on_exception", True)
        with trace.use_span(span, end_on_exit, record_exception=False, set_status_on_exception=quiet):
            yield span


def _fit(attributes: Attributes) -> Mapping[str, Any]:
    return {name: value for name, value in (attributes or {}).items() if name in SPOKEN_OF}


def hot_path_trace(provider: TracerProvider) -> Trace:
    """Give what writes the spans of the hot path, which the framework does not see."""
    tracer = provider.get_tracer("consent_service")

    def write(scope: Scope, route: str, started: int) -> None:
        parent = propagate.extract(dict(Headers(scope=scope)))
        attributes = {
            "http.request.method": scope["method"],
            "http.route": route,
            "http.response.status_code": 200,
            "url.scheme": scope.get("scheme", "http"),
        }
        name = f"{scope['method']} {route}"
        tracer.start_span(name, parent, SpanKind.SERVER, attributes, start_time=started).end()

    return write
