"""A start that fails says why in one line, and the process ends with a status that is not 0."""

import socket

import pytest

from consent_service.server import serve
from tests.server.client import start_process
from tests.server.hello import Hello, drain


@pytest.mark.parametrize(
    ("workers", "lines"),
    [
        (1, ["consent-service did not start: RuntimeError: the database is away"]),
        (2, ["consent-service: a worker did not start: RuntimeError: the database is away"]),
    ],
)
def test_an_application_that_does_not_start_ends_the_process_with_one_line(workers: int, lines: list[str]) -> None:
    process = start_process(start="the database is away", workers=workers)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert sorted(set(errors.splitlines())) == lines


def test_an_address_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}: "):
            serve(lambda: Hello("well"), host="127.0.0.1", port=port, on_drain=drain)
