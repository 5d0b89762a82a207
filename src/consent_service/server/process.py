"""One serving process: from the bound socket to the drained end."""

import asyncio
import contextlib
import functools
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar, cast

import uvicorn
from uvicorn._types import ASGIApplication

from consent_service.server.lifespan import Lifespan
from consent_service.server.limits import ServerLimits
from consent_service.server.protocol import GuardedProtocol
from consent_service.server.requests import GuardedState
from consent_service.server.shortcut import Shortcut

_log = logging.getLogger(__name__)

App = TypeVar("App", bound=Callable[..., Any])


class Process(uvicorn.Server, Generic[App]):
    """uvicorn's server, which tells its application first when it is to stop, and then waits before it stops."""

    def __init__(
        self,
        app: App,
        limits: ServerLimits,
        *,
        on_drain: Callable[[App], None],
        on_ready: Callable[[], None],
        parent: int | None = None,
    ) -> None:
        """Prepare to serve `app`; where a `parent` is named, the process drains when that is gone."""
        super().__init__(_config(app, limits))
        self.server_state: GuardedState = GuardedState()
        self._app = app
        self._limits = limits
        self._on_drain = on_drain
        self._on_ready = on_ready
        self._parent = parent
        self._asked_to_stop = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen, then say so; raises StartFailed."""
        await super().startup(sockets)
        # What is there now stays: the collector need not walk through it again, nor look after every few requests.
        gc.freeze()
        gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
        if not self.should_exit:
            self._on_ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT while serving. uvicorn would raise them again at the end, and not exit with 0."""
        loop = asyncio.get_running_loop()
        taken = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        for number in taken:
            loop.add_signal_handler(number, self.stop, number)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)

    def stop(self, number: int) -> None:
        """Drain when first asked, end at once when asked again."""
        if self._asked_to_stop:
            _log.warning("asked to stop a second time: ending at once")
            os._exit(128 + number)
        self._asked_to_stop = True
        if not self.started:
            self.should_exit = True
            return
        _log.info("draining: the listener closes in %s s", self._limits.drain_delay)
        self.server_state.draining = True
        self._on_drain(self._app)
        asyncio.get_running_loop().call_later(self._limits.drain_delay, self._close)

    def _close(self) -> None:
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Look ten times a second whether the parent is still there: without it nobody would stop this process."""
        if self._parent not in {None, os.getppid()} and not self._asked_to_stop:
            self.stop(signal.SIGTERM)
        return await super().on_tick(counter)


_YOUNG = 20_000
"""New containers between two looks of the garbage collector; a request leaves none that refer to each other."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def _config(app: Callable[..., Any], limits: ServerLimits) -> uvicorn.Config:
    config = uvicorn.Config(
        cast("ASGIApplication", app),
        loop="uvloop",
        http="httptools",
        ws="none",
        interface="asgi3",
        log_config=None,
        access_log=False,  # the application writes one line a request itself, without addresses
        proxy_headers=False,  # the application knows which proxies it trusts
        server_header=False,
        timeout_graceful_shutdown=limits.finish_within,
    )
    config.load()
    shortcut: Shortcut | None = getattr(app, "shortcut", None)
    protocol = functools.partial(GuardedProtocol, limits=limits, shortcut=shortcut)
    config.http_protocol_class = cast("type[asyncio.Protocol]", protocol)
    config.lifespan_class = Lifespan
    return config
