"""Logging to standard error: one JSON object a line, or readable lines in development.

Messages carry no personal data: no address, no user agent, no visitor id, no token, no query (quality bar C4).
"""

import json
import logging
import sys
from datetime import UTC, datetime

_REQUESTS = "consent_service.request"


class _JsonLine(logging.Formatter):
    """Writes a record as one line of JSON; the canonical request line is JSON already and is taken in whole."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        level = record.levelname.lower()
        message = record.getMessage()
        if record.name == _REQUESTS and message.startswith("{") and not record.exc_info:
            # Put together as text: reading such a line to write it again would be a tenth of a write.
            return f'{{"time": "{time}", "level": "{level}", "logger": "{_REQUESTS}", {message[1:]}'
        line: dict[str, object] = {"time": time, "level": level, "logger": record.name, "message": message}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(*, readable: bool) -> None:
    """Send all logs to standard error."""
    # No line names a thread, a process or a task, and no line of source; so nobody looks for them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - as the library's own HOWTO says
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)-7s %(name)s  %(message)s") if readable else _JsonLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("alembic", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
