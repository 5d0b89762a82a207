"""Which requests are taken: what llhttp, the parser, lets through is looked at here before the application begins.

llhttp already refuses most of what smuggles requests: Content-Length beside Transfer-Encoding, two lengths, folded
fields, bare LF, NUL.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from consent_service.server.limits import ServerLimits
from consent_service.server.refusals import Refusal
from consent_service.server.shortcut import Shortcut, ShortCycle

_HOST, _LENGTH, _CODING = 1, 2, 4
_SHORT_BODY_BYTES = 16_384
"""What an application may be offered as a whole; a longer body is handed on as it comes."""
_FRAMING_BYTES = 4
"""Colon, space, CR and LF of a header field."""


class GuardedState(ServerState):
    """What all connections of a process share, and whether the process drains."""

    draining = False
    _heads: tuple[object, dict[int, bytes]] = (None, {})

    def head(self, status: int) -> bytes:
        """Give status line and default fields of an answer; uvicorn makes the fields anew every second."""
        of, heads = self._heads
        if of is not self.default_headers:
            heads = {}
            self._heads = (self.default_headers, heads)
        head = heads.get(status)
        if head is None:
            fields = b"".join([b"%b: %b\r\n" % field for field in self.default_headers])
            head = heads[status] = STATUS_LINE[status] + fields
        return head


class _Refused(Exception):
    """Stops the parser; the reason stands in the protocol."""


class StrictRequests(HttpToolsProtocol):
    """uvicorn's protocol with limits on what the parser reports; a request beyond them stops it."""

    server_state: GuardedState
    cycle: RequestResponseCycle | ShortCycle  # type: ignore[assignment]

    def __init__(
        self,
        config: Config,
        server_state: GuardedState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: ServerLimits,
        shortcut: Shortcut | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._shortcut = shortcut
        self._short: ShortCycle | None = None  # to be taken once the request is whole
        self._step = 0  # rises when a request begins and when its header ends
        self._in_head = self._in_body = False
        self._spread = False  # whether the header came in more than one piece
        self._seen = 0  # which of the fields below
        self._length = 0  # bytes of body that the header announces
        self._body_bytes = 0
        self._running: RequestResponseCycle | ShortCycle | None = (
            None  # `cycle` is the newest, which may still wait for its turn
        )
        self._reason: Refusal | None = None  # why the parser was stopped

    def on_message_begin(self) -> None:
        """Begin a request; its scope is made when it is known to need one."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._step += 1
        self._in_head = True
        self._spread = False
        self._seen = self._length = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field; a trailer field is dropped, it must not pass for a header field (RFC 9110 §6.5.1)."""
        if self._in_head:
            name = name.lower()
            if name in _CHECKS:
                _CHECKS[name](self, value)
            self.headers.append((name, value))

    def _on_host(self, value: bytes) -> None:
        if self._seen & _HOST:
            self._stop(Refusal.MALFORMED)
        self._seen |= _HOST

    def _on_length(self, value: bytes) -> None:
        length = int(value)  # llhttp has seen to it that it is one number of 64 bits
        if length > self._limits.max_body_bytes:
            self._stop(Refusal.BODY_TOO_LARGE)
        if length:
            self._seen |= _LENGTH
            self._length = length

    def _on_coding(self, value: bytes) -> None:
        self._seen |= _CODING
        if value.strip().lower() != b"chunked":
            self._stop(Refusal.UNKNOWN_CODING)

    def _on_expect(self, value: bytes) -> None:
        self.expect_100_continue = value.lower() == b"100-continue"

    def on_headers_complete(self) -> None:
        """Refuse what the header alone shows to be wrong; otherwise let the application begin."""
        if len(self.headers) > self._limits.max_headers or (self._spread and self._is_head_too_large()):
            self._stop(Refusal.HEADER_TOO_LARGE)
        version = self.parser.get_http_version()
        if version != "1.1":
            self._check_older(version)
        elif not self._seen & _HOST:
            self._stop(Refusal.MALFORMED)  # RFC 9112 §3.2
        upgrade = self.parser.should_upgrade()
        if upgrade and self._seen & (_LENGTH | _CODING):
            self._stop(Refusal.UPGRADE_WITH_BODY)  # llhttp would take the body for the other protocol
        if len(self.pipeline) >= self._limits.max_pipelined:
            self._stop(Refusal.PIPELINE_TOO_LONG)
        if self._shortcut is not None and version == "1.1" and not upgrade and self._is_plain():
            self.cycle = self._short = ShortCycle(self.parser.get_method(), self.url, self.headers)
        else:
            self._make_scope()
            super().on_headers_complete()
        self._step += 1
        self._in_head, self._in_body = False, True
        self._body_bytes = 0
        if not self.pipeline:
            self._running = self.cycle
        if upgrade or self.server_state.draining:
            self.cycle.keep_alive = False

    def _is_plain(self) -> bool:
        """Tell whether this is a GET or a small PUT, with none before it under way, on a connection that goes on."""
        before: RequestResponseCycle | ShortCycle | None = self.cycle
        method = self.parser.get_method()
        return (
            (method == b"PUT" or (method == b"GET" and not self._length))
            and self._length <= _SHORT_BODY_BYTES
            and not self._seen & _CODING
            and not self.expect_100_continue
            and (before is None or before.response_complete)
            and self.parser.should_keep_alive()
            and not self.server_state.draining
        )

    def _make_scope(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers

    def _is_head_too_large(self) -> bool:
        """Count; a header that came in one piece needs no counting, no piece is larger than a header may be."""
        fields = sum(len(name) + len(value) + _FRAMING_BYTES for name, value in self.headers)
        return len(self.url) + fields > self._limits.max_header_bytes

    def _check_older(self, version: str) -> None:
        if version != "1.0":
            self._stop(Refusal.VERSION_UNKNOWN)
        if self._seen & _CODING:
            self._stop(Refusal.MALFORMED)  # RFC 9112 §6.1

    def on_body(self, body: bytes) -> None:
        """Take a part of the body; one that nobody waits for any more is dropped."""
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.max_body_bytes:
            self._stop(Refusal.BODY_TOO_LARGE)
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        """End a request; one that may take the shortcut is whole now."""
        self._in_body = False
        cycle = self.cycle
        if isinstance(cycle, ShortCycle) and cycle is self._short:
            self._short = None
            self._take_shortcut(cycle)
            return
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    def _take_shortcut(self, cycle: ShortCycle) -> None:
        raise NotImplementedError

    def _stop(self, reason: Refusal) -> None:
        self._reason = reason
        raise _Refused


_CHECKS: Mapping[bytes, Callable[[StrictRequests, bytes], None]] = {
    b"host": StrictRequests._on_host,  # noqa: SLF001 - this class's own
    b"content-length": StrictRequests._on_length,  # noqa: SLF001 - the same
    b"transfer-encoding": StrictRequests._on_coding,  # noqa: SLF001 - the same
    b"expect": StrictRequests._on_expect,  # noqa: SLF001 - the same
}
"""Fields that are looked at here; all others pass as they came."""
