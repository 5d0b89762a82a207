"""The outermost layer, as raw ASGI: the request's id, the security headers, the last catch and the one log line.

Nothing personal is logged: no address, no user agent, no visitor id, no query. The route's template stands for the
path, so that an id in it never reaches the log.
"""

import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consent_service.api.log_line import log, write_line
from consent_service.api.problems import MEDIA_TYPE, problem
from consent_service.api.request_counts import RequestCounts
from consent_service.ports import NewId

HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ("cache-control", "no-store"),
)
"""Set where the answer does not say otherwise."""
_QUIET_PREFIXES = ("/livez", "/readyz", "/metrics", "/.well-known/dnt")
"""Not logged: probes, scrapes, and tracking status requests, which must leave no trace (TSR-06)."""


def headers_for(*, hsts: bool) -> tuple[tuple[str, str], ...]:
    """Give the headers of every answer; `hsts` where visitors reach the service by https."""
    return (*HEADERS, ("strict-transport-security", "max-age=63072000")) if hsts else HEADERS


class Envelope:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, new_id: NewId, requests: RequestCounts, *, hsts: bool) -> None:
        """Wrap `app`; `hsts` where visitors reach the service by https."""
        self._app = app
        self._new_id = new_id
        self._requests = requests
        self._headers = headers_for(hsts=hsts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 500
        begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in self._headers:
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            # The traceback goes to the log, by the id that the caller is given; the caller learns nothing else.
            log.exception("request %s failed", request_id)
            if begun:
                raise
            await _send_internal_error(send_with_headers, request_id)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", None) or "unmatched"
            self._requests.took(route, scope["method"], status, seconds)
            if not scope["path"].startswith(_QUIET_PREFIXES):
                write_line(scope["method"], route, request_id, status, seconds)


async def _send_internal_error(send: Send, request_id: str) -> None:
    body = problem(
        request_id, 500, "internal-error", "Internal error", "Something went wrong here; the request's id is logged."
    )
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
