"""One connection: uvicorn's httptools protocol with deadlines, bounded input and refusals of its own.

A request that arrives whole costs no timer: deadlines are set where one is left unfinished and where the connection
rests, and the application's own time has none.
"""

import asyncio
import logging
import math
from functools import partial
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from consent_service.server.lazy_timer import LazyTimer
from consent_service.server.refusals import Refusal, new_request_id, refusal_response
from consent_service.server.requests import StrictRequests
from consent_service.server.shortcut import ShortCycle

_log = logging.getLogger(__name__)

_WIRE_FACTOR = 2
"""How much larger than its content a body may be on the wire: chunk sizes and extensions (RFC 9112 §7.1.1)."""


class GuardedProtocol(StrictRequests):
    """The protocol that this service speaks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._piece_bytes = self._limits.max_header_bytes
        self._unfinished_bytes = 0  # fed since the last step, whole pieces only
        self._pending: Refusal | None = None  # to be sent after the answers before it
        self._deaf = False  # nothing more is read as HTTP
        self._stalled = False  # the client does not read
        self._unsent = math.inf  # bytes, when last looked at
        self._timer = LazyTimer(self.loop, self._on_deadline)

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; the first request has the header deadline from here."""
        super().connection_made(transport)
        self._timer.set(self._limits.header_deadline)
        most = self._limits.max_connections
        if most is not None and len(self.connections) > most:
            self._deaf = True
            self._write(Refusal.TOO_MANY_CONNECTIONS)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; the application learns it even where it answers a request before the newest."""
        super().connection_lost(exc)
        self._timer.cancel()
        if self._running is not None:
            self._disconnect(self._running)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Still answer a client that has sent a whole request and then closed its side (RFC 9112 §9.6)."""
        if self._in_body or not self._answering():
            return False
        self._deaf = True
        self._in_head = False
        self.cycle.keep_alive = False
        return True

    def data_received(self, data: bytes | memoryview) -> None:
        """Take what came, in pieces no larger than a header may be; after a refusal it is dropped."""
        if self._deaf:
            return
        if len(data) > self._piece_bytes:
            for start in range(0, len(data), self._piece_bytes):
                self.data_received(memoryview(data)[start : start + self._piece_bytes])
            return
        step = self._step
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._deaf = True  # answered as if it had not asked (RFC 9110 §7.8); nothing after it is trusted
        except httptools.HttpParserError:
            self._refuse(self._reason or Refusal.MALFORMED)
        else:
            if self._in_head or self._in_body:
                self._watch_unfinished(len(data), new=step != self._step)

    def _watch_unfinished(self, size: int, *, new: bool) -> None:
        """Count what has come of a header or body that has not ended, and give a new one its deadline."""
        limits = self._limits
        if new:
            self._unfinished_bytes = 0
            self._spread = self._in_head
            self._timer.set(limits.header_deadline if self._in_head else limits.body_deadline)
            return
        self._unfinished_bytes += size
        if self._in_head and self._unfinished_bytes > limits.max_header_bytes:
            self._refuse(Refusal.HEADER_TOO_LARGE)
        elif self._in_body and self._unfinished_bytes > _WIRE_FACTOR * limits.max_body_bytes:
            self._refuse(Refusal.BODY_TOO_LARGE)

    # Answers and refusals

    def _answering(self) -> bool:
        """Tell whether a request has still to be answered; the newest is the last to be."""
        newest: RequestResponseCycle | ShortCycle | None = self.cycle
        return newest is not None and not (newest.response_complete or newest.disconnected)

    def on_response_complete(self) -> None:
        """Go on with the next request that waits, with a refusal that waits, or rest."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._running, app = self.pipeline.pop()
            self._start_asgi_task(self._running, app)
        elif self._pending is not None:
            self._close_with(self._pending)
        elif not (self._in_head or self._in_body):
            self._timer.set(self._limits.keep_alive)

    def _take_shortcut(self, cycle: ShortCycle) -> None:
        """Offer a whole request to the application; what it does not take goes the ordinary way."""
        if self._shortcut is None or not self._shortcut(cycle, self.app_state, partial(self._answer_short, cycle)):
            self._go_the_ordinary_way(cycle)

    def _answer_short(self, cycle: ShortCycle, status: int, answer: bytes | None) -> None:
        if answer is None:
            self._go_the_ordinary_way(cycle)
            return
        cycle.response_complete = True
        if cycle.disconnected or self.transport.is_closing():
            return
        head = self.server_state.head(status)
        if cycle.keep_alive:
            self.transport.write(head + answer)
        else:
            self.transport.write(b"%bconnection: close\r\n%b" % (head, answer))
            self.transport.close()
        self.on_response_complete()

    def _go_the_ordinary_way(self, short: ShortCycle) -> None:
        """Put uvicorn's own cycle in the place of a request that the shortcut does not answer."""
        newer = self.url, self.headers, self.scope
        self.url, self.headers = short.target, short.headers
        self._make_scope()
        target = httptools.parse_url(short.target)
        path = unquote(target.path.decode("ascii"))
        method, query = short.method.decode("ascii"), target.query or b""
        self.scope |= {"method": method, "path": path, "raw_path": target.path, "query_string": query}
        cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=short.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.body, cycle.more_body, cycle.disconnected = bytearray(short.body), False, short.disconnected
        cycle.message_event.set()
        if self.cycle is short:
            self.cycle = cycle
        else:
            self.url, self.headers, self.scope = newer
        self._running = cycle
        self._start_asgi_task(cycle, self.app)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer with a refusal in its turn and close; whoever handles the request learns that the client is gone."""
        in_body, self._in_head, self._in_body, self._deaf = self._in_body, False, False, True
        answer: Refusal | None = refusal
        if in_body and self.pipeline:
            self.pipeline.popleft()  # the newest, whose body this is: the refusal takes its turn
            self.cycle = self.pipeline[0][0] if self.pipeline else self._running  # type: ignore[assignment]
        elif in_body:
            answer = None if self.cycle.response_started else refusal
            self._disconnect(self.cycle)
        if self._answering():
            self._pending = answer
            self._timer.set(self._limits.keep_alive)
        else:
            self._close_with(answer)

    def _close_with(self, refusal: Refusal | None) -> None:
        """Send the refusal, or nothing after an answer that was begun, and read on for a while so that it arrives.

        Closing with unread bytes in the socket would reset the connection and take the answer away (RFC 9112 §9.6).
        """
        if refusal is not None:
            self._write(refusal)
        self.flow.resume_reading()
        self.transport.write_eof()
        self._timer.set(self._limits.linger)

    def _write(self, refusal: Refusal) -> None:
        request_id = new_request_id()
        _log.info("request %s refused: %s", request_id, refusal.code)
        self.transport.write(refusal_response(refusal, self.server_state.default_headers, request_id))

    @staticmethod
    def _disconnect(cycle: RequestResponseCycle | ShortCycle) -> None:
        if not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()

    # Deadlines

    def pause_writing(self) -> None:
        """Note that the client has stopped reading."""
        super().pause_writing()
        self._stalled, self._unsent = True, math.inf
        self._timer.set(self._limits.write_stall)

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        self._stalled = False

    def _on_deadline(self) -> None:
        if self._stalled or self.transport.is_closing():
            self._expect_progress()
        elif (self._in_head or self._in_body) and not self.flow.read_paused:
            self._refuse(Refusal.TIMEOUT)
        elif self._answering():
            self._timer.set(self._limits.body_deadline)
        else:
            self.transport.close()
            self._timer.set(self._limits.linger)

    def _expect_progress(self) -> None:
        """Cut off a client that has taken nothing of its answer since the last look."""
        unsent, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        if self._unsent < unsent:
            self._timer.set(self._limits.write_stall)
        else:
            self.transport.abort()
