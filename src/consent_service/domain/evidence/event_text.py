"""The payload of an event as canonical JSON, put together from what equal events share.

Events differ by their ids, their moment and the visitor, and by little else. So the text of a kind of event is written
once, by `canonical_json` itself, with gaps where these four stand.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.record import EVENT_TIME, ConsentEvent
from consent_service.domain.vocabulary import Category, Channel, Dnt, EventType, Method, Regime

_PLAIN = re.compile(r"[A-Za-z0-9_-]*")
"""Ids that JSON writes as they are."""
_GAP, _WRITTEN = "\x00", b"\\u0000"
_GAPS = 4
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def event_text(event: ConsentEvent) -> bytes:
    """Give the canonical JSON of an event's payload (RFC 8785)."""
    plain = _PLAIN.fullmatch(f"{event.event_id}{event.receipt_id}{event.visitor_id}")
    parts = kind_text(event) if plain and not event.details else None
    if parts is None:
        return canonical_json(event.payload())
    return fill(parts, event.event_id, event.event_time.strftime(EVENT_TIME), event.receipt_id, event.visitor_id)


def kind_text(event: ConsentEvent) -> tuple[str, ...] | None:
    """Give the text that this event shares with those of its kind, around id, moment, receipt and visitor."""
    if event.details:
        gaps = {"event_id": _GAP, "event_time": _GAP, "receipt_id": _GAP, "visitor_id": _GAP}
        return _cut(event.payload() | gaps)
    choices = None if event.choices is None else tuple(event.choices.items())
    return _shared(_Kind._make((*_shared_values(event), choices)))


def _cut(payload: dict[str, object]) -> tuple[str, ...] | None:
    parts = tuple(part.decode() for part in canonical_json(payload).split(_WRITTEN))
    return parts if len(parts) == _GAPS + 1 else None


def fill(text: tuple[str, ...], event_id: str, time: str, receipt_id: str, visitor_id: str) -> bytes:
    """Put an event's own values between the five parts of its text."""
    before_id, before_time, before_receipt, before_visitor, end = text
    filled = f"{before_id}{event_id}{before_time}{time}{before_receipt}{receipt_id}{before_visitor}{visitor_id}{end}"
    return filled.encode()


class _Kind(NamedTuple):
    """What equal events share, by the names that it has in an event."""

    event_type: EventType
    site: str
    channel: Channel
    method: Method
    policy_version: str
    policy_sha256: str
    locale: str | None
    region: str | None
    regime: Regime
    dnt: Dnt | None
    gpc: bool
    choices: tuple[tuple[Category, bool], ...] | None


_shared_values = attrgetter(*_Kind._fields[:-1])


@lru_cache(4_096)
def _shared(kind: _Kind) -> tuple[str, ...] | None:
    """Give the text around the gaps, in the canonical order of members; None where another text looks like a gap."""
    choices = None if kind.choices is None else dict(kind.choices)
    own = {"event_id": _GAP, "receipt_id": _GAP, "visitor_id": _GAP, "event_time": _ANY_TIME, "choices": choices}
    event = ConsentEvent(**{**kind._asdict(), **own})
    return _cut(event.payload() | {"event_time": _GAP})
