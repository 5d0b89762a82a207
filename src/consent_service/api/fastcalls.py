"""The two hot calls that carry a body, as raw ASGI in front of the framework: decisions in a batch, and consents.

As on the fast path of reads: what is out of the ordinary is handed on with its body, unchanged, so the framework alone
says what is wrong with a request. Schemas, use cases and answers are the framework's own; only its routing and
dependency solving are left out. One suite of tests runs over both ways in.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter, time_ns

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consent_service.api.answers import PRIVATE
from consent_service.api.batch_bodies import read_asked, read_whole
from consent_service.api.decisions import answer_decisions, answer_without_store
from consent_service.api.fastwrites import PATH, ROUTE, own_fields, prepare
from consent_service.api.hot_requests import DECIDING, Call, read_call
from consent_service.api.log_line import write_line
from consent_service.api.problems import error_response, log_error
from consent_service.api.request_counts import RequestCounts
from consent_service.api.services import Services
from consent_service.api.strict_route import BODY_BYTES, LARGE_BODY_BYTES
from consent_service.api.tracing import Trace
from consent_service.domain.errors import ConsentError, StoreUnavailable
from consent_service.domain.signals import NO_SIGNALS
from consent_service.domain.vocabulary import Scope as KeyScope
from consent_service.ports import NewId
from consent_service.service.asking import Asking

_BATCH_ROUTE = "/v1/decisions"
_MANAGING = frozenset({KeyScope.MANAGE})


@dataclass(frozen=True, slots=True)
class _Wire:
    """An answer as it is sent, but for the fields that every answer bears."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes


_Answer = Callable[[Call, bytes], Awaitable[_Wire | None]]


class FastCalls:
    """Answers the hot calls with a body; everything else goes to the application behind it."""

    def __init__(
        self,
        app: ASGIApp,
        new_id: NewId,
        headers: tuple[tuple[str, str], ...],
        requests: RequestCounts,
        trace: Trace | None = None,
    ) -> None:
        """Stand before `app`; `headers` are those that every answer of the service bears."""
        self._app = app
        self._new_id = new_id
        self._headers = [(name.encode(), value.encode()) for name, value in headers]
        self._requests = requests
        self._trace = trace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            if scope["method"] == "POST" and scope["path"] == "/v1/decisions" and not scope["query_string"]:
                await self._serve(_batch, _BATCH_ROUTE, scope, receive, send)
                return
            if scope["method"] == "PUT" and PATH.fullmatch(scope["path"]):
                await self._serve(_write, ROUTE, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _serve(self, answer: _Answer, route: str, scope: Scope, receive: Receive, send: Send) -> None:
        began, started = perf_counter(), time_ns() if self._trace else 0
        scopes, most = (_MANAGING, BODY_BYTES) if answer is _write else (DECIDING, LARGE_BODY_BYTES)
        services: Services = scope["state"]["services"]
        call = read_call(services, scope["headers"], scope["path"], scope["query_string"], scopes, most)
        if call is None:
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        if body is None:
            return
        request_id = self._new_id()
        try:
            response = await answer(call, body)
        except ConsentError as error:
            log_error(request_id, error)
            response = _wire(error_response(request_id, error))
        if response is None:
            await self._app(scope, _again(body, receive), send)
            return
        await self._send(send, response, request_id)
        seconds = perf_counter() - began
        self._requests.took(route, scope["method"], response.status, seconds)
        write_line(scope["method"], route, request_id, response.status, seconds)
        if self._trace:
            self._trace(scope, route, started)

    async def _send(self, send: Send, response: _Wire, request_id: str) -> None:
        headers = response.fields
        given = {name for name, _ in headers}
        headers += [field for field in self._headers if field[0] not in given]
        headers.append((b"x-request-id", request_id.encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})


def _wire(response: Response) -> _Wire:
    return _Wire(response.status_code, response.raw_headers, bytes(response.body))


async def _read_body(receive: Receive) -> bytes | None:
    """Read the body; None where the client has gone."""
    message = await receive()
    pieces = [message.get("body", b"")]
    while message["type"] == "http.request" and message.get("more_body"):
        message = await receive()
        pieces.append(message.get("body", b""))
    return b"".join(pieces) if message["type"] == "http.request" else None


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read once more, then what comes after it."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return whole.pop() if whole else await receive()

    return give


async def _batch(call: Call, body: bytes) -> _Wire | None:
    services, site = call.services, call.services.sites.get(call.key.site)
    seen = Asking(site, None, call.signals)
    asked = read_asked(body) if call.signals == NO_SIGNALS else None
    if asked is None:
        whole = read_whole(body)
        return None if whole is None else _wire(await answer_decisions(services, site, whole, seen))
    try:
        answer = await services.batches.answer(site, asked)
    except StoreUnavailable:
        whole = read_whole(body)
        return None if whole is None else _wire(answer_without_store(services, site, whole, seen))
    return _Wire(200, [*_WRITTEN, (b"content-length", b"%d" % len(answer))], answer)


async def _write(call: Call, body: bytes) -> _Wire | None:
    prepared = prepare(call, body)
    if prepared is None:
        return None
    write, change = prepared
    committed = await call.services.consents.submit(change)
    if committed.replayed:  # the framework says so
        return None
    return _Wire(committed.reply.status, [*_WRITTEN, *own_fields(write, committed)], committed.reply.body)


_WRITTEN = [(b"content-type", b"application/json")]
_WRITTEN += [(name.lower().encode(), value.encode()) for name, value in PRIVATE.items()]
