"""What ASGI and WSGI have beside plain pages: handshakes, streams, other protocols, errors under way."""

from typing import Any

import pytest

from consent_client.asgi import ConsentMiddleware as AsgiMiddleware
from consent_client.testing.authority import FakeAuthority
from consent_client.wsgi import ConsentMiddleware as WsgiMiddleware

COOKIES = [(b"Set-Cookie", b"session=1"), (b"set-cookie", b"_ga=1")]


async def messages_of(authority: FakeAuthority, scope: dict[str, Any], *sent: dict[str, Any]) -> list[Any]:
    """Let an application send messages through the middleware, and give those that come out."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in sent:
            await send(message)
            seen.append("sent")

    async def send(message: Any) -> None:
        seen.append(message)

    async def receive() -> Any:
        return {}

    await AsgiMiddleware(app, authority.async_client())(scope, receive, send)
    return seen


@pytest.mark.parametrize("kind", ["websocket.accept", "websocket.http.response.start"])
async def test_a_handshake_sets_no_cookie_without_consent(authority: FakeAuthority, kind: str) -> None:
    [message, _] = await messages_of(
        authority, {"type": "websocket", "headers": []}, {"type": kind, "headers": list(COOKIES)}
    )
    assert [value for name, value in message["headers"] if name == b"set-cookie"] == [b"session=1"]


async def test_a_handshake_without_headers_is_let_through(authority: FakeAuthority) -> None:
    [message, _] = await messages_of(authority, {"type": "websocket", "headers": []}, {"type": "websocket.accept"})
    assert message == {"type": "websocket.accept", "headers": []}


async def test_a_stream_is_passed_on_piece_by_piece(authority: FakeAuthority) -> None:
    pieces = [{"type": "http.response.body", "body": bytes([n]), "more_body": True} for n in range(3)]
    start = {"type": "http.response.start", "status": 200, "headers": list(COOKIES)}
    seen = await messages_of(authority, {"type": "http", "headers": []}, start, *pieces)
    assert seen[1:] == ["sent", pieces[0], "sent", pieces[1], "sent", pieces[2], "sent"]


async def test_other_protocols_are_none_of_its_business(authority: FakeAuthority) -> None:
    message = {"type": "lifespan.startup.complete"}
    assert await messages_of(authority, {"type": "lifespan"}, message) == [message, "sent"]
    assert authority.calls == []


async def test_a_synchronous_client_serves_asgi_as_well(authority: FakeAuthority) -> None:
    with authority.serve() as address:
        client = authority.client()
        client.base_url = address
        middleware = AsgiMiddleware(None, client)  # type: ignore[arg-type]
        assert middleware.client.core is client.core
        visitor = authority.visitor_who_granted()
        middleware.client.core.timeout = 5
        assert (await middleware.client.decide(visitor.visitor_id, ["_ga"])).allows("_ga")
        await middleware.client.close()


def test_a_wsgi_body_is_not_read_ahead_and_an_error_under_way_is_told(authority: FakeAuthority) -> None:
    seen: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Set-Cookie", "_ga=1")])
        start_response("500 Error", [("SET-COOKIE", "_fbp=1; Path=/"), ("set-cookie", "session=1")], ("error",))
        yield b"one"
        seen.append("one was taken")
        yield b"two"

    def start_response(status: str, headers: Any, *exc_info: Any) -> Any:
        seen.append((status, [value for name, value in headers if name == "Set-Cookie"], exc_info))

    body = iter(WsgiMiddleware(app, authority.client())({}, start_response))
    assert next(body) == b"one"
    assert seen == [("200 OK", [], ()), ("500 Error", ["session=1"], (("error",),))]
    assert list(body) == [b"two"]


def test_an_asynchronous_client_serves_wsgi_as_well(authority: FakeAuthority) -> None:
    client = authority.async_client()
    assert WsgiMiddleware(None, client).client.core is client.core  # type: ignore[arg-type]
