"""Synthetic visitors for trying the service at size, written by the real transitions.

A few hundred ways to answer a banner are carried out once for a stand-in visitor; what they wrote becomes a form that
is filled in for each visitor. So every record and every event is what the transitions make of it, and a million
visitors cost a million fillings instead of three million transitions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_service.domain.counts import Tally, count
from consent_service.domain.evidence.event_text import kind_text
from consent_service.domain.moments import to_micros
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import StoredVisitor, encode_record
from consent_service.domain.signals import NO_SIGNALS, Signals
from consent_service.domain.transitions import choices
from consent_service.domain.transitions.choices import Submission
from consent_service.domain.transitions.context import Context, Transition
from consent_service.domain.vocabulary import CATEGORIES, Action, Category, Dnt, Method
from consent_service.ports import BulkEvent, BulkVisitor
from consent_service.service.sites import Version

EVENTS = 3
"""Events of each visitor: an answer, another one or a signal, and a last one."""
_REGIONS = ("FR", "DE", "US-CA", "GB", None)
_LOCALES = ("en", "de", "fr", "es", "zh-Hans")

Step = Callable[[ConsentRecord, Context], Transition]
Text = tuple[str, ...]
Commit = Callable[[Text, str, int, str, str], tuple[bytes, bytes, bytes]]
"""From an event's text, id, microseconds, receipt and visitor to its salt, its commitment and its stored form."""


@dataclass(frozen=True, slots=True)
class History:
    """What became of one way to answer: the record, and each event's canonical JSON around what is its own."""

    record: StoredVisitor
    texts: tuple[Text, ...]
    counts: Tally
    """What one such visitor adds to the counters of reports."""


def histories(version: Version, now: datetime, count: int) -> list[History]:
    """Carry out `count` different ways to answer; their events are a microsecond apart, the last one at `now`."""
    return [_history(version, now, number) for number in range(count)]


def _history(version: Version, now: datetime, number: int) -> History:
    region, locale = _REGIONS[number % len(_REGIONS)], _LOCALES[number % len(_LOCALES)]
    record = ConsentRecord(version.policy.site, "", created_at=moment(now, 0), updated_at=moment(now, 0))
    texts: list[Text] = []
    counts: Tally = {}
    for place, step in enumerate(_steps(number)):
        seen = (
            Signals(Dnt.DO_NOT_TRACK if number % 7 == 0 else None, gpc=number % 11 == 0) if place == 1 else NO_SIGNALS
        )
        ctx = Context(
            rules=version.rules,
            policy_sha256=version.stored.sha256,
            now=moment(now, place),
            new_id=str,  # the ids are put in later
            region=region,
            signals=seen,
            method=Method.BANNER if place == 0 else Method.PREFERENCES,
            locale=locale,
        )
        transition = step(record, ctx)
        for event in transition.events:
            count(counts, record if place else None, event)
        record = transition.record
        texts += [text for text in map(kind_text, transition.events) if text is not None]
    return History(encode_record(record), tuple(texts), counts)


def moment(now: datetime, place: int) -> datetime:
    """Give the moment of a visitor's event by its place among the three."""
    return now - timedelta(microseconds=EVENTS - 1 - place)


def _steps(number: int) -> tuple[Step, Step, Step]:
    last: Step = choices.withdraw if number % 5 == 0 else _custom(number * 37)
    return _first(number), _custom(number), last


def _first(number: int) -> Step:
    action = (Action.ACCEPT_ALL, Action.REJECT_ALL, Action.ACCEPT_ALL, Action.DISMISS)[number % 4]
    return lambda record, ctx: choices.submit(record, Submission(action), ctx)


def _custom(number: int) -> Step:
    answer = {c: bool(number >> place & 1) or c is Category.STRICTLY_NECESSARY for place, c in enumerate(CATEGORIES)}
    return lambda record, ctx: choices.submit(record, Submission(Action.CUSTOM, answer), ctx)


def fill(
    found: Sequence[History],
    now: datetime,
    visitor_ids: Sequence[str],
    new_id: Callable[[], str],
    pseudonym: Callable[[str], bytes],
    commit: Commit,
) -> tuple[list[BulkVisitor], list[BulkEvent], Tally]:
    """Fill the texts in for these visitors; events come in the order of their moments, then what is counted of them."""
    visitors: list[BulkVisitor] = []
    events: list[list[BulkEvent]] = [[] for _ in range(EVENTS)]
    times = [to_micros(moment(now, place)) for place in range(EVENTS)]
    for number, visitor_id in enumerate(visitor_ids):
        history = found[number % len(found)]
        stands_for = pseudonym(visitor_id)
        visitors.append((visitor_id, history.record.revision, history.record.facts, history.record.times))
        for place, text in enumerate(history.texts):
            committed = commit(text, new_id(), times[place], new_id(), visitor_id)
            events[place].append((times[place], stands_for, visitor_id, *committed))
    return visitors, [event for of_place in events for event in of_place], _counts(found, len(visitor_ids))


def _counts(found: Sequence[History], visitors: int) -> Tally:
    """Add up what the visitors count for: each history as often as it was filled in."""
    sums: Tally = {}
    for number, history in enumerate(found):
        times = len(range(number, visitors, len(found)))
        for key, counts in history.counts.items() if times else ():
            before = sums.get(key, [0] * len(counts))
            sums[key] = [have + times * one for have, one in zip(before, counts, strict=True)]
    return sums
