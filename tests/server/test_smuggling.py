"""A proxy in front and this server never disagree about where a request ends (RFC 9112 §6, §11.2)."""

import pytest

from tests.server.client import HELLO, POST, Server, parse, statuses

GET = b"GET /hello HTTP/1.1\r\nHost: shop\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HIDDEN = b"GET /pid HTTP/1.1\r\nHost: shop\r\n\r\n"
"""The request that must never be answered."""
EMPTY = b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        pytest.param(400, POST + b"Content-Length: 5\r\n" + CHUNKED + EMPTY, id="length and chunked"),
        pytest.param(400, POST + CHUNKED + b"Content-Length: 5\r\n" + EMPTY, id="chunked and length"),
        pytest.param(400, POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", id="two lengths"),
        pytest.param(400, POST + b"Content-Length: 1, 2\r\n\r\nx", id="a list of lengths"),
        pytest.param(400, POST + b"Content-Length: -1\r\n\r\n", id="a negative length"),
        pytest.param(400, POST + b"Content-Length: +1\r\n\r\nx", id="a signed length"),
        pytest.param(400, POST + b"Content-Length: 0x1\r\n\r\nx", id="a hexadecimal length"),
        pytest.param(400, POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", id="a length of 5,000 digits"),
        pytest.param(400, POST + CHUNKED + CHUNKED + EMPTY, id="chunked twice"),
        pytest.param(501, POST + b"Transfer-Encoding: gzip, chunked\r\n" + EMPTY, id="compressed"),
        pytest.param(501, POST + b"Transfer-Encoding: xchunked\r\n" + EMPTY, id="an unknown coding"),
        pytest.param(501, POST + b"Transfer-Encoding: identity\r\n" + EMPTY, id="identity"),
        pytest.param(400, POST + b"Transfer-Encoding : chunked\r\n" + EMPTY, id="a space before the colon"),
        pytest.param(400, POST.replace(b"1.1", b"1.0") + CHUNKED + EMPTY, id="chunked in HTTP/1.0"),
        pytest.param(400, GET + b"X: a\r\n b\r\n\r\n", id="a folded field"),
        pytest.param(400, GET + b"X: a\0b\r\n\r\n", id="NUL in a value"),
        pytest.param(400, GET + b"X\0: a\r\n\r\n", id="NUL in a name"),
        pytest.param(400, GET + b"X: a\rb\r\n\r\n", id="a bare CR"),
        pytest.param(400, GET + b"X: a\nY: b\r\n\r\n", id="a bare LF"),
        pytest.param(400, b"GET /\0 HTTP/1.1\r\nHost: shop\r\n\r\n", id="NUL in the target"),
        pytest.param(400, b"GET /hello HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(400, GET + b"Host: other\r\n\r\n", id="two hosts"),
        pytest.param(400, b"hello\r\n\r\n", id="no HTTP"),
        pytest.param(400, b"\x16\x03\x01\x00\xa5\x01", id="TLS"),
        pytest.param(400, b"CONNECT shop:443 HTTP/1.1\r\nHost: shop\r\n\r\n", id="a tunnel"),
        pytest.param(505, GET.replace(b"1.1", b"2.0") + b"Connection: keep-alive\r\n\r\n", id="HTTP/2.0"),
        pytest.param(505, b"GET /hello\r\n\r\n", id="HTTP/0.9"),
        pytest.param(400, POST + CHUNKED + b"\r\n0x1\r\nx" + EMPTY, id="a chunk size with a prefix"),
        pytest.param(400, POST + CHUNKED + b"\r\nfffffffffffffffff\r\nx" + EMPTY, id="a chunk size beyond 64 bits"),
        pytest.param(400, POST + CHUNKED + b"\r\n1\nx" + EMPTY, id="a bare LF after a chunk size"),
        pytest.param(400, POST + CHUNKED + b"\r\n1;a\nx" + EMPTY, id="a bare LF in a chunk extension"),
        pytest.param(
            400,
            POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 33\r\n\r\n",
            id="an upgrade with a body",
        ),
    ],
)
def test_a_request_with_two_readings_is_refused_and_nothing_behind_it_is_read(
    server: Server, status: int, request_bytes: bytes
) -> None:
    answers = server.ask(request_bytes + HIDDEN)
    answer = parse(answers)
    assert statuses(answers) == [status]
    assert answer.json()["status"] == status


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_an_upgrade_is_not_accepted_and_nothing_behind_it_is_read(server: Server, protocol: bytes) -> None:
    answers = server.ask(GET + b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n" + HIDDEN)
    answer = parse(answers)
    assert (answer.status, answer.body, answer.fields["connection"]) == (200, b"hello", "close")


def test_a_trailer_field_does_not_pass_for_a_header_field(server: Server) -> None:
    request = POST.replace(b"/length", b"/fields") + b"Connection: close\r\n" + CHUNKED
    trailer = b"\r\n1\r\nx\r\n0\r\nAuthorization: Bearer stolen\r\nSec-GPC: 0\r\n\r\n"
    fields = dict(parse(server.ask(request + trailer)).json())
    assert fields == {"host": "shop", "connection": "close", "transfer-encoding": "chunked"}


def test_several_fields_of_one_name_all_reach_the_application(server: Server) -> None:
    """SIG-10."""
    request = GET.replace(b"/hello", b"/fields") + b"Connection: close\r\nSec-GPC: 0\r\nSec-GPC: 1\r\n\r\n"
    fields = parse(server.ask(request)).json()
    assert [value for name, value in fields if name == "sec-gpc"] == ["0", "1"]


def test_a_body_that_breaks_off_in_the_middle_is_refused_in_its_turn(server: Server) -> None:
    slow = b"GET /slow?0.3 HTTP/1.1\r\nHost: shop\r\n\r\n"
    answers = server.ask(slow + HELLO + POST + CHUNKED + b"\r\n1\r\nx\r\nnonsense\r\n" + HIDDEN)
    order = [answers.index(part) for part in (b"slow but whole", b"hello", b"HTTP/1.1 400 ")]
    assert order == sorted(order)
    assert statuses(answers) == [200, 200, 400]
