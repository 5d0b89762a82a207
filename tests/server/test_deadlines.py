"""Nobody keeps a connection by being slow, and nobody is cut off because the application is (quality bar C2)."""

import pytest

from tests.server.client import HELLO, POST, Server, parse, read_one, read_to_end, serving, statuses, trickle
from tests.server.hello import BIG

STEP = 0.02
"""Seconds between two bytes of a slow client, far below every deadline."""


@pytest.mark.parametrize(
    "slow_bytes",
    [
        pytest.param(b"GET /hello HTTP/1.1\r\nHost: " + b"a" * 2000, id="header"),
        pytest.param(b"GET /" + b"a" * 2000, id="target"),
        pytest.param(POST + b"Content-Length: 2000\r\n\r\n" + bytes(2000), id="body"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 400, id="chunks"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 2000, id="chunk extension"),
    ],
)
def test_a_byte_now_and_then_does_not_keep_a_connection(server: Server, slow_bytes: bytes) -> None:
    with server.connect() as connection:
        assert not trickle(connection, slow_bytes, STEP)
        answer = parse(read_to_end(connection))
    assert answer.status == 408
    assert answer.json()["code"] == "request-timeout"


@pytest.mark.parametrize("request_bytes", [HELLO[:-2], HELLO[:3], POST + b"Content-Length: 5\r\n\r\nabcd"])
def test_half_a_request_is_not_waited_for(server: Server, request_bytes: bytes) -> None:
    assert parse(server.ask(request_bytes)).status == 408


def test_a_connection_that_never_says_anything_is_closed(server: Server) -> None:
    assert server.ask(b"") == b""


def test_a_connection_at_rest_is_closed(server: Server) -> None:
    assert server.ask(HELLO).endswith(b"hello")


def test_empty_lines_do_not_keep_a_connection(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HELLO)
        assert read_one(connection).body == b"hello"
        assert not trickle(connection, b"\r\n" * 1000, STEP)


def test_half_a_second_request_is_not_waited_for(server: Server) -> None:
    assert statuses(server.ask(HELLO + HELLO[:20])) == [200, 408]


def test_the_application_may_take_longer_than_any_deadline(server: Server) -> None:
    answer = server.get("/slow?2.5")
    assert (answer.status, answer.body) == (200, b"slow but whole")


def test_a_body_that_waits_for_its_turn_is_not_late() -> None:
    body = POST + b"Connection: close\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)
    with serving(body_deadline=1.0) as server:
        answers = server.ask(b"GET /slow?3 HTTP/1.1\r\nHost: shop\r\n\r\n" + body)
    assert answers.endswith(b"200000")


def test_a_client_that_does_not_read_its_answer_is_cut_off(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert server.get("/slow?4").status == 200  # meanwhile nothing is read
        assert len(read_to_end(connection)) < BIG


def test_a_client_that_reads_slowly_gets_its_whole_answer(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert server.get("/slow?0.1").status == 200
        assert len(read_one(connection).body) == BIG
