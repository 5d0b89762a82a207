"""The evidence log for auditors: checkpoints, proofs and events (contract §6.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consent_service.domain.evidence.checkpoint import Checkpoint, VerifierKey, sign_checkpoint
from consent_service.domain.evidence.documents import consistency_document, event_document, inclusion_document
from consent_service.domain.evidence.leaf import format_time
from consent_service.domain.evidence.proofs import (
    OutsideLog,
    assemble,
    plan_consistency,
    plan_inclusion,
    plan_root,
    required_nodes,
)
from consent_service.domain.evidence.tree import Frontier, NodeId
from consent_service.domain.evidence.verifier import LogRow
from consent_service.ports import Clock, EvidenceLog, LoggedEvent, StoredCheckpoint


class LogKey(Protocol):
    """An Ed25519 key that signs checkpoints and nothing else."""

    @property
    def public_bytes(self) -> bytes:
        """The 32 bytes of the public key."""

    def sign(self, message: bytes) -> bytes:
        """Sign a note's body."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The use cases; `address` is the public URL, from which the logs' origins are made."""

    log: EvidenceLog
    address: str
    key: Callable[[str, datetime], LogKey]
    clock: Clock

    def origin(self, site: str) -> str:
        """Give the name of a site's log."""
        return f"{self.address.partition('://')[2]}/evidence/{site}"

    async def checkpoint(self, site: str) -> StoredCheckpoint:
        """Sign the log as it is now: it covers every event that was acknowledged before."""
        head = await self.log.head(site)
        return self.sign(site, head)

    def sign(self, site: str, head: Frontier) -> StoredCheckpoint:
        """Sign a head (C2SP tlog-checkpoint)."""
        now = self.clock()
        key = self.key(site, now)
        origin = self.origin(site)
        note = sign_checkpoint(
            Checkpoint(origin, head.size, head.root()), VerifierKey(origin, key.public_bytes), key.sign
        )
        return StoredCheckpoint(site, head.size, note, now)

    async def inclusion(self, site: str, seq: int, size: int | None) -> dict[str, object]:
        """Prove that an entry is in the log of a size, the newest where none is given; raises OutsideLog."""
        size = await self._size(site, size)
        plan, of_root = plan_inclusion(seq, size), plan_root(size)
        leaf = NodeId(0, seq)
        rows = await self.log.nodes(site, sorted({*required_nodes(plan), *required_nodes(of_root), leaf}))
        root = assemble(of_root, rows)[0]
        return inclusion_document(seq, size, rows[leaf], root, assemble(plan, rows))

    async def consistency(self, site: str, old: int, new: int) -> dict[str, object]:
        """Prove that the log of one size is the beginning of that of another; raises OutsideLog."""
        await self._size(site, new)
        plan = plan_consistency(old, new)
        roots = [plan_root(old), plan_root(new)]
        wanted = required_nodes(plan).union(*map(required_nodes, roots))
        rows = await self.log.nodes(site, sorted(wanted))
        old_root, new_root = (assemble(of_root, rows)[0] for of_root in roots)
        return consistency_document(old, new, old_root, new_root, assemble(plan, rows))

    async def events(self, site: str, after: int, limit: int) -> dict[str, object]:
        """Give a page of entries in order, with what each leaf can be checked by."""
        found = await self.log.events(site, after, limit)
        return {
            "events": [event_document(log_row(event)) for event in found],
            "next_after": found[-1].seq if len(found) == limit else None,
        }

    async def _size(self, site: str, size: int | None) -> int:
        newest = (await self.log.head(site)).size
        if size is not None and not 0 < size <= newest:
            raise OutsideLog(f"The log has {newest} entries.")
        return newest if size is None else size


def log_row(event: LoggedEvent) -> LogRow:
    """Give a stored entry as the verifier and the documents take it."""
    return LogRow(
        seq=event.seq,
        site=event.site,
        time=format_time(event.time),
        pseudonym=event.pseudonym,
        commitment=event.commitment,
        salt=event.salt,
        payload=event.payload,
        visitor_id=event.visitor_id,
    )
