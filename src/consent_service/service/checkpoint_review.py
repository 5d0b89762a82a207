"""Looks at recent checkpoints with an auditor's eyes: whether they are signed, and whether the log has their roots.

The whole log is verified by `consent-service evidence verify`; this is what a page can tell at once.
"""

from base64 import b64encode
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent_service.domain.errors import ConsentError
from consent_service.domain.evidence.checkpoint import CheckpointRefused, VerifierKey, verify_checkpoint
from consent_service.domain.evidence.proofs import NodeMissing
from consent_service.ports import EvidenceLog, StoredCheckpoint
from consent_service.service.evidence import Evidence
from consent_service.service.published_keys import PublishedKeys


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A checkpoint and what was found."""

    checkpoint: StoredCheckpoint
    root: str
    signed: bool
    """One of the log's published keys signed it."""
    kept: bool
    """The log as it is now has the same root at this size."""


@dataclass(frozen=True, slots=True)
class LogReview:
    """The state of a log."""

    entries: int
    checkpoints: tuple[Reviewed, ...]

    @property
    def sound(self) -> bool:
        """Tell whether nothing was found amiss."""
        return all(found.signed and found.kept for found in self.checkpoints)

    @property
    def covered(self) -> int:
        """Give the number of entries that the newest checkpoint covers."""
        return self.checkpoints[0].checkpoint.size if self.checkpoints else 0


@dataclass(frozen=True, slots=True)
class CheckpointReview:
    """The use case."""

    log: EvidenceLog
    evidence: Evidence
    published_keys: PublishedKeys

    async def review(self, site: str, limit: int) -> LogReview:
        """Review the newest checkpoints of a site's log."""
        head = await self.log.head(site)
        found = await self.log.newest_checkpoints(site, limit)
        return LogReview(head.size, tuple([await self._review(site, one, head.size) for one in found]))

    async def _review(self, site: str, checkpoint: StoredCheckpoint, entries: int) -> Reviewed:
        keys = [VerifierKey(origin, key.public_bytes) for origin, key in self.published_keys.log_keys()]
        try:
            said = verify_checkpoint(checkpoint.note, keys, _verify)
        except CheckpointRefused:
            return Reviewed(checkpoint, "", signed=False, kept=False)
        root = b64encode(said.root).decode()
        return Reviewed(checkpoint, root, signed=True, kept=await self._kept(site, said.size, root, entries))

    async def _kept(self, site: str, size: int, root: str, entries: int) -> bool:
        if not 0 < size <= entries:
            return size == 0
        try:
            return (await self.evidence.consistency(site, size, entries))["from_root"] == root
        except (ConsentError, NodeMissing):
            return False


def _verify(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
