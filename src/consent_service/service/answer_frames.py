"""The answer to a write, put together from what equal facts share and the few values that are the visitor's own.

Most of an answer follows from the facts of a row: eight categories with their reasons, and what must leave the device.
It is written once, by the same functions as every other answer, with gaps for moments, ids and the receipt.
"""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import orjson

from consent_service.domain.moments import from_micros
from consent_service.domain.record_text import StoredVisitor, decode_record
from consent_service.domain.state import ConsentState
from consent_service.ports import LogEntry, SharedText
from consent_service.service.presenting import consent_body, moment

Values = Mapping[bytes, bytes]

_SECOND = 1_000_000
_TIMES = ("expires_at", "re_prompt_not_before", "updated_at")
_NEVER = "0"


@dataclass(frozen=True, slots=True)
class Frame:
    """An answer with gaps, as a `bytes` format by name."""

    shared: SharedText
    places: tuple[tuple[bytes, int], ...]
    """The moments of the row that the answer shows, each by the name of its gap."""

    @property
    def text(self) -> bytes:
        """Give the format."""
        return self.shared.text

    def values(self, visitor_id: str, stored: StoredVisitor, entries: Sequence[LogEntry]) -> dict[bytes, bytes]:
        """Give what fills the gaps: moments by their place in the row, and what the log gave."""
        times = _times(stored)
        values = {name: _moment(int(times[place]) // _SECOND) for name, place in self.places}
        values[b"v"] = orjson.dumps(visitor_id)
        values[b"n"] = b"%d" % stored.revision
        values[b"r"] = _receipt(entries[-1]) if entries else b"null"
        return values

    def fill(self, values: Values) -> bytes:
        """Give the answer."""
        return self.shared.text % values


def frame(site: str, state: ConsentState, stored: StoredVisitor, cleanup: bytes) -> Frame | None:
    """Write the answer of a state with gaps; None where the row's moments do not say which is shown.

    That is where an account's choices count, or where choices of several moments lapse one after the other.
    """
    if stored.account is not None or len(json.loads(stored.facts).get("w", ())) > 1:
        return None
    places = range(len(_times(stored)))
    # Each moment of this row stands for its place; none at all stays none.
    marked = [place * _SECOND if time != _NEVER else 0 for place, time in zip(places, _times(stored), strict=True)]
    row = StoredVisitor(stored.revision, stored.facts, json.dumps(marked))
    record = decode_record(site, "", row)
    shown = replace(state, situation=replace(state.situation, record=record), known_prompt=state.prompt)
    body = consent_body(site, shown)
    gaps = {str(moment(from_micros(place * _SECOND))): place for place in places}
    used: set[int] = set()
    for members in (body, *_categories(body)):
        for name in _MOMENTS & members.keys():
            if members[name] is not None:
                place = gaps[str(members[name])]
                used.add(place)
                members[name] = _gap(b"%d" % place)
    body |= {"visitor_id": _gap(b"v"), "revision": _gap(b"n")}
    body |= {"receipt": _gap(b"r"), "cleanup": orjson.Fragment(cleanup)}
    text = orjson.dumps(body).replace(b"%", b"%%").replace(b"\x00(", b"%(")
    return Frame(SharedText(text), tuple([(b"%d" % place, place) for place in sorted(used)]))


_MOMENTS = {*_TIMES, "decided_at"}


def _categories(body: dict[str, object]) -> Sequence[dict[str, object]]:
    found: dict[str, dict[str, object]] = body["categories"]  # type: ignore[assignment] # as consent_body makes it
    return list(found.values())


def _gap(name: bytes) -> orjson.Fragment:
    # JSON holds no NUL, so nothing else can look like a gap.
    return orjson.Fragment(b"\x00(%b)b" % name)


def _times(stored: StoredVisitor) -> list[str]:
    return stored.times[1:-1].split(",")


@lru_cache(4_096)
def _moment(seconds: int) -> bytes:
    return orjson.dumps(moment(from_micros(seconds * _SECOND)))


def _receipt(entry: LogEntry) -> bytes:
    shown = b64encode(entry.leaf_hash)
    return b'{"id":"%b","seq":%d,"leaf_hash":"%b"}' % (entry.receipt_id.encode(), entry.seq, shown)
