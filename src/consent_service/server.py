"""Serving over HTTP with uvicorn: how a process starts, drains and ends."""

import asyncio
import logging
import signal
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

_log = logging.getLogger(__name__)

DRAIN_SECONDS = 1.0
"""How long the listener stays open after SIGTERM, while `/readyz` already answers 503."""
FINISH_SECONDS = 25
"""How long requests under way may take to finish."""


class _DrainingServer(uvicorn.Server):
    """A server that tells its application first when it is asked to stop."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain on the first signal, stop at once on the second."""
        app = self.config.app
        if isinstance(app, FastAPI) and not app.state.health.draining:
            app.state.health.draining = True
            asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._stop)
        else:
            self.force_exit = True
            self._stop()

    def _stop(self) -> None:
        self.should_exit = True


def serve(app_factory: Callable[[], FastAPI], *, host: str, port: int, workers: int) -> None:
    """Serve until a signal; raises SystemExit with status 1 where the start fails."""
    if workers > 1:
        raise SystemExit("several workers are not served by this version; start several processes behind a proxy")
    config = uvicorn.Config(
        app_factory(),
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
    server = _DrainingServer(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.handle_exit)
    server.run()
    if not server.started:
        raise SystemExit(1)
