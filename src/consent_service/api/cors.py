"""CORS for the browser plane, site by site; every other plane has none (contract §2). Raw ASGI.

An allowed origin is named, never `*`, because the visitor's cookie goes along.
"""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consent_service.api.origins import site_of_origin
from consent_service.api.problems import error_response, request_id_of
from consent_service.domain.errors import OriginNotAllowed

_PREFIXES = ("/v1/consent", "/v1/banner")
_EXPOSED = "ETag, Tk, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, X-Request-ID"
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, PUT, DELETE"),
    (b"access-control-allow-headers", b"content-type, idempotency-key, if-match"),
    (b"access-control-max-age", b"600"),
)


class SiteCors:
    """Answers preflights of the browser plane and names the allowed origin on its answers."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIXES):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        origins = request.headers.getlist("origin")
        services = request.state.services
        allowed = len(origins) == 1 and site_of_origin(origins[0], request, services) is not None
        if scope["method"] == "OPTIONS" and "access-control-request-method" in request.headers:
            if allowed:
                await _answer_preflight(send, origins[0])
            else:
                refusal = error_response(request_id_of(request), OriginNotAllowed())
                refusal.headers["Vary"] = "Origin"
                await refusal(scope, receive, send)
            return

        async def send_with_origin(message: Message) -> None:
            if message["type"] == "http.response.start" and allowed:
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = origins[0]
                headers["Access-Control-Allow-Credentials"] = "true"
                headers["Access-Control-Expose-Headers"] = _EXPOSED
                if "origin" not in headers.get("vary", "").lower():
                    headers.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_with_origin)


async def _answer_preflight(send: Send, origin: str) -> None:
    headers = [
        (b"vary", b"Origin"),
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        *_PREFLIGHT,
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
