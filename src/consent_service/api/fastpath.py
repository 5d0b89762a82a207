"""The hot path: `GET /v1/visitors/{visitor_id}/decisions` as raw ASGI in front of the framework.

It answers what can be answered at once and hands everything else on, unchanged: any request that is out of the
ordinary, is refused, or brings a signal that must be stored first. Both ways in give the same bytes; one suite of
tests runs over both.

What follows from a visitor's row is remembered by the row's own text, so equal rows are decided once. That is a memory
of the rules: the row is read from the database for every request, and moments count by whether they have passed.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, perf_counter, time_ns

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from consent_service.api.answers import PRIVATE
from consent_service.api.log_line import log, write_line
from consent_service.api.request_counts import RequestCounts
from consent_service.api.services import Services
from consent_service.api.tracing import Trace
from consent_service.domain.decision import Situation, situate
from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.moments import to_micros
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import StoredVisitor, read_visitor
from consent_service.domain.regions import parse_region
from consent_service.domain.signal_adapters.registry import ADAPTED
from consent_service.domain.signals import NO_SIGNALS, Signals, parse_signals
from consent_service.domain.state import consent_state
from consent_service.domain.transitions.signals import news
from consent_service.domain.vocabulary import Scope as KeyScope
from consent_service.measures import Count
from consent_service.ports import ApiKey, NewId
from consent_service.service.decision_tally import DecisionTally
from consent_service.service.decisions import degrade
from consent_service.service.presenting import decisions_body
from consent_service.service.sites import Version

ROUTE = "/v1/visitors/{visitor_id}/decisions"
_PATH = re.compile(r"/v1/visitors/([A-Za-z0-9_-]{22})/decisions")
_QUERY = re.compile(rb"(?:region=([A-Za-z]{2}(?:-[A-Za-z0-9]{1,3})?))?")
_BEARER = re.compile(rb"[Bb]earer +([A-Za-z0-9._~+/=-]{1,200})")
_DECIDING = frozenset({KeyScope.DECIDE, KeyScope.MANAGE})
_REMEMBERED = 20_000
"""Entries of one policy version's memory; beyond them it starts anew."""
_LINE_SECONDS = 1.0

_Key = tuple[str | None, tuple[bool, ...], Signals, str | None]


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
        self._memory: dict[_Key, _Remembered | None] = {}
        self._memory_of: Version | None = None
        self._line = _Line()
        self._log_each = log_each
        self._trace = trace
        self._answered = requests.counter(ROUTE, "GET", 200)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
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
        self._answered.times += 1
        if self._log_each:
            write_line("GET", ROUTE, request_id, 200, perf_counter() - begun)
        else:
            self._line.count()
        if self._trace:
            self._trace(scope, ROUTE, started)

    async def _answer(self, scope: Scope) -> bytes | None:
        """Give the body, or None where the ordinary way must answer."""
        path = _PATH.fullmatch(scope["path"])
        query = _QUERY.fullmatch(scope["query_string"])
        if path is None or query is None:
            return None
        services: Services = scope["state"]["services"]
        if query[1] is None and services.http.region_header:
            return None
        asked = _read_headers(scope, services)
        if asked is None:
            return None
        key, signals = asked
        now = services.clock()
        version = services.sites.get(key.site).current(now)
        question = _Question(version, signals, parse_region(query[1].decode()) if query[1] else None, now)
        visitor_id = path[1]
        try:
            stored = await services.store.visitors.get(key.site, visitor_id)
        except StoreUnavailable:
            state = degrade(consent_state(question.situation(None)))
            services.decisions.tally.count(state.decisions, degraded=True)
            return orjson.dumps(decisions_body(visitor_id, state, degraded=True))
        found = self._find(question, stored, services.decisions.tally)
        if found is None:
            return None
        found.given.times += 1
        return b'{"visitor_id":"%b",%b' % (visitor_id.encode(), found.rest)

    def _find(self, question: "_Question", stored: StoredVisitor | None, tally: DecisionTally) -> "_Remembered | None":
        """Give what follows from a row; None where a signal must be stored first."""
        if stored is not None and stored.account is not None:
            return _decide(question, stored, tally)  # an account's moments are not part of the key
        if question.version is not self._memory_of or len(self._memory) >= _REMEMBERED:
            self._memory = {}
            self._memory_of = question.version
        facts, passed = (None, ()) if stored is None else (stored.facts, _passed(stored.times, question.now))
        key = (facts, passed, question.signals, question.region)
        try:
            return self._memory[key]
        except KeyError:
            found = self._memory[key] = _decide(question, stored, tally)
            return found


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What follows from a row, whoever's it is."""

    rest: bytes
    """The body behind the visitor's id."""
    given: Count


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, whoever the visitor is."""

    version: Version
    signals: Signals
    region: str | None
    now: datetime

    def situation(self, record: ConsentRecord | None) -> Situation:
        return situate(self.version.rules, record, self.signals, self.region, self.now)


class _Line:
    """Counts answers and writes one log line a second for all of them: one for each would cost more than the answer."""

    def __init__(self) -> None:
        self._count = 0
        self._since = monotonic()

    def count(self) -> None:
        self._count += 1
        now = monotonic()
        if now - self._since >= _LINE_SECONDS:
            line = {
                "method": "GET",
                "route": ROUTE,
                "status": 200,
                "count": self._count,
            }
            log.info("%s", orjson.dumps(line).decode())
            self._count, self._since = 0, now


def _decide(question: _Question, stored: StoredVisitor | None, tally: DecisionTally) -> _Remembered | None:
    site = question.version.policy.site
    # The id stands before what is remembered and is put in for each answer; a record is read under any.
    record = None if stored is None else read_visitor(site, "", stored)
    if record is not None and news(record, question.signals):
        return None
    state = consent_state(question.situation(record))
    body = decisions_body("", state, degraded=False)
    del body["visitor_id"]
    return _Remembered(orjson.dumps(body)[1:], tally.repeated(state.decisions))


def _read_headers(scope: Scope, services: Services) -> tuple[ApiKey, Signals] | None:
    """Read the key and the signals in one pass; None where the ordinary way must look, or refuse."""
    authorization: list[bytes] = []
    dnt: list[str] = []
    gpc: list[str] = []
    for name, value in scope["headers"]:
        if name == b"authorization":
            authorization.append(value)
        elif name == b"dnt":
            dnt.append(value.decode("latin-1"))
        elif name == b"sec-gpc":
            gpc.append(value.decode("latin-1"))
        elif name in ADAPTED:
            return None
    bearer = _BEARER.fullmatch(authorization[0]) if len(authorization) == 1 else None
    key = services.sites.key_known(bearer[1].decode()) if bearer else None
    if key is None or not key.scopes & _DECIDING or services.limits.counts_keys:
        return None
    return key, parse_signals(dnt, gpc) if dnt or gpc else NO_SIGNALS


def _passed(times: str, now: datetime) -> tuple[bool, ...]:
    """Tell which of a row's moments have passed: the earliest to ask again, and each end of a group of choices."""
    micros = to_micros(now)
    return tuple([int(moment) <= micros for moment in times[1:-1].split(",")[2::2]])
