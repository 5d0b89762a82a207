"""The evidence log as it is read, and the signed checkpoints kept beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consent_service.domain.evidence.tree import Frontier, NodeId


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One entry of the evidence log; salt and payload are None once erased."""

    site: str
    seq: int
    time: datetime
    pseudonym: bytes
    commitment: bytes
    salt: bytes | None
    payload: bytes | None
    visitor_id: str | None


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed checkpoint as it was issued."""

    site: str
    size: int
    note: str
    created_at: datetime


class EvidenceLog(Protocol):
    """Reads the evidence log; only the change writer appends to it."""

    async def head(self, site: str) -> Frontier:
        """Give the right edge of the site's tree; that of an empty log where there is none yet."""

    async def events(self, site: str, after: int, limit: int) -> list[LoggedEvent]:
        """Read entries in order, beginning behind `after` (-1 for the start)."""

    async def visitor_events(self, site: str, visitor_id: str, after: int, limit: int) -> list[LoggedEvent]:
        """Read one visitor's entries in order."""

    async def add_checkpoint(self, checkpoint: StoredCheckpoint) -> bool:
        """Keep a signed checkpoint; False where there is one of the same size, which stays as it is."""

    async def newest_checkpoint(self, site: str) -> StoredCheckpoint | None:
        """Give the largest kept checkpoint."""

    async def checkpoints(self, site: str) -> list[StoredCheckpoint]:
        """Give all kept checkpoints, smallest first."""

    async def newest_checkpoints(self, site: str, limit: int) -> list[StoredCheckpoint]:
        """Give the newest kept checkpoints, largest first."""

    async def nodes(self, site: str, wanted: Sequence[NodeId]) -> dict[NodeId, bytes]:
        """Read stored tree nodes; level 0 are the hashes of leaves."""
