"""Fixtures of the SDK's own tests; they need no installed plugin."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings  # type: ignore[import-untyped]
from django.http import HttpResponse  # type: ignore[import-untyped]
from django.test import RequestFactory, override_settings  # type: ignore[import-untyped]

from consent_client import AsyncConsentClient, ConsentClient
from consent_client.asgi import ConsentMiddleware as AsgiMiddleware
from consent_client.audit import Audit
from consent_client.consent import Consent
from consent_client.django import ConsentMiddleware as DjangoMiddleware
from consent_client.setcookie import parse_set_cookie
from consent_client.testing.authority import FakeAuthority
from consent_client.testing.reasons import recorded_reason
from consent_client.wsgi import ConsentMiddleware as WsgiMiddleware

Fields = list[tuple[str, str]]
Page = Callable[[Consent], Fields]

if not settings.configured:
    settings.configure(ALLOWED_HOSTS=["*"], DEFAULT_CHARSET="utf-8")


@pytest.fixture
def authority() -> FakeAuthority:
    """Give a fake authority that answers from the recorded table, so that these tests need no service."""
    return FakeAuthority(source=recorded_reason)


@pytest.fixture
def client(authority: FakeAuthority) -> Iterator[ConsentClient]:
    """Give a client of it."""
    with authority.client() as client:
        yield client


@pytest.fixture
def async_client(authority: FakeAuthority) -> AsyncConsentClient:
    """Give an asynchronous client of it."""
    return authority.async_client()


@dataclass
class Answered:
    """The header fields that reached the browser."""

    fields: Fields

    def all(self, name: str) -> list[str]:
        """Give every value of a field."""
        return [value for label, value in self.fields if label.lower() == name]

    @property
    def kept(self) -> dict[str, str]:
        """Give the cookies that are set, deletions apart."""
        read = [parse_set_cookie(line, 0) for line in self.all("set-cookie")]
        return {cookie.name: cookie.line for cookie in read if not cookie.deletes}

    @property
    def expired(self) -> set[str]:
        """Give the names of the cookies that are deleted."""
        read = [parse_set_cookie(line, 0) for line in self.all("set-cookie")]
        return {cookie.name for cookie in read if cookie.deletes}


@dataclass
class Shop:
    """One way to run a page under the middleware."""

    way: str
    authority: FakeAuthority
    audit: Audit = field(default_factory=Audit)
    options: dict[str, Any] = field(default_factory=dict)
    _made: Any = None

    def get(self, page: Page, cookies: dict[str, str] | None = None, **headers: str) -> Answered:
        """Ask for a page with these cookies and headers (underscores for hyphens)."""
        sent = {"host": "www.shop.example", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return Answered({"asgi": self._asgi, "wsgi": self._wsgi}.get(self.way, self._django)(page, sent))

    def _asgi(self, page: Page, sent: dict[str, str]) -> Fields:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            assert scope["consent"] is scope["state"]["consent"]
            headers = [(name.encode(), value.encode()) for name, value in page(scope["consent"])]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        async def receive() -> Any:
            return {"type": "http.request"}

        if self._made is None:
            self._made = AsgiMiddleware(app, self.authority.async_client(), audit=self.audit, **self.options)
        self._made.app = app
        headers = [(name.encode(), value.encode()) for name, value in sent.items()]
        asyncio.run(self._made({"type": "http", "headers": headers}, receive, send))
        return [(name.decode(), value.decode()) for name, value in messages[0]["headers"]]

    def _wsgi(self, page: Page, sent: dict[str, str]) -> Fields:
        def app(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", page(environ["consent"]))
            return [b""]

        seen: Fields = []
        if self._made is None:
            self._made = WsgiMiddleware(app, self.authority.client(), audit=self.audit, **self.options)
        self._made.app = app
        environ = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in sent.items()}
        list(self._made(environ, lambda _, headers: seen.extend(headers)))
        return seen

    def _django(self, page: Page, sent: dict[str, str]) -> Fields:
        def view(request: Any) -> HttpResponse:
            response = HttpResponse()
            for name, value in page(request.consent):
                if name == "Set-Cookie":
                    response.cookies.load(value)
                else:
                    response.headers[name] = value
            return response

        async def async_view(request: Any) -> HttpResponse:
            return view(request)

        way = view if self.way == "django" else async_view
        if self._made is None:
            self._made = self.authority.client() if self.way == "django" else self.authority.async_client()
        upper = {f"CONSENT_{name.upper()}": value for name, value in self.options.items()}
        environ = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in sent.items()}
        with override_settings(CONSENT_CLIENT=self._made, CONSENT_AUDIT=self.audit, **upper):
            middleware: Any = DjangoMiddleware(way)
            request = RequestFactory().get("/", **environ)
            response = middleware(request) if self.way == "django" else asyncio.run(middleware(request))
        cookies = [("Set-Cookie", morsel.OutputString()) for morsel in response.cookies.values()]
        return [*response.headers.items(), *cookies]


@pytest.fixture(params=["asgi", "wsgi", "django", "django-async"])
def shop(request: pytest.FixtureRequest, authority: FakeAuthority) -> Shop:
    """Give a shop of each kind."""
    return Shop(request.param, authority)
