"""A small application behind the real server; run as a program, with its options as JSON in the first argument."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from consent_service.server import ServerLimits, serve

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BIG = 8 * 1024 * 1024


class Hello:
    """Answers each path with what a test wants to know."""

    def __init__(self, start: str) -> None:
        self.draining = False
        self._start = start

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve the lifespan or one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        answer = getattr(self, "answer" + scope["path"].replace("/", "_"))
        status, body = await answer(scope, receive)
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        if self._start != "well":
            raise RuntimeError(self._start)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def answer_hello(self, scope: Message, receive: Receive) -> tuple[int, bytes]:
        """Greet."""
        return 200, b"hello"

    async def answer_readyz(self, scope: Message, receive: Receive) -> tuple[int, bytes]:
        """Say whether work is taken."""
        return (503, b"draining") if self.draining else (200, b"ready")

    async def answer_slow(self, scope: Message, receive: Receive) -> tuple[int, bytes]:
        """Take as many seconds as the query says."""
        await asyncio.sleep(float(scope["query_string"]))
        return 200, b"slow but whole"

    async def answer_length(self, scope: Message, receive: Receive) -> tuple[int, bytes]:
        """Tell how long the body is."""
        length, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return 499, b"gone"
            length, more = length + len(message.get("body", b"")), message.get("more_body", False)
        return 200, str(length).encode()

    async def answer_fields(self, scope: Message, receive: Receive) -> tuple[int, bytes]:
        """Tell the header fields, once the body is there."""
        await self.answer_length(scope, receive)
        return 200, json.dumps([[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]).encode()

    async def answer_big(self, scope: Message, receive: Receive) -> tuple[int, bytes]:
        """Answer with more than any socket buffer holds."""
        return 200, bytes(BIG)

    async def answer_pid(self, scope: Message, receive: Receive) -> tuple[int, bytes]:
        """Tell which process this is."""
        return 200, str(os.getpid()).encode()

    async def answer_die(self, scope: Message, receive: Receive) -> tuple[int, bytes]:
        """End as a process that crashes does."""
        os.kill(os.getpid(), signal.SIGKILL)
        return 500, b"not reached"


def drain(app: Hello) -> None:
    """Stop being ready."""
    app.draining = True


def main() -> None:
    """Serve as told."""
    options: dict[str, Any] = json.loads(sys.argv[1])
    start, workers, port = options.pop("start"), options.pop("workers"), options.pop("port")
    serve(
        lambda: Hello(start),
        host="127.0.0.1",
        port=port,
        workers=workers,
        limits=ServerLimits(**options),
        on_drain=drain,
        on_ready=lambda address: print(address, flush=True),
    )


if __name__ == "__main__":
    main()
