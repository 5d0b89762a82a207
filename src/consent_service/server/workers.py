"""Several processes on one socket: the parent starts them, replaces those that die, and ends when they are gone."""

import logging
import multiprocessing
import multiprocessing.connection
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess

_log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a worker that died is replaced; doubled with every death until one has lived for a while."""
_LIVED = 60.0

Ready = Callable[[], None]


@dataclass(slots=True)
class _Worker:
    """A place among the workers and the process that holds it."""

    process: ForkProcess | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE
    due: float | None = None  # when the place is filled again


class Workers:
    """The parent's side. Children are forked before any event loop runs, so that the factory may be a closure."""

    def __init__(self, count: int, run: Callable[[Ready], None], *, on_ready: Ready, stop_within: float) -> None:
        """Prepare; `run` serves in a child until that gets SIGTERM, and calls its argument once it serves."""
        self._count = count
        self._run = run
        self._on_ready = on_ready
        self._stop_within = stop_within
        self._kill_at: float | None = None
        self._context = multiprocessing.get_context("fork")
        self._told, self._tell = self._context.Pipe(duplex=False)
        self._waiting_for = count
        self._status = 0
        self._workers: list[_Worker] = []

    def serve(self) -> int:
        """Serve until told to stop and all are gone; gives the exit status."""
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        self._workers = [_Worker() for _ in range(self._count)]
        for worker in self._workers:
            self._start(worker)
        while self._alive() or not self._stopping():
            self._wait()
            if self._stopping():
                self._kill_late()
            elif not self._tend():
                self._status = 1
                self._stop()
        return self._status

    def _stopping(self) -> bool:
        return self._kill_at is not None

    def _on_signal(self, number: int, _frame: object) -> None:
        if self._stopping():
            self._kill_at = 0.0  # asked again: at once
        else:
            self._stop()

    def _stop(self) -> None:
        self._kill_at = time.monotonic() + self._stop_within
        for process in self._alive():
            process.terminate()

    def _alive(self) -> list[ForkProcess]:
        return [process for worker in self._workers if (process := worker.process) and process.is_alive()]

    def _wait(self) -> None:
        """Sleep until a worker is ready or gone, or half a second."""
        sentinels = [process.sentinel for process in self._alive()]
        if self._told in multiprocessing.connection.wait([self._told, *sentinels], timeout=0.5):
            self._told.recv_bytes()
            self._waiting_for -= 1
            if self._waiting_for == 0:
                self._on_ready()

    def _tend(self) -> bool:
        """Replace who died; False where one never came to serve in the first place, which trying again won't mend."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.process is None or worker.process.is_alive():
                continue
            if self._waiting_for > 0:
                return False
            if worker.due is None:
                worker.pause = _FIRST_PAUSE if now - worker.started > _LIVED else min(worker.pause * 2, _LONGEST_PAUSE)
                worker.due = now + worker.pause
                _log.error("a worker ended with status %s", worker.process.exitcode)
            elif worker.due <= now:
                self._start(worker)
        return True

    def _kill_late(self) -> None:
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            self._status = 1
            for process in self._alive():
                process.kill()

    def _start(self, worker: _Worker) -> None:
        """Fork a child; signals wait meanwhile, so that it never runs the parent's handlers and is never missed."""
        with _signals_blocked():
            if not self._stopping():
                worker.process = self._context.Process(target=_child, args=(self._run, self._tell))
                worker.started, worker.due = time.monotonic(), None
                worker.process.start()


def _child(run: Callable[[Ready], None], tell: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent passes it on as SIGTERM
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    try:
        run(lambda: tell.send_bytes(b"ready"))
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes one line and a status
        _log.debug("a worker failed", exc_info=True)
        sys.exit(f"consent-service: a worker did not start: {error}")


@contextmanager
def _signals_blocked() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
