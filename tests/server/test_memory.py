"""An attack does not grow the process (quality bar C2: by less than 20 MB)."""

import socket
from contextlib import ExitStack

from tests.server.client import HELLO, POST, Server, read_to_end, send_hopefully, serving

HOSTILE = (
    HELLO[:-2] + b"X: " + b"a" * 20_000_000,
    HELLO[:-2] + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
    b"GET /" + b"a" * 20_000_000,
    POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + bytes(65_536) + b"\r\n" + b"1;" + b"a" * 20_000_000,
    POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1_000_000,
    POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * 20_000_000,
    POST + b"Content-Length: 999999999999\r\n\r\n" + bytes(20_000_000),
    HELLO * 200_000,
    b"\r\n" * 5_000_000,
)


def attack(server: Server) -> None:
    """Send everything hostile at once, each on a connection of its own, and see all of them closed."""
    with ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in HOSTILE]
        for connection, data in zip(connections, HOSTILE, strict=True):
            connection.settimeout(1.0)
            send_as_far_as_it_goes(connection, data)
        for connection in connections:
            connection.settimeout(20.0)
            read_to_end(connection)


def send_as_far_as_it_goes(connection: socket.socket, data: bytes) -> None:
    """Send until the server takes no more."""
    try:
        send_hopefully(connection, data)
    except TimeoutError:
        return


def test_an_attack_does_not_grow_the_process() -> None:
    with serving(header_deadline=2.0, body_deadline=2.0, keep_alive=2.0, linger=0.5, write_stall=1.0) as server:
        assert server.get("/hello").status == 200
        before = server.resident_bytes()
        attack(server)
        attack(server)
        assert server.resident_bytes() - before < 20_000_000
        assert server.get("/hello").body == b"hello"
