"""What an answer makes of every row that says the same: found once by the transition itself, then only filled in.

Two visitors whose rows have equal facts, who give the same answer in the same circumstances, end with equal facts and
with events that differ by ids and moments alone. So the transition is carried out for the first of them on a row whose
moments can be told apart; where each of them is found again afterwards tells how to fill in the others.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeVar

from consent_service.domain.counts import CountKey, Tally, count
from consent_service.domain.evidence.event_text import kind_text
from consent_service.domain.moments import to_micros
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import StoredVisitor, decode_record, encode_record, passed
from consent_service.domain.transitions.context import Context, Transition, status_changed
from consent_service.domain.vocabulary import EventType, Method

Move = Callable[[ConsentRecord, Context], Transition]
_Part = TypeVar("_Part", bound=Hashable)

_NEVER, _NOW, _END = -3, -2, -1
"""Places behind those of the row's own moments: none, the moment of the answer, and that at which it lapses."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What becomes of a row, but for what is one visitor's own."""

    facts: str
    moments: tuple[int, ...]
    """For each moment of the new row, where it comes from."""
    event_type: EventType
    text: tuple[str, ...]
    """The event's canonical JSON, around its id, moment, receipt and visitor."""
    counted: CountKey
    places: tuple[int, ...]
    changed: bool
    """Whether the tracking status differs from before."""

    def row(self, before: StoredVisitor, now: int, end: int) -> StoredVisitor:
        """Give the new row; moments are microseconds since 1970."""
        known = (*before.times[1:-1].split(","), "0", str(now), str(end))
        times = ",".join([known[place] for place in self.moments])
        return StoredVisitor(before.revision + 1, self.facts, f"[{times}]")


def outline(before: StoredVisitor, move: Move, site: str, ctx: Context) -> Outline | None:
    """Carry the move out and see what became of the row; None where an equal row might end otherwise.

    That is where an account has a part in it, where moments are compared with each other and not only with the
    present (CON-09, and imports, CON-20), and where more or less than one event comes of it.
    """
    if ctx.method is Method.IMPORT:
        return None
    marked = _marked(before, ctx.now)
    record = None if marked is None else decode_record(site, "", marked)
    if marked is None or record is None or record.opted_out or before.account is not None:
        return None
    transition = move(record, ctx)
    after = encode_record(transition.record)
    end = ctx.rules.policy.lifetime(ctx.region).after(ctx.now)
    moments = _origins(marked.times, after.times, to_micros(ctx.now), to_micros(end))
    if moments is None or len(transition.events) != 1 or after.revision != before.revision + 1 or after.account:
        return None
    (event,) = transition.events
    text = kind_text(event)
    tally: Tally = {}
    count(tally, record, event)
    if text is None or len(tally) != 1:
        return None
    ((counted, counts),) = tally.items()
    places = tuple([place for place, number in enumerate(counts) if number])
    changed = status_changed(record, transition.record)
    parts = _same(after.facts), _same(moments), event.event_type, text, _same(counted), _same(places), changed
    return Outline(*parts)


@lru_cache(4_096)
def _same(part: _Part) -> _Part:
    """Give the one of several equal values that came first: there are far fewer of them than outlines."""
    return part


def _marked(row: StoredVisitor, now: datetime) -> StoredVisitor | None:
    """Move the row's moments by a few microseconds so that no two are the same; None where that changes what passed."""
    times = [int(time) for time in row.times[1:-1].split(",")]
    moved = [time and time + place for place, time in enumerate(times, 1)]
    marked = row._replace(times=f"[{','.join(map(str, moved))}]")
    told_apart = len({*moved} - {0}) == sum(map(bool, moved))
    return marked if told_apart and passed(marked.times, now) == passed(row.times, now) else None


def _origins(before: str, after: str, now: int, end: int) -> tuple[int, ...] | None:
    """Find each moment among those that were there, now and the end; None where one may come from two, or none."""
    known = before[1:-1].split(",")
    origins = {time: place for place, time in enumerate(known) if time != "0"}
    if str(now) in origins or str(end) in origins or now == end:
        return None
    origins |= {"0": _NEVER, str(now): _NOW, str(end): _END}
    found = [origins.get(time) for time in after[1:-1].split(",")]
    return None if None in found else tuple([place for place in found if place is not None])
