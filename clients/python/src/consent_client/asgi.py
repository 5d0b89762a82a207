"""ASGI middleware, for Starlette, FastAPI and everything else that speaks ASGI."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from consent_client.async_client import AsyncConsentClient
from consent_client.audit import Audit
from consent_client.client import ConsentClient
from consent_client.consent import Consent
from consent_client.enforcement import Enforcer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADER_MESSAGES = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})


class ConsentMiddleware:
    """Lets no cookie through that the visitor does not allow; the body is passed on as it comes.

    Handlers find the visitor's `Consent` as `request.state.consent` and `scope["consent"]`. The options are those
    of `Enforcer`.
    """

    def __init__(
        self,
        app: App,
        client: AsyncConsentClient | ConsentClient,
        *,
        report_only: bool = False,
        always_ask: bool = False,
        region_header: str | None = None,
        trust_vector: bool = False,
        audit: Audit | None = None,
    ) -> None:
        self.app = app
        self.client = client.as_async() if isinstance(client, ConsentClient) else client
        self.audit = audit if audit is not None else Audit()
        self._enforcer = Enforcer(
            client.core, report_only, always_ask, region_header, trust_vector=trust_vector, audit=self.audit
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a WebSocket's handshake."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        consent = await self.client.run(self._enforcer.settle(self._enforcer.visit(scope["headers"])))
        scope["consent"] = consent
        scope.setdefault("state", {})["consent"] = consent

        async def guarded_send(message: Message) -> None:
            await send(await self._guard(consent, message) if message["type"] in _HEADER_MESSAGES else message)

        await self.app(scope, receive, guarded_send)

    async def _guard(self, consent: Consent, message: Message) -> Message:
        headers: list[tuple[bytes, bytes]] = list(message.get("headers") or ())
        lines = [value.decode("latin-1") for name, value in headers if name.lower() == b"set-cookie"]
        enforced = await self.client.run(self._enforcer.enforce(consent, lines))
        cookies = [(b"set-cookie", line.encode("latin-1")) for line in enforced.outgoing()]
        vary = [value.decode("latin-1") for name, value in headers if name.lower() == b"vary"]
        touched = bool(lines or enforced.expiring)
        page = [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in self._enforcer.page_headers(consent, vary, touched=touched)
        ]
        replaced = {b"set-cookie", *(name for name, _ in page)}
        rest = [(name, value) for name, value in headers if name.lower() not in replaced]
        return {**message, "headers": [*rest, *page, *cookies]}
