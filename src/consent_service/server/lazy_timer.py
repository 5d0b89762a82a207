"""One timer for all deadlines of a connection."""

import asyncio
from collections.abc import Callable


class LazyTimer:
    """Calls back once after its deadline has passed.

    A later deadline costs nothing: the timer that runs is left alone and, when it fires, finds that it is early.
    """

    __slots__ = ("_act", "_deadline", "_fires_at", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
        self._loop = loop
        self._act = act
        self._deadline = self._fires_at = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Replace the deadline by one that many seconds from now."""
        self._deadline = self._loop.time() + seconds
        if self._handle is None:
            self._arm()
        elif self._deadline < self._fires_at:
            self._handle.cancel()
            self._arm()

    def cancel(self) -> None:
        """Stop for good."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self) -> None:
        self._fires_at = self._deadline
        self._handle = self._loop.call_at(self._fires_at, self._fire)

    def _fire(self) -> None:
        self._handle = None
        if self._loop.time() < self._deadline:
            self._arm()
        else:
            self._act()
