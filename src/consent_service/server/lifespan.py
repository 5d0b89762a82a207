"""The application's lifespan, with a failed start as an exception instead of a logged stack.

uvicorn's own prints the stack and ends with status 3; whoever starts this service is to read one line.
"""

import asyncio
import logging
from typing import Any

from uvicorn.config import Config

_log = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 5.0
"""How long the application may take to close; what was acknowledged is durable by then."""


class StartFailed(Exception):
    """The application did not start; the cause is chained where it raised one."""


class Lifespan:
    """Runs the ASGI lifespan in one task. The names are those that `uvicorn.Server` asks for."""

    def __init__(self, config: Config) -> None:
        self.state: dict[str, Any] = {}
        self.should_exit = False
        self._app = config.loaded_app
        self._asgi_version = config.asgi_version
        self._asked: asyncio.Queue[str] = asyncio.Queue()
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Start the application; raises StartFailed."""
        asgi = {"version": self._asgi_version, "spec_version": "2.0"}
        scope = {"type": "lifespan", "asgi": asgi, "state": self.state}
        self._task = asyncio.create_task(self._app(scope, self._receive, self._told.put))
        answer = await self._ask("lifespan.startup")
        if answer["type"] == "lifespan.startup.complete":
            return
        await asyncio.wait({self._task}, timeout=1)  # it may end with the exception that it has told of
        cause = self._task.exception() if self._task.done() and not self._task.cancelled() else None
        _log.debug("the application did not start", exc_info=cause)
        reason = f"{type(cause).__name__}: {cause}" if cause else answer.get("message") or answer["type"]
        raise StartFailed(reason.strip().splitlines()[-1]) from cause

    async def shutdown(self) -> None:
        """Close the application; it is not waited for longer than SHUTDOWN_SECONDS."""
        try:
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                answer = await self._ask("lifespan.shutdown")
        except TimeoutError:
            answer = {"type": f"no answer within {SHUTDOWN_SECONDS} s"}
        if answer["type"] != "lifespan.shutdown.complete":
            _log.error("the application did not close in order: %s", answer["type"])

    async def _receive(self) -> dict[str, str]:
        return {"type": await self._asked.get()}

    async def _ask(self, what: str) -> dict[str, Any]:
        """Send the application a message and wait for its answer, or for its end."""
        self._asked.put_nowait(what)
        answer = asyncio.create_task(self._told.get())
        tasks = {answer} if self._task is None else {answer, self._task}
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        return {"type": "it ended without an answer"}
