"""The hot write: `PUT /v1/visitors/{visitor_id}/consent`, past the framework's routing and dependency solving.

Like the hot path of reads it has two entrances, ASGI and a call that our own server offers (`server/shortcut.py`), and
hands everything out of the ordinary on, unchanged: the framework alone says what is wrong with a request.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from time import perf_counter
from typing import Any

from pydantic import ValidationError
from starlette.responses import Response

from consent_service.api.answers import PRIVATE
from consent_service.api.deps import read_client_key
from consent_service.api.hot_requests import Answer, Call, Field, Whole, read_call
from consent_service.api.log_line import LinesOfAStep
from consent_service.api.problems import error_response
from consent_service.api.request_counts import RequestCounts
from consent_service.api.schemas.consent import ConsentSubmission
from consent_service.api.services import Services
from consent_service.api.strict_json import strict_json
from consent_service.api.strict_route import BODY_BYTES
from consent_service.domain.errors import ConsentError, StoreUnavailable
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.signals import NO_SIGNALS, Signals
from consent_service.domain.transitions import choices
from consent_service.domain.transitions.context import Context, Transition
from consent_service.domain.vocabulary import Method, Scope
from consent_service.ports import Change, Committed, NewId
from consent_service.service.asking import Asking, ClientKey
from consent_service.service.writing import Write

_log = logging.getLogger(__name__)

ROUTE = "/v1/visitors/{visitor_id}/consent"
PATH = re.compile(r"/v1/visitors/([A-Za-z0-9_-]{22})/consent")
_MANAGING = frozenset({Scope.MANAGE})


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """What the body of a write says. Each is equal to itself alone: what follows from it is remembered by it."""

    policy_version: str
    submission: choices.Submission
    signals: Signals
    method: Method
    locale: str | None
    refuses: bool

    def move(self, record: ConsentRecord, _account: AccountState | None, ctx: Context) -> Transition:
        """Say it for a visitor."""
        return choices.submit(record, self.submission, ctx)


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


def prepare(call: Call, body: bytes) -> tuple[Write, Change] | None:
    """Read what is to be written; None where the ordinary way must look, or refuse."""
    services, path = call.services, PATH.fullmatch(call.path)
    try:
        said = _said_before(body) if len(body) <= _SHORT else _said(body)
        key = _client_key(call, body)
    except (ConsentError, ValidationError):
        return None
    site = services.sites.find(call.key.site)
    if site is None or path is None:
        return None
    version = site.current(services.clock())
    if said.policy_version != version.policy.version:
        return None
    signals = call.signals.joined(said.signals) if said.signals != NO_SIGNALS else call.signals
    asking = Asking(site, path[1], signals, region=call.region, method=said.method, locale=said.locale, client_key=key)
    write = services.consents.prepare(asking, version, path[1], said.move, said=said)
    return write, write.change(None, refuses=said.refuses)


def _client_key(call: Call, body: bytes) -> ClientKey | None:
    if call.idempotency_key is None:
        return None
    return read_client_key(call.idempotency_key, "PUT", call.path, body)


def own_fields(write: Write, committed: Committed) -> list[Field]:
    """Give the header fields that are a write's own."""
    revision = write.stored.revision if write.stored else 0
    fields = [(b"content-length", b"%d" % len(committed.reply.body)), (b"etag", b'"%d"' % revision)]
    return [*fields, (b"tk", b"U")] if write.changed(committed) else fields


class FastWrites:
    """Takes writes whole from our own server."""

    def __init__(self, new_id: NewId, headers: tuple[tuple[str, str], ...], requests: RequestCounts) -> None:
        """Bear `headers` on every answer."""
        self._new_id = new_id
        self._requests = requests
        self._lines = LinesOfAStep()
        self._common = {name.lower(): value for name, value in headers}
        self._head = _lines({**self._common, **PRIVATE, "content-type": "application/json"})

    def take(self, request: Whole, state: Mapping[str, Any], answer: Answer) -> bool:
        """Serve one request by a call, under our own server; False where the ordinary way must answer."""
        try:
            services: Services = state["services"]
            target, _, query = request.target.partition(b"?")
            call = read_call(services, request.headers, target.decode("latin-1"), query, _MANAGING, BODY_BYTES)
            prepared = None if call is None else prepare(call, bytes(request.body))
        except Exception:  # noqa: BLE001 - the ordinary way meets the same and knows how to say it
            _log.exception("the hot write failed")
            return False
        if prepared is None:
            return False
        write, change = prepared
        services.consents.ask(change, partial(self._told, write, answer, perf_counter()))
        return True

    def _told(self, write: Write, answer: Answer, began: float, outcome: object) -> None:
        request_id = self._new_id()
        status = 200
        if isinstance(outcome, Committed) and not outcome.replayed:
            own = b"".join([b"%b: %b\r\n" % field for field in own_fields(write, outcome)])
            answer(200, b"%b%bx-request-id: %b\r\n\r\n%b" % (self._head, own, request_id.encode(), outcome.reply.body))
        elif isinstance(outcome, StoreUnavailable):
            # Nobody can tell whether it was stored: it must not be written once more by another way.
            response = error_response(request_id, outcome)
            status = response.status_code
            answer(status, self._whole(response, request_id))
        else:  # a remembered answer, or a refusal: nothing was stored, and the ordinary way comes to the same
            answer(0, None)
            return
        seconds = perf_counter() - began
        self._requests.took(ROUTE, "PUT", status, seconds)
        self._lines.write("PUT", ROUTE, request_id, status, seconds)

    def _whole(self, response: Response, request_id: str) -> bytes:
        fields = {**self._common, **response.headers, "x-request-id": request_id}
        return b"%b\r\n%b" % (_lines(fields), bytes(response.body))


def _lines(fields: Mapping[str, str]) -> bytes:
    named = {name.lower(): value for name, value in fields.items()}
    return b"".join([b"%b: %b\r\n" % (name.encode(), value.encode("latin-1")) for name, value in named.items()])
