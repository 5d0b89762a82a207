"""The whole log as rows, page by page, for JSON lines and CSV (EVD-09)."""

from collections.abc import AsyncIterator, Mapping

import orjson

from consent_service.domain.evidence.documents import export_document
from consent_service.domain.vocabulary import CATEGORIES
from consent_service.ports import EvidenceLog
from consent_service.service.evidence import log_row

Row = Mapping[str, object]

PAGE = 1_000
"""Entries that are held in memory at once."""

_PLAIN = (
    "seq", "time", "leaf_hash", "leaf", "salt", "event_id", "receipt_id", "event_type", "event_time", "visitor_id",
    "channel", "method", "policy_version", "policy_sha256", "locale", "region", "regime", "dnt", "gpc",
)  # fmt: skip
COLUMNS = (*_PLAIN, *(category.value for category in CATEGORIES), "details")


async def export_rows(log: EvidenceLog, site: str) -> AsyncIterator[list[Row]]:
    """Go through all entries of a site that there are when this begins; an empty log gives one empty page."""
    size = (await log.head(site)).size
    after = -1
    while True:
        page = await log.events(site, after, min(PAGE, size - after - 1)) if after + 1 < size else []
        yield [export_document(log_row(event)) for event in page]
        if not page or page[-1].seq + 1 >= size:
            return
        after = page[-1].seq


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
