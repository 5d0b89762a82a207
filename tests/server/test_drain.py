"""A process that is told to stop says so first, serves on, finishes, and ends with 0 (contract §9)."""

import signal
import threading

import pytest

from tests.server.client import HELLO, PATIENCE, Answer, Server, parse, read_one, read_to_end, serving

SLOW = b"GET /slow?4 HTTP/1.1\r\nHost: shop\r\n\r\n"


def wait_until_draining(server: Server) -> Answer:
    """Ask until the application says that it is not ready."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        answer = server.get("/readyz")
        if answer.status != 200:
            return answer
        pause.wait(0.05)
    raise AssertionError("the application was never told")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopping_process_is_not_ready_but_still_serves_new_connections(number: int) -> None:
    with serving(drain_delay=3.0) as server:
        server.signal(number)
        assert wait_until_draining(server).status == 503
        assert server.get("/hello").body == b"hello"
        assert server.end()[0] == 0
        with pytest.raises(ConnectionRefusedError):
            server.connect()


def test_a_request_under_way_is_finished_after_the_listener_has_closed() -> None:
    with serving(drain_delay=0.5) as server, server.connect() as connection:
        connection.sendall(SLOW)
        assert server.get("/hello").status == 200  # the slow one is under way
        server.signal(signal.SIGTERM)
        answer = parse(read_to_end(connection))
        assert (answer.status, answer.body) == (200, b"slow but whole")
        assert server.end()[0] == 0


def test_a_connection_in_use_is_told_to_close_while_the_process_drains() -> None:
    with serving(drain_delay=3.0) as server, server.connect() as connection:
        connection.sendall(HELLO)
        assert "connection" not in read_one(connection).fields
        server.signal(signal.SIGTERM)
        wait_until_draining(server)
        connection.sendall(HELLO)
        assert parse(read_to_end(connection)).fields["connection"] == "close"
        assert server.end()[0] == 0


def test_connections_at_rest_do_not_keep_the_process() -> None:
    with serving(drain_delay=0.1) as server, server.connect() as silent, server.connect() as resting:
        resting.sendall(HELLO)
        assert read_one(resting).body == b"hello"
        server.signal(signal.SIGTERM)
        assert (read_to_end(silent), read_to_end(resting)) == (b"", b"")
        assert server.end()[0] == 0


def test_a_request_that_does_not_end_keeps_the_process_only_so_long() -> None:
    with serving(drain_delay=0.1, finish_within=1) as server, server.connect() as connection:
        connection.sendall(SLOW.replace(b"4", b"600"))
        assert server.get("/hello").status == 200
        server.signal(signal.SIGTERM)
        assert server.end()[0] == 0


def test_a_second_interrupt_ends_the_process_at_once() -> None:
    with serving(drain_delay=600.0) as server:
        server.signal(signal.SIGINT)
        wait_until_draining(server)
        server.signal(signal.SIGINT)
        assert server.end()[0] == 128 + signal.SIGINT


def test_the_address_that_is_reported_has_the_real_port() -> None:
    with serving(port=0) as server:
        assert server.port > 0
        assert server.get("/hello").status == 200
