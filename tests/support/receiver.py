"""Somebody who receives webhooks: a small HTTP server on loopback that answers as a test tells it."""

import asyncio
import contextlib
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest
from typing import Any

import orjson


@dataclass
class Received:
    """One request as it came."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> dict[str, Any]:
        """Give the part of the message that is about the event."""
        found: dict[str, Any] = orjson.loads(self.body)["data"]
        return found

    def signed_with(self, secret: str) -> bool:
        """Check the signature by the specification, with none of the service's code."""
        content = b".".join(
            [self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body]
        )
        expected = b64encode(digest(b64decode(secret.split("_")[1]), content, sha256)).decode()
        return self.headers["webhook-signature"] == f"v1,{expected}"


@dataclass
class Receiver:
    """What came in, and what is answered: the given statuses in turn, then the last one again and again."""

    url: str
    statuses: list[str] = field(default_factory=lambda: ["204 No Content"])
    received: "asyncio.Queue[Received]" = field(default_factory=asyncio.Queue)
    silent: bool = False
    serving: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def next(self) -> Received:
        """Wait for the next message."""
        async with asyncio.timeout(30):
            return await self.received.get()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task that the end of the test waits for."""
        self.serving.add(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request on a connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await self.take(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request and answer it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        await self.received.put(Received(head[0].split(" ")[1], headers, body))
        if not self.silent:
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        else:
            await reader.read()


@asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver("")
    server = await asyncio.start_server(receiver.connected, host, 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"{'https' if tls else 'http'}://{'localhost' if tls else host}:{port}/hooks/consent?shop=1"
    async with server:
        yield receiver
        await asyncio.gather(*receiver.serving)
