"""The service down, slow, cut off or talking nonsense, over real connections: the page renders, nothing leaks (B2)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from consent_client import AsyncConsentClient, ConsentClient, Unavailable
from consent_client.asgi import ConsentMiddleware
from consent_client.setcookie import parse_set_cookie
from consent_client.testing.authority import FakeAuthority

REQUESTS = 10_000
GOOD = b'{"decisions": [{"tracker": "_ga", "category": "statistical", "allow": true, "reason": "granted"}]}'
Fault = Callable[[socket.socket], None]


def says_nothing(connection: socket.socket) -> None:
    """Take the request and answer after five seconds."""
    time.sleep(5)
    connection.close()


def resets(connection: socket.socket) -> None:
    """Cut the connection with a reset."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def talks_nonsense(connection: socket.socket) -> None:
    """Answer with what is no HTTP."""
    connection.recv(65536)
    connection.sendall(b"\x00\xff garbage granted allow true\r\n\r\n")
    connection.close()


def allows_in_another_form(connection: socket.socket) -> None:
    """Answer in HTTP and JSON, but not as the contract says."""
    connection.recv(65536)
    body = b'{"decisions": [{"tracker": "_ga", "allow": "yes", "reason": "granted"}], "allow": true}'
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    connection.close()


def stops_halfway(connection: socket.socket) -> None:
    """Promise more than it sends."""
    connection.recv(65536)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"decisions": [')
    connection.close()


def drips(connection: socket.socket) -> None:
    """Give a good answer, one byte every few milliseconds: it is complete long after its time."""
    connection.recv(65536)
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(GOOD))
        for place in range(len(GOOD)):
            connection.sendall(GOOD[place : place + 1])
            time.sleep(0.004)
    connection.close()


def floods(connection: socket.socket) -> None:
    """Give a good answer in a body larger than any."""
    connection.recv(65536)
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(GOOD) + 6_000_000))
        connection.sendall(GOOD + b" " * 6_000_000)
    connection.close()


@contextlib.contextmanager
def serving(fault: Fault) -> Iterator[str]:
    """Listen on the loopback interface and treat every connection to a fault."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stopped = threading.Event()

        def accept() -> None:
            while not stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = listener.accept()
                    threading.Thread(target=fault, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopped.set()
            thread.join()


@contextlib.contextmanager
def nobody_listens(_: Fault | None = None) -> Iterator[str]:
    """Give an address at which every connection is refused."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


FAULTS = [says_nothing, resets, talks_nonsense, allows_in_another_form, stops_halfway, drips, floods]
PLACES: list[tuple[Callable[..., contextlib.AbstractContextManager[str]], Fault | None]] = [
    (nobody_listens, None),
    *((serving, fault) for fault in FAULTS),
]
NAMES = ["nobody_listens", *(fault.__name__ for fault in FAULTS)]


async def shop_page(scope: Any, receive: Any, send: Any) -> None:
    """Set one cookie of each sort."""
    lines = [b"session=1", b"_ga=1; Max-Age=9999", b"_fbp=1", b"unheard_of=1", b"lang=de"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", line) for line in lines]})
    await send({"type": "http.response.body", "body": b"page"})


async def leaked(client: AsyncConsentClient, cookie: bytes, requests: int) -> tuple[set[str], int]:
    """Ask for the page many times, 50 at once, and give the names that were set and the number of pages."""
    middleware = ConsentMiddleware(shop_page, client)
    names: set[str] = set()
    pages = 0

    async def send(message: Any) -> None:
        nonlocal pages
        pages += message["type"] == "http.response.body" and message["body"] == b"page"
        names.update(parse_set_cookie(v.decode(), 0).name for k, v in message.get("headers", ()) if k == b"set-cookie")

    async def receive() -> Any:
        return {"type": "http.request"}

    async def visitor() -> None:
        for _ in range(requests // 50):
            await middleware({"type": "http", "headers": [(b"cookie", cookie)]}, receive, send)

    await asyncio.gather(*(visitor() for _ in range(50)))
    await client.close()
    return names, pages


@pytest.mark.parametrize(("place", "fault"), PLACES, ids=NAMES)
def test_nothing_that_needs_consent_is_set_in_10_000_requests(
    authority: FakeAuthority, place: Callable[..., contextlib.AbstractContextManager[str]], fault: Fault | None
) -> None:
    granted = authority.visitor_who_granted().visitor_id
    with place(fault) as address:
        client = AsyncConsentClient(address, "key", timeout=0.2)
        names, pages = asyncio.run(leaked(client, f"consent_visitor=v1.{granted}.mac".encode(), REQUESTS))
    assert pages == REQUESTS
    assert names == set()


@pytest.mark.parametrize(("place", "fault"), PLACES, ids=NAMES)
def test_what_is_exempt_is_still_set_once_the_table_is_known(
    authority: FakeAuthority, place: Callable[..., contextlib.AbstractContextManager[str]], fault: Fault | None
) -> None:
    known = authority.client()
    known.from_state(None)
    with place(fault) as address:
        client = AsyncConsentClient(address, "key", timeout=0.2)
        client.core.table.value = known.core.table.value
        names, _ = asyncio.run(leaked(client, b"", 100))
    assert names == {"session"}


@pytest.mark.parametrize(("place", "fault"), PLACES, ids=NAMES)
def test_the_synchronous_client_denies(
    place: Callable[..., contextlib.AbstractContextManager[str]], fault: Fault | None
) -> None:
    with place(fault) as address, ConsentClient(address, "key", timeout=0.2) as client:
        assert not client.decide("A" * 22, ["_ga"]).allows("_ga")
        assert client.decide("A" * 22, ["_ga"]).degraded
        assert client.decide_many([{"visitor_id": "A" * 22, "names": ["_ga"]}])[0].degraded
        assert not client.from_state("cookie").allows("_ga")


@pytest.mark.parametrize("fault", [says_nothing, resets, talks_nonsense, stops_halfway, drips, floods])
def test_what_is_no_decision_says_unavailable(fault: Fault) -> None:
    with serving(fault) as address, ConsentClient(address, "key", timeout=0.1) as client, pytest.raises(Unavailable):
        client.withdraw("A" * 22)


def test_a_body_larger_than_any_answer_is_none_however_much_time_there_is() -> None:
    with serving(floods) as address, ConsentClient(address, "key", timeout=10) as client:
        assert not client.decide("A" * 22, ["_ga"]).allows("_ga")


def test_an_address_that_is_none_denies() -> None:
    assert not ConsentClient("no address at all", "key").decide("A" * 22, ["_ga"]).allows("_ga")


async def test_the_service_is_used_again_when_it_is_back(authority: FakeAuthority) -> None:
    client = authority.async_client()
    visitor = authority.visitor_who_granted()
    authority.away = True
    for _ in range(20):
        await client.decide(visitor.visitor_id, ["_ga"])
    authority.away = False
    client.core.breaker.clock = lambda: time.monotonic() + 2
    assert (await client.decide(visitor.visitor_id, ["_ga"])).allows("_ga")


def test_connections_are_kept(authority: FakeAuthority) -> None:
    authority.connections = 0
    visitor = authority.visitor_who_granted()
    with authority.serve() as address, ConsentClient(address, authority.key, timeout=30) as client:
        for _ in range(20):
            assert client.decide(visitor.visitor_id, ["_ga"]).allows("_ga")
    assert authority.connections == 1
