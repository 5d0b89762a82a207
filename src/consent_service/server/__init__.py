"""Serving over HTTP with uvicorn: limits, deadlines, and how a process starts, drains and ends."""

import logging
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from consent_service.server.lifespan import SHUTDOWN_SECONDS, StartFailed
from consent_service.server.limits import ServerLimits
from consent_service.server.process import App, Process
from consent_service.server.workers import Ready, Workers

__all__ = ["ServerLimits", "StartFailed", "serve"]

_log = logging.getLogger(__name__)

_BACKLOG = 2048
_DEFAULTS = ServerLimits()


def mark_draining(app: Any) -> None:
    """Let `/readyz` answer 503: how this service's own application is told."""
    app.state.health.draining = True


def say_ready(address: str) -> None:
    """Write to the log where the service is."""
    _log.info("serving on %s", address)


def serve(
    app_factory: Callable[[], App],
    *,
    host: str,
    port: int,
    workers: int = 1,
    limits: ServerLimits = _DEFAULTS,
    on_drain: Callable[[App], None] = mark_draining,
    on_ready: Callable[[str], None] = say_ready,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return; a second signal ends the process at once.

    Every process makes its own application and hands it to `on_drain` when told to stop, at which moment the listener
    is still open. `on_ready` gets the address, with the real port where `port` is 0, once all processes serve.
    Raises OSError where the address cannot be had; exits with 1 and one line where the application does not start.
    """
    listener = _listen(host, port)
    address = _address(listener)

    def run(ready: Ready, parent: int | None = None) -> None:
        Process(app_factory(), limits, on_drain=on_drain, on_ready=ready, parent=parent).run([listener])

    if workers > 1:
        parent = os.getpid()
        stop_within = limits.drain_delay + limits.finish_within + SHUTDOWN_SECONDS + 5
        with listener:
            status = Workers(
                workers, lambda ready: run(ready, parent), on_ready=lambda: on_ready(address), stop_within=stop_within
            ).serve()
        if status:
            sys.exit(status)
        return
    with listener:
        try:
            run(lambda: on_ready(address))
        except StartFailed as error:
            sys.exit(f"consent-service did not start: {error}")


def _listen(host: str, port: int) -> socket.socket:
    """Bind and listen; raises OSError that names the address."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host} port {port}: {error.strerror}") from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
