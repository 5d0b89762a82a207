"""Reads a comma-separated cookie list row by row; a bad row is a finding, only a wrong header is an error."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from consent_service.domain.errors import InvalidInput

NAME = "Cookie / Data Key name"
PLATFORM = "Platform"
CATEGORY = "Category"
DOMAIN = "Domain"
DESCRIPTION = "Description"
RETENTION = "Retention period"
CONTROLLER = "Data Controller"
PRIVACY_URL = "User Privacy & GDPR Rights Portals"
WILDCARD = "Wildcard match"
COLUMNS = ("ID", PLATFORM, CATEGORY, NAME, DOMAIN, DESCRIPTION, RETENTION, CONTROLLER, PRIVACY_URL, WILDCARD)
"""The columns of the open cookie database; they may stand in any order, and others beside them."""

_MAX_RECORD_LINES = 100
"""A quote that is not closed within so many lines is an error of its line and must not swallow the rows below."""
_WRONG_ENCODING = re.compile("\ufffd|[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac")
"""A replacement character, or UTF-8 that was read as Windows-1252."""
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the list, its cells cleaned of what a policy text cannot hold."""

    number: int
    line: int
    cells: Mapping[str, str]
    unreadable: str = ""
    """Why the row cannot be used, where that is so."""
    notes: tuple[str, ...] = ()
    review: tuple[str, ...] = ()


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    """Give every row below the header; blank lines are no rows.

    Raises InvalidInput where the header lacks columns, and nothing else.
    """
    physical = _physical_lines(lines)
    start = next((index for index, line in enumerate(physical) if line.strip()), len(physical))
    header, used = _record(physical, start, 0)
    columns = [_clean(cell).casefold() for cell in header]
    _check_header(columns)
    place, number = start + used, 0
    while place < len(physical):
        cells, used = _record(physical, place, len(columns))
        if physical[place].strip() or used > 1:
            number += 1
            yield _row(number, place + 1, cells, columns)
        place += used


def _physical_lines(lines: Iterable[str]) -> list[str]:
    try:
        text = [part + "\n" for line in lines for part in _LINE_END.split(re.sub(r"\r?\n\Z|\r\Z", "", line))]
    except UnicodeDecodeError as error:
        raise InvalidInput("The cookie list is not UTF-8 text; save it as UTF-8 and try again.") from error
    if text:
        text[0] = text[0].removeprefix("\ufeff")
    return text


def _record(physical: list[str], start: int, columns: int) -> tuple[list[str], int]:
    """Give the cells of the record that begins here, and how many lines it takes.

    A record that goes over several lines must come out right; else its first line is taken alone.
    """
    if start >= len(physical):
        return [], 1
    reader = csv.reader(islice(physical, start, start + _MAX_RECORD_LINES), strict=True)
    try:
        cells = next(reader)
    except csv.Error:
        return _single_line(physical[start]), 1
    if reader.line_num > 1 and len(cells) != columns:
        return _single_line(physical[start]), 1
    return cells, reader.line_num


def _single_line(line: str) -> list[str]:
    try:
        return next(csv.reader([line]))
    except csv.Error:
        return []


def _check_header(columns: list[str]) -> None:
    missing = tuple(name for name in COLUMNS if columns.count(name.casefold()) != 1)
    if missing:
        names = ", ".join(missing)
        raise InvalidInput(f"The header of a cookie list must name each of these columns once: {names}.", (), missing)


def _row(number: int, line: int, cells: list[str], columns: list[str]) -> Row:
    cleaned = [_clean(cell) for cell in cells]
    known = dict(zip(columns, cleaned, strict=False))
    by_name = {name: known.get(name.casefold(), "") for name in COLUMNS}
    if len(cells) != len(columns):
        why = f"it has {len(cells)} cells where the header has {len(columns)}: a comma or a quote is amiss"
        return Row(number, line, by_name, why)
    return Row(number, line, by_name, "", *_findings(dict(zip(columns, cells, strict=True)), by_name))


def _findings(raw: Mapping[str, str], cells: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    notes = tuple(
        f"the {name} looks like a spreadsheet formula; it is kept as plain text"
        for name, cell in cells.items()
        if cell.startswith(("=", "+", "-", "@"))
    )
    review = [
        f"the {name} shows signs of a wrong encoding" for name, cell in cells.items() if _WRONG_ENCODING.search(cell)
    ]
    if _clean(raw[NAME.casefold()]) != raw[NAME.casefold()].strip():
        review.append("the name held invisible characters, which were removed")
    return notes, tuple(review)


def _clean(cell: str) -> str:
    """Turn white space into single spaces, drop invisible characters, replace halves of characters."""
    kept = (
        c if c.isprintable() else " " if c.isspace() else "\ufffd" if "\ud800" <= c <= "\udfff" else "" for c in cell
    )
    return " ".join("".join(kept).split())
