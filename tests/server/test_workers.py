"""Several processes share one address, are replaced when they die, and end together."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from tests.server.client import PATIENCE, Server, parse, serving

KEPT = b"GET /pid HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n"


def eventually(look: Callable[[], bool]) -> bool:
    """Look again and again until it is so, or until patience ends."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.05)):
        if look():
            return True
        pause.wait(0.05)
    return False


def pids(server: Server) -> set[int]:
    """Tell which processes answer."""
    return {int(parse(server.ask(KEPT)).body) for _ in range(20)}


def refuses(server: Server) -> bool:
    """Tell whether nobody listens any more."""
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    return False


def test_several_workers_answer_on_one_address() -> None:
    with serving(workers=2) as server:
        assert eventually(lambda: len(pids(server)) == 2)
        assert server.process.pid not in pids(server)
        server.signal(signal.SIGTERM)
        assert server.end()[0] == 0


def test_a_worker_that_dies_is_replaced() -> None:
    with serving(workers=2) as server:
        first = pids(server)
        os.kill(min(first), signal.SIGKILL)
        assert eventually(lambda: len(pids(server) - {min(first)}) == 2)
        server.signal(signal.SIGTERM)
        assert server.end()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_workers_finish_what_is_under_way(number: int) -> None:
    with serving(workers=2, drain_delay=0.2) as server, server.connect() as connection:
        connection.sendall(b"GET /slow?2 HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert pids(server)
        server.signal(number)
        status, _ = server.end()
        assert status == 0
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_a_second_signal_ends_all_workers_at_once() -> None:
    with serving(workers=2, drain_delay=600.0) as server:
        server.signal(signal.SIGINT)
        assert eventually(lambda: server.get("/readyz").status == 503)
        server.signal(signal.SIGINT)
        assert server.end()[0] == 1
        assert eventually(lambda: refuses(server))


def test_workers_whose_parent_was_killed_do_not_stay() -> None:
    with serving(workers=2, drain_delay=0.1) as server:
        server.signal(signal.SIGKILL)
        assert eventually(lambda: refuses(server))
