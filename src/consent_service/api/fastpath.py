"""The hot path: `GET /v1/visitors/{visitor_id}/decisions` as raw ASGI in front of the framework.

It answers what can be answered at once and hands everything else on, unchanged: any request that is out of the
ordinary, is refused, or brings a signal that must be stored first. It has two entrances: ASGI, and a call that our own
server offers (`server/shortcut.py`). All ways in give the same answer; one suite of tests runs over all of them.

What follows from a visitor's row is remembered by the row's own text, so equal rows are decided once. That is a memory
of the rules: the row is read from the database for every request, and moments count by whether they have passed.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import monotonic, perf_counter, time_ns
from typing import Any

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from consent_service.api.answers import PRIVATE
from consent_service.api.hot_requests import DECIDING, Answer, Field, Headers, Whole, key_of, read_region
from consent_service.api.log_line import log, write_line
from consent_service.api.request_counts import RequestCounts
from consent_service.api.services import Services
from consent_service.api.tracing import Trace
from consent_service.domain.decision import Situation, situate
from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import StoredVisitor, read_visitor
from consent_service.domain.signal_adapters.registry import ADAPTED
from consent_service.domain.signals import NO_SIGNALS, Signals, parse_signals
from consent_service.domain.state import consent_state
from consent_service.domain.transitions.signals import news
from consent_service.measures import Count
from consent_service.ports import NewId
from consent_service.service.decision_tally import DecisionTally
from consent_service.service.decisions import degrade
from consent_service.service.memory import RuleMemory, facts_of
from consent_service.service.presenting import decisions_body
from consent_service.service.sites import Version

_log = logging.getLogger(__name__)

ROUTE = "/v1/visitors/{visitor_id}/decisions"
_TARGET = re.compile(
    rb"/v1/visitors/([A-Za-z0-9_-]{22})/decisions(?:\?(?:region=([A-Za-z]{2}(?:-[A-Za-z0-9]{1,3})?))?)?"
)
_SIGNALS = frozenset({b"dnt", b"sec-gpc"})
_LINE_SECONDS = 1.0
_REMEMBERED_BYTES = 8 * 1024 * 1024
_OVERHEAD = 700
"""Bytes of a remembered answer beside its text, about."""


class FastDecisions:
    """Answers decisions about one visitor; everything else goes to the application behind it."""

    def __init__(
        self,
        app: ASGIApp,
        new_id: NewId,
        headers: tuple[tuple[str, str], ...],
        requests: RequestCounts,
        *,
        log_each: bool = False,
        trace: Trace | None = None,
    ) -> None:
        """Stand before `app`; `headers` are those that every answer of the service bears.

        `log_each` writes a line for each answer instead of one a second, `trace` a span for each.
        """
        self._app = app
        self._new_id = new_id
        common = {**dict(headers), **{name.lower(): value for name, value in PRIVATE.items()}}
        self._headers = [(name.encode(), value.encode()) for name, value in common.items()]
        self._headers.append((b"content-type", b"application/json"))
        self._head = b"".join([b"%b: %b\r\n" % field for field in self._headers])
        self._memory = RuleMemory[_Remembered | None](
            _REMEMBERED_BYTES, lambda found: _OVERHEAD + (len(found.rest) if found else 0)
        )
        self._line = _Line()
        self._log_each = log_each
        self._trace = trace
        self._answered = requests.counter(ROUTE, "GET", 200)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request the way of ASGI, under any server."""
        started = time_ns() if self._trace else 0
        begun = perf_counter() if self._log_each else 0.0
        body = await self._answer(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if body is None:
            await self._app(scope, receive, send)
            return
        request_id = self._new_id()
        headers = [
            *self._headers,
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self._count(request_id, begun)
        if self._trace:
            self._trace(scope, ROUTE, started)

    def take(self, request: "Whole", state: Mapping[str, Any], answer: Answer) -> bool:
        """Serve one request by a call, under our own server; False where the ordinary way must answer."""
        try:
            services: Services = state["services"]
            asked = _read(request.target, request.headers, services)
            if asked is None:
                return False
            begun = perf_counter() if self._log_each else 0.0
            told = partial(self._told, asked, services.decisions.tally, answer, begun)
            services.store.visitors.ask(asked.site, asked.visitor_id.decode(), told)
        except Exception:  # noqa: BLE001 - see the next line
            # The ordinary way meets the same and knows how to say it.
            _log.exception("the hot path failed")
            return False
        return True

    def _told(
        self,
        asked: "_Asked",
        tally: DecisionTally,
        answer: Answer,
        begun: float,
        stored: StoredVisitor | None,
        error: Exception | None,
    ) -> None:
        try:
            body = self._body(asked, tally, stored, degraded=error is not None)
        except Exception:  # noqa: BLE001 - the ordinary way answers, and logs what it meets
            _log.exception("the hot path failed")
            body = None
        if body is None:
            answer(0, None)
            return
        request_id = self._new_id()
        fields = (self._head, len(body), request_id.encode(), body)
        answer(200, b"%bcontent-length: %d\r\nx-request-id: %b\r\n\r\n%b" % fields)
        self._count(request_id, begun)

    def _count(self, request_id: str, begun: float) -> None:
        self._answered.times += 1
        if self._log_each:
            write_line("GET", ROUTE, request_id, 200, perf_counter() - begun)
        else:
            self._line.count()

    async def _answer(self, scope: Scope) -> bytes | None:
        """Give the body, or None where the ordinary way must answer."""
        query = scope["query_string"]
        target = scope["path"].encode()
        services: Services = scope["state"]["services"]
        asked = _read(target + b"?" + query if query else target, scope["headers"], services)
        if asked is None:
            return None
        try:
            stored = await services.store.visitors.get(asked.site, asked.visitor_id.decode())
        except StoreUnavailable:
            return self._body(asked, services.decisions.tally, None, degraded=True)
        return self._body(asked, services.decisions.tally, stored, degraded=False)

    def _body(
        self, asked: "_Asked", tally: DecisionTally, stored: StoredVisitor | None, *, degraded: bool
    ) -> bytes | None:
        """Give the body; None where a signal must be stored first."""
        if degraded:
            state = degrade(consent_state(asked.situation(None)))
            tally.count(state.decisions, degraded=True)
            return orjson.dumps(decisions_body(asked.visitor_id.decode(), state, degraded=True))
        key = facts_of(stored, asked.signals, asked.region, asked.now)
        found = self._memory.recall(asked.version, key, lambda: _decide(asked, stored, tally))
        if found is None:
            return None
        found.given.times += 1
        return b'{"visitor_id":"%b",%b' % (asked.visitor_id, found.rest)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What follows from a row, whoever's it is."""

    rest: bytes
    """The body behind the visitor's id."""
    given: Count


@dataclass(slots=True)
class _Asked:
    """What is asked about whom."""

    site: str
    visitor_id: bytes
    version: Version
    signals: Signals
    region: str | None
    now: datetime

    def situation(self, record: ConsentRecord | None) -> Situation:
        """Give the situation in which to decide."""
        return situate(self.version.rules, record, self.signals, self.region, self.now)


class _Line:
    """Counts answers and writes one log line a second for all of them: one for each would cost more than the answer."""

    def __init__(self) -> None:
        self._times = 0
        self._since = monotonic()

    def count(self) -> None:
        self._times += 1
        now = monotonic()
        if now - self._since >= _LINE_SECONDS:
            line = {"method": "GET", "route": ROUTE, "status": 200, "count": self._times}
            log.info("%s", orjson.dumps(line).decode())
            self._times, self._since = 0, now


def _decide(asked: _Asked, stored: StoredVisitor | None, tally: DecisionTally) -> _Remembered | None:
    # The id stands before what is remembered and is put in for each answer; a record is read under any.
    record = None if stored is None else read_visitor(asked.site, "", stored)
    if record is not None and news(record, asked.signals):
        return None
    state = consent_state(asked.situation(record))
    body = decisions_body("", state, degraded=False)
    del body["visitor_id"]
    return _Remembered(orjson.dumps(body)[1:], tally.repeated(state.decisions))


def _read(target: bytes, headers: Headers, services: Services) -> _Asked | None:
    """Read a request in one pass over its header; None where the ordinary way must look, or refuse."""
    path = _TARGET.fullmatch(target)
    if path is None or (path[2] is None and services.http.region_header):
        return None
    authorization: bytes | None = None
    signals: list[Field] = []
    for name, value in headers:
        if name == b"authorization":
            if authorization is not None:
                return None
            authorization = value
        elif name in _SIGNALS:
            signals.append((name, value))
        elif name in ADAPTED:
            return None
    key = key_of(services, authorization, DECIDING)
    site = None if key is None else services.sites.find(key.site)
    if site is None:
        return None
    now = services.clock()
    seen = _signals(signals) if signals else NO_SIGNALS
    return _Asked(site.slug, path[1], site.current(now), seen, read_region(path[2]), now)


def _signals(fields: list[Field]) -> Signals:
    dnt = [value.decode("latin-1") for name, value in fields if name == b"dnt"]
    return parse_signals(dnt, [value.decode("latin-1") for name, value in fields if name != b"dnt"])
