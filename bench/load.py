"""The load generator: keep-alive connections driven by one thread, every answer read and checked.

Written for the bench, so that nothing has to be installed: one `epoll` loop over plain sockets costs about 10 µs a
request, a quarter of what the fastest server here takes for it. `closed` keeps every connection busy; `paced` sends by
a random timetable (Poisson) and counts waiting from the moment a request was due, so that a slow answer is not hidden.
"""

import os
import random
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe

Requests = Callable[[], Iterator[bytes]]
"""Makes the endless sequence of requests, inside the generator's own process."""
_WARM_UP = 0.15
"""Share of the time that is not counted."""
_PATIENCE = 10.0
_MOST = 2_000_000
"""Latencies that are kept."""


@dataclass
class Load:
    """What one run measured: answers, seconds, the failures among them, and sorted latencies in seconds."""

    answers: int = 0
    seconds: float = 0.0
    failures: int = 0
    busy: float = 0.0
    """Share of the time that the generator itself was working; near 1 it measured itself."""
    latencies: list[float] = field(default_factory=list)
    """Of every answer, or of every so many of them where there are millions."""
    _step: int = 1

    def took(self, seconds: float) -> None:
        """Note how long an answer took; an hour's worth of them must not fill the memory."""
        if self.answers % self._step == 0:
            self.latencies.append(seconds)
            if len(self.latencies) >= _MOST:
                del self.latencies[::2]
                self._step *= 2

    @property
    def rate(self) -> float:
        """Give answers a second."""
        return self.answers / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Give the latency that this share of the answers stayed below."""
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))] if self.latencies else 0.0


def run(
    port: int, requests: Requests, seconds: float, *, core: int, connections: int = 32, rate: float | None = None
) -> Load:
    """Send requests from a process of its own, pinned to `core`; `rate` requests a second, or as many as go."""
    context = get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_child, args=(theirs, port, requests, seconds, core, connections, rate))
    child.start()
    theirs.close()
    try:
        found: Load | str = ours.recv()
    except EOFError:
        found = "the load generator ended without a result"
    child.join()
    if isinstance(found, str):
        sys.exit(found)
    return found


def _child(
    pipe: Pipe, port: int, requests: Requests, seconds: float, core: int, connections: int, rate: float | None
) -> None:
    os.sched_setaffinity(0, {core})
    try:
        sockets = _connect(port, connections)
        stream = requests()
        load = _closed(sockets, stream, seconds) if rate is None else _paced(sockets, stream, seconds, rate)
        load.latencies.sort()
        pipe.send(load)
    except (OSError, RuntimeError) as error:
        pipe.send(f"the load generator failed: {error}")


def _connect(port: int, connections: int) -> dict[int, socket.socket]:
    sockets = [socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE) for _ in range(connections)]
    for connection in sockets:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return {connection.fileno(): connection for connection in sockets}


def _closed(sockets: dict[int, socket.socket], stream: Iterator[bytes], seconds: float) -> Load:
    load, clock = Load(), time.perf_counter
    poller = select.epoll()
    sent: dict[int, float] = {}
    for number, connection in sockets.items():
        poller.register(number, select.EPOLLIN)
        sent[number] = clock()
        connection.sendall(next(stream))
    counted_from = clock() + _WARM_UP * seconds
    until = counted_from + seconds
    started, cpu, counting = counted_from, time.process_time(), False
    while True:
        events = poller.poll(_PATIENCE)
        if not events:
            raise RuntimeError("no answer came in time")
        for number, _ in events:
            answered = clock()
            good = _read_answer(sockets[number])
            if counting:
                load.answers += 1
                load.failures += not good
                load.took(answered - sent[number])
            sent[number] = clock()
            sockets[number].sendall(next(stream))
        now = clock()
        if not counting and now >= counted_from:
            counting, started, cpu = True, now, time.process_time()
        if now >= until:
            load.seconds = max(now - started, 1e-9)
            load.busy = (time.process_time() - cpu) / load.seconds
            return load


def _paced(sockets: dict[int, socket.socket], stream: Iterator[bytes], seconds: float, rate: float) -> Load:
    load, clock, draw = Load(), time.perf_counter, random.Random(1).expovariate  # noqa: S311 - a timetable, no secret
    free = deque(sockets)
    due_of: dict[int, float] = {}
    begun = clock()
    due = begun
    counted_from, until = begun + _WARM_UP * seconds, begun + (1 + _WARM_UP) * seconds
    cpu = time.process_time()
    while due < until or due_of:
        now = clock()
        while due <= now and free and due < until:
            number = free.popleft()
            due_of[number] = due
            sockets[number].sendall(next(stream))
            due += draw(rate)
        # `select` waits to the microsecond, where `epoll` would round up to milliseconds.
        wait = max(0.0, due - clock()) if free and due < until else _PATIENCE
        ready, _, _ = select.select(list(due_of), [], [], wait)
        if not ready and wait == _PATIENCE:
            raise RuntimeError("no answer came in time")
        for number in ready:
            good = _read_answer(sockets[number])
            was_due = due_of.pop(number)
            free.append(number)
            if was_due >= counted_from:
                load.answers += 1
                load.failures += not good
                load.took(clock() - was_due)
    load.seconds, load.busy = clock() - counted_from, (time.process_time() - cpu) / (clock() - begun)
    return load


def _read_answer(connection: socket.socket) -> bool:
    """Read one whole answer; tells whether its status is one of success."""
    data = connection.recv(65_536)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(connection)
    at = data.find(b"content-length: ", 0, end)
    length = int(data[at + 16 : data.index(b"\r\n", at)])
    missing = end + 4 + length - len(data)
    while missing > 0:
        missing -= len(_more(connection))
    return data.startswith(b"HTTP/1.1 2")


def _more(connection: socket.socket) -> bytes:
    more = connection.recv(65_536)
    if not more:
        raise RuntimeError("the server closed a connection")
    return more
