"""WSGI middleware, for Flask and everything else that speaks WSGI."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from consent_client.async_client import AsyncConsentClient
from consent_client.audit import Audit
from consent_client.client import ConsentClient
from consent_client.consent import Consent
from consent_client.enforcement import Enforcer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Fields = list[tuple[str, str]]


class ConsentMiddleware:
    """Lets no cookie through that the visitor does not allow; the body is passed on as it comes.

    Handlers find the visitor's `Consent` as `environ["consent"]`. The options are those of `Enforcer`.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        client: ConsentClient | AsyncConsentClient,
        *,
        report_only: bool = False,
        always_ask: bool = False,
        region_header: str | None = None,
        trust_vector: bool = False,
        audit: Audit | None = None,
    ) -> None:
        self.app = app
        self.client = client.as_sync() if isinstance(client, AsyncConsentClient) else client
        self.audit = audit if audit is not None else Audit()
        self._enforcer = Enforcer(
            client.core, report_only, always_ask, region_header, trust_vector=trust_vector, audit=self.audit
        )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request."""
        consent = self.client.run(self._enforcer.settle(self._enforcer.visit(_request_fields(environ))))
        environ["consent"] = consent

        def guarded_start(status: str, headers: Fields, *exc_info: Any) -> Callable[[bytes], object]:  # noqa: ANN401
            return start_response(status, self._guard(consent, headers), *exc_info)

        return self.app(environ, guarded_start)

    def _guard(self, consent: Consent, headers: Fields) -> Fields:
        lines = [value for name, value in headers if name.lower() == "set-cookie"]
        enforced = self.client.run(self._enforcer.enforce(consent, lines))
        vary = [value for name, value in headers if name.lower() == "vary"]
        page = self._enforcer.page_headers(consent, vary, touched=bool(lines or enforced.expiring))
        replaced = {"set-cookie", *(name.lower() for name, _ in page)}
        rest = [(name, value) for name, value in headers if name.lower() not in replaced]
        return [*rest, *page, *(("Set-Cookie", line) for line in enforced.outgoing())]


def _request_fields(environ: "WSGIEnvironment") -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_") and isinstance(value, str):
            yield name[5:].replace("_", "-"), value
