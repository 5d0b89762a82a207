"""What is too large is refused by the protocol, with a problem document and a closed connection (quality bar C2)."""

import pytest

from tests.server.client import HELLO, POST, Server, parse, serving, statuses

MIB = 1024 * 1024
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def with_fields(count: int) -> bytes:
    """Make a request with that many header fields."""
    fields = b"".join(b"X-%d: y\r\n" % number for number in range(count - 2))
    return b"GET /hello HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n" + fields + b"\r\n"


def chunks(size: int, count: int) -> bytes:
    """Make chunks of one size, and the end."""
    return (b"%x\r\n" % size + bytes(size) + b"\r\n") * count + b"0\r\n\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(HELLO[:-2] + b"X: " + b"a" * 20_000_000, id="a 20 MB field that never ends"),
        pytest.param(HELLO[:-2] + b"X: " + b"a" * 20_000_000 + b"\r\n\r\n", id="a 20 MB field"),
        pytest.param(with_fields(20_000), id="20,000 fields"),
        pytest.param(with_fields(101), id="one field too many"),
        pytest.param(b"GET /" + b"a" * 17_000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n", id="a long target"),
        pytest.param(HELLO[:-2] + b"X: " + b"a" * 17_000 + b"\r\n\r\n", id="a little too much"),
        pytest.param(HELLO[:-2] + b"X" * 40_000, id="a field name that never ends"),
        pytest.param(HELLO + HELLO[:-2] + b"X: " + b"a" * 300_000, id="behind a good request"),
    ],
)
def test_a_header_that_is_too_large_is_refused_before_the_application_sees_it(
    server: Server, request_bytes: bytes
) -> None:
    answers = server.ask(request_bytes)
    assert statuses(answers) == [200] * request_bytes.count(HELLO) + [431]


def test_a_refusal_is_a_problem_document_that_echoes_nothing(server: Server) -> None:
    answer = parse(server.ask(b"GET /canary HTTP/1.1\r\nHost: canary\r\nX: " + b"canary" * 20_000))
    problem = answer.json()
    assert answer.status == 431
    assert answer.fields["content-type"] == "application/problem+json"
    assert answer.fields["connection"] == "close"
    assert problem.keys() == {"type", "title", "status", "detail", "instance", "code"}
    assert (problem["type"], problem["status"]) == ("/problems/header-too-large", 431)
    assert problem["instance"] == "urn:uuid:" + answer.fields["x-request-id"]
    assert b"canary" not in answer.body


def test_a_hundred_fields_are_taken(server: Server) -> None:
    assert parse(server.ask(with_fields(100))).status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(POST + b"Content-Length: 1048577\r\n\r\n", id="one byte too many is announced"),
        pytest.param(POST + b"Content-Length: 999999999999999999\r\n\r\n", id="an exabyte is announced"),
        pytest.param(POST + b"Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n", id="leave is asked first"),
        pytest.param(CHUNKED + chunks(65_536, 17), id="it comes in chunks"),
        pytest.param(CHUNKED + b"1000000\r\n" + bytes(3 * MIB), id="it comes in one chunk"),
        pytest.param(CHUNKED + b"1;" + b"a" * 3 * MIB, id="it is all chunk extension"),
        pytest.param(CHUNKED + b"1;a=b\r\nx\r\n" * 300_000, id="it is many chunk extensions"),
        pytest.param(CHUNKED + b"0\r\n" + b"X: y\r\n" * 400_000, id="it is all trailer"),
    ],
)
def test_a_body_that_is_too_large_is_refused(server: Server, request_bytes: bytes) -> None:
    answer = parse(server.ask(request_bytes))
    assert answer.status == 413
    assert answer.json()["code"] == "body-too-large"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(POST + b"Content-Length: 1048576\r\nConnection: close\r\n\r\n" + bytes(MIB), id="at once"),
        pytest.param(
            POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(1024, 1024), id="chunked"
        ),
    ],
)
def test_a_body_of_just_the_size_that_is_allowed_is_taken(server: Server, request_bytes: bytes) -> None:
    answer = parse(server.ask(request_bytes))
    assert (answer.status, answer.body) == (200, b"1048576")


def test_more_connections_than_allowed_are_told_so() -> None:
    with serving(max_connections=2) as server, server.connect(), server.connect():
        answer = parse(server.ask(HELLO))
        assert (answer.status, answer.fields["retry-after"]) == (503, "1")
        assert answer.json()["code"] == "too-many-connections"


def test_a_connection_that_ended_makes_room_for_another() -> None:
    with serving(max_connections=2) as server:
        assert [server.get("/hello").status for _ in range(5)] == [200] * 5
