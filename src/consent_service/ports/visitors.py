"""What a store holds about visitors: read one by one to decide, gone through for retention, and new rows in bulk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consent_service.domain.errors import StoreUnavailable
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import StoredVisitor
from consent_service.domain.retention import Entry

BulkVisitor = tuple[str, int, str, str]
"""A new visitor's row: id, revision, facts, times."""


BulkEvent = tuple[int, bytes, str, bytes, bytes, bytes]
"""A new entry before it has its place: microseconds, pseudonym, visitor, salt, commitment, stored payload."""


class VisitorReader(Protocol):
    """Reads visitors from the primary, never from a replica and never from a cache."""

    async def get(self, site: str, visitor_id: str) -> StoredVisitor | None:
        """Read one visitor; raises StoreUnavailable within 300 ms where the store does not answer."""

    def ask(
        self, site: str, visitor_id: str, told: Callable[[StoredVisitor | None, StoreUnavailable | None], None]
    ) -> None:
        """Read one visitor and call back once, with the visitor (None for an unknown one) or with the error."""

    async def get_many(self, site: str, visitor_ids: Sequence[str]) -> dict[str, StoredVisitor]:
        """Read several visitors at once; the unknown are left out."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything that is held about one visitor: the record, and the entries that still have a payload."""

    record: ConsentRecord
    entries: tuple[Entry, ...]


class Holdings(Protocol):
    """Goes through everything that is held about the visitors of a site, for retention."""

    async def count(self, site: str) -> int:
        """Give the number of visitors."""

    async def page(self, site: str, after: str, limit: int) -> list[Holding]:
        """Read some visitors in the order of their ids, beginning behind `after` ("" for the start)."""

    async def drop_lapsed_keys(self, now: datetime, limit: int) -> int:
        """Remove so many idempotency keys whose time is over, with the answers they remember; gives how many."""
