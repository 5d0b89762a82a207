"""Answers of a batch as they are sent: what follows from equal facts is decided and written out once.

As on the hot path of single decisions this is a memory of the rules: the rows are read from the database for every
request, and moments count by whether they have passed. Only the visitor's id and the seconds that are left of its own
choices are put into what is remembered. Requests that show a signal go the way of `Decisions`, and so does every answer
without the store. tests/service/test_batch_answers.py shows that both ways agree.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

import orjson

from consent_service.domain.decision import Situation, channel_of, decide_category, situate
from consent_service.domain.moments import to_micros
from consent_service.domain.record_text import StoredVisitor, ends, passed, read_visitor
from consent_service.domain.signals import NO_SIGNALS
from consent_service.domain.verdicts import Term, Verdicts
from consent_service.domain.vocabulary import Category, Channel
from consent_service.measures import Count
from consent_service.ports import Clock, VisitorReader
from consent_service.service.decision_tally import DecisionTally
from consent_service.service.memory import RuleMemory, facts_of
from consent_service.service.presenting import decision_item
from consent_service.service.sites import Site, Version

REMEMBERED_BYTES = 12 * 1024 * 1024
"""What remembered answers may take; beyond it the memory starts anew."""
_KNOWN = 500
"""Kinds of rows of which more is known than their answers; each takes several kilobytes."""
_OVERHEAD = 1_500
"""Bytes of a remembered answer beside its text, about."""
_SECOND = 1_000_000
_CENTURIES = 10**10
"""Seconds of a `max_age` so long that it may reach the end of the calendar; then the very moment counts."""
_OPEN = {"max_age": -1}
"""Stands where the visitor's own seconds will."""


class Asked(NamedTuple):
    """What is asked about a visitor, whoever it is."""

    region: str | None
    trackers: tuple[str, ...]
    categories: tuple[Category, ...]


class Batch(NamedTuple):
    """What is asked about whom, by somebody who shows no signal."""

    several: bool
    """Whether a list of results is expected, or the one answer."""
    questions: Sequence[tuple[str | None, Asked]]


class _Known(NamedTuple):
    """What follows from a visitor's facts, whatever is asked."""

    situation: Situation
    verdicts: Verdicts
    places: Mapping[tuple[Channel, Category], int]
    """Which of the row's moments ends each choice."""


@dataclass(frozen=True, slots=True)
class _Written:
    """An answer but for the visitor's own seconds, which stand in it as `%d`."""

    text: bytes
    ends: tuple[tuple[int, ...], ...]
    """Which of the row's moments bound some `max_age`: nearly always one, the end of the choices made together."""
    ages: tuple[tuple[int, int], ...]
    """For each `%d` the most that it may be, and by which of `ends` it is bound."""
    longest: int
    """The most that any `max_age` in it may be."""
    counters: tuple[tuple[Count, int], ...]

    def given_to(self, times: str, now: int) -> bytes:
        """Put in what is left of the choices of a visitor with these moments."""
        if not self.ages:
            return self.text
        moments = times[1:-1].split(",")
        left = [(min([int(moments[place]) for place in places]) - now) // _SECOND for places in self.ends]
        return self.text % tuple([min(most, left[end]) for most, end in self.ages])


class BatchAnswers:
    """The use case."""

    def __init__(self, visitors: VisitorReader, tally: DecisionTally, clock: Clock) -> None:
        """Read visitors' rows; count what is answered in `tally`."""
        self._visitors = visitors
        self._tally = tally
        self._clock = clock
        self._known = RuleMemory[_Known](_KNOWN)
        self._memory = RuleMemory[_Written](REMEMBERED_BYTES, lambda written: 2 * len(written.text) + _OVERHEAD)

    async def answer(self, site: Site, batch: Batch) -> bytes:
        """Give the body of the answer; raises StoreUnavailable."""
        wanted = [visitor_id for visitor_id, _ in batch.questions if visitor_id is not None]
        found = await self._visitors.get_many(site.slug, wanted)
        now = self._clock()
        version, micros = site.current(now), to_micros(now)
        today = now.date()  # how long a month is depends on the day
        results: list[bytes] = []
        for visitor_id, asked in batch.questions:
            stored = None if visitor_id is None else found.get(visitor_id)
            key: Hashable = None
            if stored is None:
                key = (asked, today)
            elif stored.account is None:  # the moments of an account are not part of the row
                key = (asked, today, stored.facts, passed(stored.times, now))
            write = partial(self._write, version, asked, stored, now)
            written = self._memory.recall(version, key, write)
            if written.longest >= _CENTURIES:
                written = write()
            for count, times in written.counters:
                count.times += times
            text = written.given_to("" if stored is None else stored.times, micros)
            if not batch.several:
                return b"{%b" % text
            results.append(b'{"visitor_id":%b,%b' % (_quoted(visitor_id), text))
        return b'{"results":[%b]}' % b",".join(results)

    def _write(self, version: Version, asked: Asked, stored: StoredVisitor | None, now: datetime) -> _Written:
        facts = facts_of(stored, NO_SIGNALS, asked.region, now)

        def know() -> _Known:
            # The id is put into each answer; a record is read under any.
            record = None if stored is None else read_visitor(version.stored.site, "", stored)
            situation = situate(version.rules, record, NO_SIGNALS, asked.region, now)
            return _Known(situation, Verdicts(situation), ends(stored.facts) if stored and facts else {})

        situation, verdicts, places = self._known.recall(version, facts, know)
        # Without facts nothing is remembered, so nothing is left open.
        terms = [verdicts.term(name, now) if facts else Term(verdicts.decide(name)) for name in asked.trackers]
        terms += [Term(decide_category(situation, category)) for category in asked.categories]
        return _written(terms, places, self._tally)


def _written(terms: Sequence[Term], places: Mapping[tuple[Channel, Category], int], tally: DecisionTally) -> _Written:
    found: dict[tuple[int, ...], int] = {}
    open_ages: list[tuple[int, int]] = []
    for decision, granted in terms:
        if granted and decision.max_age is not None:
            own = tuple(sorted({places[channel_of(tracker), tracker.category] for tracker in granted}))
            open_ages.append((decision.max_age, found.setdefault(own, len(found))))
    items = [decision_item(decision) | (_OPEN if granted else {}) for decision, granted in terms]
    text = orjson.dumps({"decisions": items})[1:]
    if open_ages:
        # A quotation mark inside a text would bear a backslash, so this is found in no tracker's name.
        text = text.replace(b"%", b"%%").replace(b'"max_age":-1}', b'"max_age":%d}')
    decisions = [term.decision for term in terms]
    longest = max([decision.max_age or 0 for decision in decisions])
    return _Written(text, tuple(found), tuple(open_ages), longest, tally.counters(decisions))


def _quoted(visitor_id: str | None) -> bytes:
    return b"null" if visitor_id is None else b'"%b"' % visitor_id.encode()
