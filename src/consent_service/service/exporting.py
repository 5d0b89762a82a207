"""The whole log as rows, page by page, for JSON lines and CSV (EVD-09)."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from consent_service.domain.evidence.documents import export_document
from consent_service.domain.vocabulary import CATEGORIES, Category, Regime
from consent_service.ports import EvidenceLog, LoggedEvent
from consent_service.service.evidence import log_row

Row = Mapping[str, object]
Progress = Callable[[int], None]

PAGE = 1_000
"""Entries that are held in memory at once."""

_PLAIN = (
    "seq", "time", "leaf_hash", "leaf", "salt", "event_id", "receipt_id", "event_type", "event_time", "visitor_id",
    "channel", "method", "policy_version", "policy_sha256", "locale", "region", "regime", "dnt", "gpc",
)  # fmt: skip
COLUMNS = (*_PLAIN, *(category.value for category in CATEGORIES), "details")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries an export holds: all of them, or those that fit everything that is named here."""

    begin: datetime | None = None
    end: datetime | None = None
    """Not included."""
    category: Category | None = None
    """Entries that say something about this category: choices, granted and denied alike, and objections."""
    regime: Regime | None = None

    def takes(self, event: LoggedEvent, row: Row) -> bool:
        """Tell whether an entry is part of the export; one that was erased says nothing of category and regime."""
        if (self.begin and event.time < self.begin) or (self.end and event.time >= self.end):
            return False
        if self.regime and row.get("regime") != self.regime.value:
            return False
        return self.category is None or self.category.value in _categories(row)


EVERYTHING = Selection()


async def export_rows(
    log: EvidenceLog, site: str, selection: Selection = EVERYTHING, progress: Progress = lambda _: None
) -> AsyncIterator[list[Row]]:
    """Go through the entries of a site that there are when this begins; an empty log gives one empty page.

    `progress` is told of entries as they are done with, whether they are part of the export or not.
    """
    size = (await log.head(site)).size
    after = -1
    while True:
        page = await log.events(site, after, min(PAGE, size - after - 1)) if after + 1 < size else []
        rows = [(event, export_document(log_row(event))) for event in page]
        yield [row for event, row in rows if selection.takes(event, row)]
        progress(len(page))
        if not page or page[-1].seq + 1 >= size:
            return
        after = page[-1].seq


def _categories(row: Row) -> Collection[str]:
    for name in ("choices", "categories"):
        named = row.get(name)
        if isinstance(named, dict | list):
            return named
    return ()


def csv_row(row: Row) -> list[str]:
    """Give a row's cells in the order of `COLUMNS`; what a spreadsheet would run is quoted."""
    choices = row.get("choices")
    chosen: Mapping[str, bool] = choices if isinstance(choices, dict) else {}
    known = {*_PLAIN, "choices", "site"}
    details = {name: value for name, value in row.items() if name not in known}
    cells = [_cell(row.get(name)) for name in _PLAIN]
    cells += [_cell(chosen.get(category.value)) for category in CATEGORIES]
    return [*cells, orjson.dumps(details).decode() if details else ""]


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not isinstance(value, int) else text
