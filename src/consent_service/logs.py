"""Logging to standard error: one JSON object a line, or readable lines in development.

Messages carry no personal data: no address, no user agent, no visitor id, no token, no query (quality bar C4).
"""

import json
import logging
import sys
from datetime import UTC, datetime

_REQUESTS = "consent_service.request"


class _JsonLine(logging.Formatter):
    """Writes a record as one line of JSON; canonical request lines are JSON already and are taken in whole."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, or one for each request that the record tells of."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        level = record.levelname.lower()
        message = record.getMessage()
        if _tells_of_requests(record, message):
            # Put together as text: reading such a line to write it again would be a tenth of a write.
            head = f'{{"time": "{time}", "level": "{level}", "logger": "{_REQUESTS}", '
            return "\n".join([head + line[1:] for line in message.split("\n")])
        line: dict[str, object] = {"time": time, "level": level, "logger": record.name, "message": message}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


class _ReadableLine(logging.Formatter):
    """Writes a record for a person's eyes."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line, or one for each request that the record tells of."""
        head, message = f"{record.levelname:7} {record.name}  ", record.getMessage()
        if _tells_of_requests(record, message):
            return "\n".join([head + line for line in message.split("\n")])
        return f"{head}{super().format(record)}"


def _tells_of_requests(record: logging.LogRecord, message: str) -> bool:
    return record.name == _REQUESTS and message.startswith("{") and not record.exc_info


def configure(*, readable: bool) -> None:
    """Send all logs to standard error."""
    # No line names a thread, a process or a task, and no line of source; so nobody looks for them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - as the library's own HOWTO says
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_ReadableLine() if readable else _JsonLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("alembic", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
