"""C2: bytes that mean harm, sent to the real service all at once: every answer is a 4xx or a close, and memory stays.

The same bytes are looked at one by one in tests/api/test_hostile_bodies.py and tests/server/.
"""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.reliability.campaign import LONG, figures, seconds_allowed, times
from tests.server.client import read_to_end, send_hopefully, statuses
from tests.support.service_process import KEY, ServiceProcess, service_process

_PATIENCE = 60.0
_GROWTH = 20_000_000
"""Bytes by which the process may grow (the bar)."""
_GET = b"GET /v1/consent HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n"
_PUT = b"PUT /v1/consent HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Type: application/json\r\n"
_ADMIN = (
    b"POST /v1/policies HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer " + KEY.encode() + b"\r\n"
)
_GOOD = b'{"action":"accept_all","policy_version":"2026-11-22"'
_CHUNKED = _PUT + b"Transfer-Encoding: chunked\r\n\r\n"
BODIES = {
    "NaN": _GOOD + b',"gpc":NaN}',
    "1e999": _GOOD + b',"gpc":1e999}',
    "lone surrogate": _GOOD + b',"locale":"\\ud800"}',
    "NUL": _GOOD + b',"locale":"e\\u0000n"}',
    "raw NUL": _GOOD + b',"locale":"e\x00n"}',
    "100,000 brackets": b"[" * 100_000,
    "15,000 brackets": b"[" * 15_000,
    "5,000 digits": _GOOD + b',"gpc":' + b"9" * 5_000 + b"}",
    "a name twice": _GOOD + b',"action":"reject_all"}',
    "invalid UTF-8": _GOOD + b',"locale":"\xff\xfe"}',
}
BYTES = {
    **{name: _PUT + b"Content-Length: %d\r\n\r\n" % len(body) + body for name, body in BODIES.items()},
    "900,000 brackets as a policy": _ADMIN + b"Content-Length: 900000\r\n\r\n" + b"[" * 900_000,
    "a 20 MB header": _GET + b"X: " + b"a" * 20_000_000 + b"\r\n\r\n",
    "a 20 MB target": b"GET /" + b"a" * 20_000_000,
    "20,000 headers": _GET + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
    "an oversized body": _PUT + b"Content-Length: 20000000\r\n\r\n" + bytes(20_000_000),
    "an oversized body in chunks": _CHUNKED + (b"10000\r\n" + bytes(65_536) + b"\r\n") * 300 + b"0\r\n\r\n",
    "an endless chunk extension": _CHUNKED + b"1;" + b"a" * 20_000_000,
    "endless trailers": _CHUNKED + b"0\r\n" + b"X: y\r\n" * 1_000_000,
    "half a header": _GET[:60],
    "nothing": b"",
    "empty lines": b"\r\n" * 2_000_000,
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 1_000,
    "a length and chunks": _PUT + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}
WAITS = {"half a body": _PUT + b"Content-Length: 50\r\n\r\n{"}
"""Held until the deadline of a body, 20 s; sent in the long form."""
TRICKLES = {"a header byte by byte": _GET + b"X: " + b"a" * 10_000}
TRICKLED_BODIES = {
    "a body byte by byte": _PUT + b"Content-Length: 10000\r\n\r\n" + b" " * 10_000,
    "chunks byte by byte": _CHUNKED + b"1\r\n \r\n" * 2_000,
}


@dataclass(frozen=True)
class Outcome:
    """What hostile bytes came to."""

    name: str
    statuses: tuple[int, ...]
    seconds: float
    closed: bool


def send(port: int, name: str, data: bytes, pause: float) -> Outcome:
    """Send bytes, at once or (with a pause in seconds) one by one, and wait for the end of the connection."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) as connection:
        sender = threading.Thread(target=_feed, args=(connection, data, pause), daemon=True)
        sender.start()
        answer, closed = _read(connection)
        seconds = time.monotonic() - began
        connection.close()
        sender.join(_PATIENCE)
    return Outcome(name, tuple(statuses(answer)), seconds, closed)


def _read(connection: socket.socket) -> tuple[bytes, bool]:
    try:
        return read_to_end(connection), True
    except TimeoutError:
        return b"", False


def _feed(connection: socket.socket, data: bytes, pause: float) -> None:
    try:
        if not pause:
            send_hopefully(connection, data)
        for byte in data if pause else b"":
            connection.sendall(bytes([byte]))
            time.sleep(pause)
    except OSError:
        return


def attack(service: ServiceProcess) -> list[Outcome]:
    """Send everything at once, each on a connection of its own."""
    everything = [(name, data, 0.0) for name, data in BYTES.items()]
    everything += [(name, data, 0.2) for name, data in TRICKLES.items()]
    if LONG:
        everything += [(name, data, 0.0) for name, data in WAITS.items()]
        everything += [(name, data, 0.2) for name, data in TRICKLED_BODIES.items()]
    with ThreadPoolExecutor(len(everything)) as pool:
        return list(pool.map(lambda item: send(service.port, *item), everything))


def warm_up(service: ServiceProcess) -> None:
    """Let the service see ordinary and odd requests, so that what is made once is there before the measuring."""
    small = {name: data for name, data in BYTES.items() if len(data) < 200_000 and b"\r\n\r\n" in data}
    with ThreadPoolExecutor(len(small)) as pool:
        list(pool.map(lambda data: send(service.port, "", data, 0.0), [*small.values(), _GET + b"\r\n"] * 3))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    """Run the real service with its real deadlines."""
    with service_process(tmp_path, f"sqlite:///{tmp_path / 'consent.db'}") as started:
        started.start()
        yield started


@pytest.mark.slow
def test_hostile_bytes_are_answered_with_4xx_or_a_close_and_do_not_grow_the_process(service: ServiceProcess) -> None:
    process = psutil.Process(service.pid)
    warm_up(service)
    before = process.memory_info().rss
    outcomes = [outcome for _ in range(times(1, 3)) for outcome in attack(service)]
    growth = process.memory_info().rss - before
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    figures(
        "C2",
        "hostile bytes",
        attacks=len(outcomes),
        statuses=sorted({status for outcome in outcomes for status in outcome.statuses}),
        slowest=f"{slowest.seconds:.1f} s ({slowest.name})",
        growth=f"{growth / 1e6:.1f} MB",
    )
    assert [o.name for o in outcomes if not o.closed] == []
    assert [o for o in outcomes if any(not 400 <= status < 500 for status in o.statuses)] == []
    assert growth < _GROWTH
    assert service.ready()
    assert slowest.seconds <= seconds_allowed(30.0)
