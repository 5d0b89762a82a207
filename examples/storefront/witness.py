"""Two middlewares around the SDK's, so that the visitor can be shown what it did.

One stands within and notes which cookies the shop tries to set; one stands without and sees which of them got out.
A real shop needs neither.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consent_client.setcookie import SetCookie, parse_set_cookie
from examples.storefront.visits import Attempt, Visit

_SERVICES_OWN = frozenset({"consent_visitor", "consent_state"})


def cookies_of(message: Message) -> list[SetCookie]:
    """Read the Set-Cookie fields of a response that begins."""
    fields = message.get("headers", ())
    return [parse_set_cookie(value.decode("latin-1"), 0) for name, value in fields if name.lower() == b"set-cookie"]


class WithinConsent:
    """Notes what the shop tries to set."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["state"]["tried"] = [cookie.name for cookie in cookies_of(message) if not cookie.deletes]
            await send(message)

        await self.app(scope, receive, noting_send)


class AroundConsent:
    """Notes what became of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def noting_send(message: Message) -> None:
            visit = state.get("visit")
            if message["type"] == "http.response.start" and isinstance(visit, Visit):
                note_outcome(visit, scope, message)
            await send(message)

        await self.app(scope, receive, noting_send)


def note_outcome(visit: Visit, scope: Scope, message: Message) -> None:
    """Compare what was tried with what gets out."""
    consent, tried = scope["state"]["consent"], scope["state"].get("tried", ())
    leaving = cookies_of(message)
    passed = {cookie.name for cookie in leaving if not cookie.deletes}
    removed = {cookie.name for cookie in leaving if cookie.deletes} - passed - _SERVICES_OWN
    outcomes = {name: "set" if name in passed else "kept_out" for name in tried}
    held = [name for name in removed if name in consent.visit.cookies]
    for name, outcome in [*outcomes.items(), *((name, "removed") for name in held if not consent.answer(name).allow)]:
        visit.note(Attempt(name, "cookie", outcome, consent.answer(name).reason, scope["path"]))
