"""A TCP proxy that can be told to misbehave: it delays, resets, swallows or refuses what passes through it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

Address = tuple[str, int]


class Fault(Enum):
    """What the line does."""

    NONE = "none"
    SLOW = "slow"
    BLACK_HOLE = "black hole"
    REFUSED = "refused"


@dataclass
class TcpProxy:
    """Passes connections on to wherever `target` points when they are opened."""

    target: Callable[[], Address]
    fault: Fault = Fault.NONE
    delay: float = 5.0
    """Seconds that each piece waits while the line is slow."""
    cut_after: bytes | None = None
    """Resets a connection once these bytes have passed to the server, before the answer comes back."""
    cuts: int = 0
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def reset_all(self) -> None:
        """Break every open connection, as a router that forgets them."""
        for writer in list(self._writers):
            _reset(writer)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self.fault is Fault.REFUSED:
            _reset(writer)
            return
        self._writers.add(writer)
        behind: asyncio.StreamWriter | None = None
        try:
            if self.fault is Fault.BLACK_HOLE:
                await self._while_black()
            source, behind = await asyncio.open_connection(*self.target())
            self._writers.add(behind)
            silent = asyncio.Event()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, behind, writer, silent, to_server=True))
                both.create_task(self._pass(source, writer, behind, silent, to_server=False))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in (writer, behind):
                if end is not None:
                    self._writers.discard(end)
                    end.close()

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
        silent: asyncio.Event,
        *,
        to_server: bool,
    ) -> None:
        while data := await source.read(65_536):
            if self.fault is Fault.SLOW:
                await asyncio.sleep(self.delay)
            await self._while_black()
            last = to_server and self.cut_after is not None and self.cut_after in data
            if last:
                silent.set()
            elif silent.is_set():
                return
            sink.write(data)
            await sink.drain()
            if last:
                self.cuts += 1
                # The server has the words; whoever said them learns nothing of what comes of it.
                await asyncio.sleep(0.05)
                _reset(back)
                return
        with contextlib.suppress(OSError):
            sink.write_eof()

    async def _while_black(self) -> None:
        while self.fault is Fault.BLACK_HOLE:  # noqa: ASYNC110 - tests set the fault as a plain value
            await asyncio.sleep(0.05)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset in place of a goodbye (RFC 9293 §3.10.7): unsent data is dropped."""
    wire = writer.get_extra_info("socket")
    if wire is not None:
        with contextlib.suppress(OSError):
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def proxying(target: Callable[[], Address]) -> AsyncIterator[TcpProxy]:
    """Run a proxy on a free port of loopback until the block ends."""
    proxy = TcpProxy(target)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        with contextlib.suppress(asyncio.CancelledError):
            await proxy.handle(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.fault = Fault.NONE
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
