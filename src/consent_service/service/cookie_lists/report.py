"""What comes out of reading a cookie list: a line for every row, and the entries made from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Entry = Mapping[str, object]
"""A tracker or a provider in the form of the policy document (contract §10)."""

FILL_IN = "TO BE FILLED IN"
"""Begins every text that only a person can give."""


class RowAction(StrEnum):
    """What was done with a row of the list."""

    ADDED = "added"
    MERGED = "merged"
    SKIPPED = "skipped"
    NEEDS_PERSON = "needs_person"


_SAID = {
    RowAction.ADDED: "added",
    RowAction.MERGED: "merged",
    RowAction.SKIPPED: "skipped",
    RowAction.NEEDS_PERSON: "needs a person",
}


@dataclass(frozen=True, slots=True)
class ReportLine:
    """What became of one row: the first below the header is row 1."""

    row: int
    line: int
    """The line of the file on which the row begins."""
    name: str
    action: RowAction
    notes: tuple[str, ...] = ()
    """What was done with it and why, where nobody needs to act."""
    review: tuple[str, ...] = ()
    """What a person must decide."""
    entries: tuple[int, ...] = ()
    """The positions of its entries in `Draft.trackers`."""

    def text(self) -> str:
        """Say it in one line for a terminal."""
        said = f"row {self.row} (line {self.line}) {self.name or '(no name)'}: {_SAID[self.action]}"
        if self.review:
            said += " because " + "; ".join(self.review)
        if self.notes:
            said += (" because " if self.action is RowAction.SKIPPED else " - ") + "; ".join(self.notes)
        return said


@dataclass(frozen=True, slots=True)
class Draft:
    """A cookie list as policy entries, with one report line for every row."""

    trackers: tuple[Entry, ...]
    providers: Mapping[str, Entry]
    report: tuple[ReportLine, ...]


@dataclass(frozen=True, slots=True)
class MergeResult:
    """A policy document with a list's trackers added, with one report line for every row of the list."""

    document: dict[str, object]
    report: tuple[ReportLine, ...]


def summary(report: tuple[ReportLine, ...]) -> dict[RowAction, int]:
    """Count the rows by what was done with them."""
    return {action: sum(line.action is action for line in report) for action in RowAction}
