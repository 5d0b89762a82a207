"""Django middleware, synchronous and asynchronous. It stands first in `MIDDLEWARE`, so that it sees every cookie.

Settings: `CONSENT_URL` and `CONSENT_KEY`, or `CONSENT_CLIENT` with a client of your own; optional are
`CONSENT_TIMEOUT` (seconds), `CONSENT_REPORT_ONLY`, `CONSENT_ALWAYS_ASK`, `CONSENT_REGION_HEADER`,
`CONSENT_TRUST_VECTOR` and `CONSENT_AUDIT`.
Views find the visitor's `Consent` as `request.consent`.
"""

from collections.abc import Awaitable, Callable, Sequence
from http.cookies import Morsel
from typing import TYPE_CHECKING, Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings  # type: ignore[import-untyped]

from consent_client.audit import Audit
from consent_client.client import ConsentClient
from consent_client.consent import Consent
from consent_client.enforcement import Enforced, Enforcer

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase  # type: ignore[import-untyped]

    Handler = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class ConsentMiddleware:
    """Lets no cookie through that the visitor does not allow; the body is passed on as it comes."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: "Handler") -> None:
        self._get_response = get_response
        given = getattr(settings, "CONSENT_CLIENT", None)
        client = given if given is not None else _client_of_settings()
        self.audit: Audit = getattr(settings, "CONSENT_AUDIT", None) or Audit()
        self._enforcer = Enforcer(
            client.core,
            report_only=getattr(settings, "CONSENT_REPORT_ONLY", False),
            always_ask=getattr(settings, "CONSENT_ALWAYS_ASK", False),
            region_header=getattr(settings, "CONSENT_REGION_HEADER", None),
            trust_vector=getattr(settings, "CONSENT_TRUST_VECTOR", False),
            audit=self.audit,
        )
        self._sync = client if isinstance(client, ConsentClient) else client.as_sync()
        self._async = client.as_async() if isinstance(client, ConsentClient) else client
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: "HttpRequest") -> "HttpResponseBase | Awaitable[HttpResponseBase]":
        """Answer a request, or give the coroutine that does."""
        return self._answer_async(request) if self._is_async else self._answer(request)

    def _answer(self, request: "HttpRequest") -> "HttpResponseBase":
        consent = self._sync.run(self._enforcer.settle(self._enforcer.visit(request.headers)))
        request.consent = consent
        response = cast("HttpResponseBase", self._get_response(request))
        self._apply(consent, response, self._sync.run(self._enforcer.enforce(consent, _cookie_lines(response))))
        return response

    async def _answer_async(self, request: "HttpRequest") -> "HttpResponseBase":
        consent = await self._async.run(self._enforcer.settle(self._enforcer.visit(request.headers)))
        request.consent = consent
        response = await cast("Awaitable[HttpResponseBase]", self._get_response(request))
        self._apply(consent, response, await self._async.run(self._enforcer.enforce(consent, _cookie_lines(response))))
        return response

    def _apply(self, consent: Consent, response: "HttpResponseBase", enforced: Enforced) -> None:
        touched = bool(enforced.lines or enforced.expiring)
        lines = list(enforced.lines)
        if "Set-Cookie" in response.headers:
            _replace_header(response, lines.pop())
        for (key, morsel), line in zip(list(response.cookies.items()), lines, strict=True):
            if line is None:
                del response.cookies[key]
            elif line != morsel.OutputString():
                response.cookies[key] = _Line(morsel.key, line)
        for number, line in enumerate(enforced.expiring):
            name = line.partition("=")[0]
            # Django keeps one cookie a key; a key with a space in it meets no other cookie's name.
            response.cookies[f"{name} {number}"] = _Line(name, line)
        vary = [response.headers["Vary"]] if "Vary" in response.headers else []
        for name, value in self._enforcer.page_headers(consent, vary, touched=touched):
            response.headers[name] = value


def _client_of_settings() -> ConsentClient:
    timeout = float(getattr(settings, "CONSENT_TIMEOUT", 0.3))
    return ConsentClient(settings.CONSENT_URL, settings.CONSENT_KEY, timeout=timeout)


class _Line(Morsel[str]):
    """A cookie that is written exactly as one Set-Cookie field."""

    def __init__(self, name: str, line: str) -> None:
        super().__init__()
        self.set(name, "", "")
        self._line = line

    def OutputString(self, attrs: Any = None) -> str:  # noqa: ANN401, ARG002, N802 - the standard library's signature
        return self._line


def _cookie_lines(response: "HttpResponseBase") -> Sequence[str]:
    """Give the response's Set-Cookie fields: Django's own, and last one that was written as a plain header."""
    lines = [morsel.OutputString() for morsel in response.cookies.values()]
    return [*lines, response.headers["Set-Cookie"]] if "Set-Cookie" in response.headers else lines


def _replace_header(response: "HttpResponseBase", line: str | None) -> None:
    if line is None:
        del response.headers["Set-Cookie"]
    else:
        response.headers["Set-Cookie"] = line
