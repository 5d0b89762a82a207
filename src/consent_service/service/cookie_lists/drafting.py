"""Drafts policy entries from a cookie list."""

from collections.abc import Iterable
from dataclasses import dataclass

from consent_service.domain.durations import Duration
from consent_service.service.cookie_lists.entries import entries_of
from consent_service.service.cookie_lists.providers import join, provider_of
from consent_service.service.cookie_lists.report import Draft, Entry, ReportLine, RowAction
from consent_service.service.cookie_lists.table import NAME, Row, read_rows

COMPARED = ("category", "duration", "third_party")
"""The members by which two entries of one tracker are compared."""

_SHOWN = 80
"""A name in the report is cut to so many characters."""


def draft(lines: Iterable[str]) -> Draft:
    """Turn a cookie list into tracker and provider entries, with one report line for every row.

    Raises InvalidInput where the header lacks columns, and nothing else.
    """
    drafting = _Drafting()
    report = tuple([drafting.take(row) for row in read_rows(lines)])
    return Draft(tuple(drafting.trackers), drafting.providers, report)


def differing(first: Entry, second: Entry) -> list[str]:
    """Name the compared members in which two entries differ."""
    return [member for member in COMPARED if _comparable(first, member) != _comparable(second, member)]


def _comparable(entry: Entry, member: str) -> object:
    """Give a member's meaning: P1D and PT24H are the same, and nothing said of a third party means there is none."""
    value = entry.get(member, False)
    if member != "duration" or not isinstance(value, str):
        return value
    try:
        return Duration.parse(value)
    except ValueError:
        return value


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where a tracker stands now, whether it is new there, and what there is to say about it."""

    place: int
    note: str = ""
    review: str = ""
    added: bool = False


class _Drafting:
    """The entries so far, and where each tracker stands among them."""

    def __init__(self) -> None:
        self.trackers: list[Entry] = []
        self.providers: dict[str, Entry] = {}
        self._places: dict[tuple[object, ...], dict[object, int]] = {}

    def take(self, row: Row) -> ReportLine:
        """Take one row in and say what became of it."""
        key, provider, provider_notes, provider_review = provider_of(row)
        found = entries_of(row, key)
        name = row.cells[NAME][:_SHOWN]
        if found.unusable:
            return ReportLine(row.number, row.line, name, RowAction.SKIPPED, (found.unusable,))
        provider_notes += join(self.providers, key, provider)
        placed = [self._place(tracker) for tracker in found.trackers]
        added = any(p.added for p in placed)
        doubts = (*found.review, *provider_review) if added else ()
        review = (*doubts, *(p.review for p in placed if p.review))
        notes = (*found.notes, *provider_notes, *(p.note for p in placed if p.note))
        action = RowAction.NEEDS_PERSON if review else RowAction.ADDED if added else RowAction.MERGED
        return ReportLine(row.number, row.line, name, action, notes, review, tuple(p.place for p in placed))

    def _place(self, tracker: Entry) -> _Placed:
        """Put a tracker beside those that are there, or into the one that is the same."""
        same_name = self._places.setdefault((tracker["name"], tracker["kind"], tracker["domain"]), {})
        place = same_name.get(tracker["provider"])
        if place is not None:
            note = "merged into the earlier entry of the same name, domain and provider, which stays as it is"
            if self.trackers[place]["purpose"] != tracker["purpose"]:
                note += "; its own words on the purpose are left out"
            differences = differing(self.trackers[place], tracker)
            review = "an earlier row with this tracker says otherwise on " + ", ".join(differences)
            return _Placed(place, note, review if differences else "")
        note = "kept beside an entry of the same name and domain: the provider is another" if same_name else ""
        same_name[tracker["provider"]] = len(self.trackers)
        self.trackers.append(tracker)
        return _Placed(len(self.trackers) - 1, note, added=True)
