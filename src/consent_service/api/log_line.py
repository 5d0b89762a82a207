"""The canonical log line: one for each request, with the route's template for its path and nothing about whom (C4)."""

import logging

import orjson

log = logging.getLogger("consent_service.request")


def write_line(method: str, route: str, request_id: str, status: int, seconds: float) -> None:
    """Write what became of one request."""
    line = {"id": request_id, "method": method, "route": route, "status": status, "ms": round(seconds * 1000, 2)}
    log.info("%s", orjson.dumps(line).decode())
