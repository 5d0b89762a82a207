"""Where traces go: to the collector that OpenTelemetry's own environment variables name, by OTLP over HTTP."""

from opentelemetry.trace import TracerProvider

from consent_service.domain.errors import ConsentError


def exporting_provider() -> TracerProvider:
    """Make what sends traces in the background; raises ConsentError where the extra is not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace import TracerProvider as ExportingProvider  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConsentError("CONSENT_TRACING needs an extra: pip install 'consent-service[tracing]'.") from error
    provider = ExportingProvider(resource=Resource.create({"service.name": "consent-service"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
