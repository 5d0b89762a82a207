"""The canonical log line: one for each request, with the route's template for its path and nothing about whom (C4)."""

import asyncio
import logging

import orjson

log = logging.getLogger("consent_service.request")


def write_line(method: str, route: str, request_id: str, status: int, seconds: float) -> None:
    """Write what became of one request."""
    log.info("%s", _line(method, route, request_id, status, seconds))


class LinesOfAStep:
    """Takes the lines of one step of the event loop and writes them together, when the step is over.

    A batch of writes is answered in one step, and a record of the log for each would cost half as much as reading it.
    """

    def __init__(self) -> None:
        """Begin without lines."""
        self._lines: list[str] = []

    def write(self, method: str, route: str, request_id: str, status: int, seconds: float) -> None:
        """Write what became of one request; needs a running event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(_line(method, route, request_id, status, seconds))

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        log.info("%s", "\n".join(lines))


def _line(method: str, route: str, request_id: str, status: int, seconds: float) -> str:
    line = {"id": request_id, "method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2)}
    return orjson.dumps(line).decode()
