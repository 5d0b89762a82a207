"""The two hot calls that carry a body, as raw ASGI in front of the framework: decisions in a batch, and consents.

As on the fast path of reads: what is out of the ordinary is handed on with its body, unchanged, so the framework alone
says what is wrong with a request. Schemas, use cases and answers are the framework's own; only its routing and
dependency solving are left out. One suite of tests runs over both ways in.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter, time_ns

from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consent_service.api.answers import PRIVATE, written_fields
from consent_service.api.decisions import answer_decisions
from consent_service.api.deps import read_client_key
from consent_service.api.fastpath import DECIDING, key_of, query_region
from consent_service.api.log_line import write_line
from consent_service.api.problems import error_response, log_error
from consent_service.api.request_counts import RequestCounts
from consent_service.api.schemas.consent import ConsentSubmission
from consent_service.api.schemas.decisions import DecisionRequests
from consent_service.api.services import Services
from consent_service.api.strict_json import strict_json
from consent_service.api.strict_route import BODY_BYTES, LARGE_BODY_BYTES
from consent_service.api.tracing import Trace
from consent_service.domain.errors import ConsentError
from consent_service.domain.signal_adapters.registry import ADAPTED
from consent_service.domain.signals import NO_SIGNALS, Signals, parse_signals
from consent_service.domain.transitions import choices
from consent_service.domain.vocabulary import Method
from consent_service.domain.vocabulary import Scope as KeyScope
from consent_service.ports import ApiKey, NewId
from consent_service.service.asking import Asking, ClientKey

_BATCH_ROUTE, _CONSENT_ROUTE = "/v1/decisions", "/v1/visitors/{visitor_id}/consent"
_CONSENT = re.compile(r"/v1/visitors/([A-Za-z0-9_-]{22})/consent")
_MANAGING = frozenset({KeyScope.MANAGE})


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that the hot way may answer, before its body has been read."""

    services: Services
    key: ApiKey
    path: str
    region: str | None
    signals: Signals
    idempotency_key: str | None


@dataclass(frozen=True, slots=True)
class _Wire:
    """An answer as it is sent, but for the fields that every answer bears."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes


_Answer = Callable[[_Call, bytes], Awaitable[_Wire | None]]


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
            if scope["method"] == "POST" and scope["path"] == "/v1/decisions":
                await self._serve(_batch, _BATCH_ROUTE, scope, receive, send)
                return
            if scope["method"] == "PUT" and _CONSENT.fullmatch(scope["path"]):
                await self._serve(_write, _CONSENT_ROUTE, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _serve(self, answer: _Answer, route: str, scope: Scope, receive: Receive, send: Send) -> None:
        began, started = perf_counter(), time_ns() if self._trace else 0
        call = _read(scope, *((_MANAGING, BODY_BYTES) if answer is _write else (DECIDING, LARGE_BODY_BYTES)))
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


def _read(scope: Scope, scopes: frozenset[KeyScope], most: int) -> _Call | None:
    """Read the head of a request; None where the ordinary way must look, or refuse."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in ADAPTED:
            return None
        if name in _FIELDS:
            if name in found:
                return None
            found[name] = value
    length = found.get(b"content-length", b"")
    services: Services = scope["state"]["services"]
    key = key_of(services, found.get(b"authorization"), scopes)
    where = query_region(scope["query_string"], services)
    if key is None or where is None or b"if-match" in found or found.get(b"content-type") != b"application/json":
        return None
    if not length.isdigit() or len(length) > len(str(most)) or int(length) > most:
        return None
    dnt, gpc = found.get(b"dnt"), found.get(b"sec-gpc")
    signals = NO_SIGNALS if dnt is None and gpc is None else parse_signals(_texts(dnt), _texts(gpc))
    given = found.get(b"idempotency-key")
    return _Call(
        services, key, scope["path"], where.region, signals, None if given is None else given.decode("latin-1")
    )


_FIELDS = frozenset(
    {
        b"authorization", b"content-length", b"content-type", b"dnt", b"sec-gpc", b"idempotency-key", b"if-match",
        b"transfer-encoding",
    }
)  # fmt: skip


def _texts(value: bytes | None) -> list[str]:
    return [] if value is None else [value.decode("latin-1")]


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


async def _batch(call: _Call, body: bytes) -> _Wire | None:
    try:
        asked = DecisionRequests.model_validate(strict_json(body))
    except (ConsentError, ValidationError):
        return None  # one visitor, or nothing that can be answered: the framework says which
    site = call.services.sites.get(call.key.site)
    asking = Asking(site, None, call.signals, region=call.region)
    return _wire(await answer_decisions(call.services, site, asked, asking))


@dataclass(frozen=True, slots=True)
class _Said:
    """What the body of a write says."""

    policy_version: str
    submission: choices.Submission
    signals: Signals
    method: Method
    locale: str | None
    refuses: bool


def _said(body: bytes) -> _Said:
    """Read the body of a write; raises ConsentError and ValidationError."""
    asked = ConsentSubmission.model_validate(strict_json(body))
    return _Said(
        asked.policy_version, asked.submission(), asked.signals, asked.how, asked.locale, refuses=asked.refuses
    )


_SHORT = 1_024
"""Bytes of a body that is worth remembering: banners send few different ones, all of them shorter."""
_said_before = lru_cache(4_096)(_said)
"""Equal bytes say the same, and are read once. A body names no visitor."""


async def _write(call: _Call, body: bytes) -> _Wire | None:
    services = call.services
    try:
        said = _said_before(body) if len(body) <= _SHORT else _said(body)
        client_key = _client_key(call, body)
    except (ConsentError, ValidationError):
        return None
    site = services.sites.get(call.key.site)
    version = site.current(services.clock())
    if said.policy_version != version.policy.version:
        return None
    asking = Asking(
        site=site,
        visitor_id=call.path[13:35],
        signals=call.signals.joined(said.signals) if said.signals != NO_SIGNALS else call.signals,
        region=call.region,
        method=said.method,
        locale=said.locale,
        client_key=client_key,
    )
    submission = said.submission
    answer = await services.consents.change(
        asking, version, lambda record, _, ctx: choices.submit(record, submission, ctx), refuses=said.refuses
    )
    return _Wire(answer.reply.status, [*_WRITTEN, *written_fields(answer)], answer.reply.body)


_WRITTEN = [(b"content-type", b"application/json")]
_WRITTEN += [(name.lower().encode(), value.encode()) for name, value in PRIVATE.items()]


def _client_key(call: _Call, body: bytes) -> ClientKey | None:
    if call.idempotency_key is None:
        return None
    return read_client_key(call.idempotency_key, "PUT", call.path, body)
