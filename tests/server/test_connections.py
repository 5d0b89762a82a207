"""What HTTP/1.1 asks of a server still holds."""

import socket

import pytest

from tests.server.client import HELLO, POST, Server, parse, read_one, read_to_end, send_hopefully, statuses


def test_a_hundred_requests_sent_ahead_are_all_answered_in_order(server: Server) -> None:
    fields = b"".join(b"GET /fields HTTP/1.1\r\nHost: shop\r\nX: %d\r\n\r\n" % number for number in range(100))
    answers = server.ask(fields)
    positions = [answers.index(b'["x", "%d"]' % number) for number in range(100)]
    assert positions == sorted(positions)


def test_too_many_requests_sent_ahead_are_answered_up_to_a_point(server: Server) -> None:
    answers = server.ask(HELLO * 5000)
    assert statuses(answers)[:100] == [200] * 100
    assert statuses(answers)[-1] == 400
    assert b"pipeline-too-long" in answers


def test_a_connection_serves_one_request_after_the_other(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HELLO)
        first = read_one(connection)
        connection.sendall(POST + b"Content-Length: 3\r\n\r\nabc")
        second = read_one(connection)
    assert (first.body, second.body) == (b"hello", b"3")


def test_a_client_that_closes_its_side_still_gets_its_answers(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /slow?0.2 HTTP/1.1\r\nHost: shop\r\n\r\n" + HELLO)
        connection.shutdown(socket.SHUT_WR)
        answers = read_to_end(connection)
    assert answers.index(b"slow but whole") < answers.index(b"hello")


@pytest.mark.parametrize("request_bytes", [b"", HELLO[:20], POST + b"Content-Length: 5\r\n\r\nab"])
def test_a_client_that_closes_its_side_too_early_is_let_go(server: Server, request_bytes: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        assert read_to_end(connection) == b""


def test_http_1_0_is_answered_and_closed(server: Server) -> None:
    answer = parse(server.ask(b"GET /hello HTTP/1.0\r\n\r\n"))
    assert (answer.status, answer.body, answer.fields["connection"]) == (200, b"hello", "close")


def test_a_client_that_asks_first_is_told_to_go_on(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        leave = read_one(connection)
        connection.sendall(b"abc")
        answer = read_one(connection)
    assert (leave.status, answer.status, answer.body) == (100, 200, b"3")


def test_head_is_answered_without_a_body(server: Server) -> None:
    answer = parse(server.ask(b"HEAD /hello HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"))
    assert (answer.status, answer.fields["content-length"], answer.body) == (200, "5", b"")


def test_the_server_says_when_but_not_what_it_is(server: Server) -> None:
    answer = server.get("/hello")
    assert "date" in answer.fields
    assert "server" not in answer.fields


def test_an_ordinary_visitor_is_served_while_others_attack(server: Server) -> None:
    with server.connect() as flood, server.connect() as drip, server.connect() as endless:
        send_hopefully(flood, HELLO[:-2] + b"X: " + b"a" * 5_000_000)
        send_hopefully(drip, HELLO[:10])
        send_hopefully(endless, POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n")
        assert server.get("/hello").body == b"hello"
