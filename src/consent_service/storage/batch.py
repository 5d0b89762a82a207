"""What one transaction of the group-commit writer does, as a pure function from what was read to what is written.

All three stores call this: they differ only in how they lock and read `Loaded` and write `Writes`. A change that
raises a ConsentError has no effect; the others of its batch are not touched by it.
"""

from collections.abc import Sequence
from datetime import datetime

from consent_service.domain.counts import add_places, count
from consent_service.domain.errors import ConsentError, IdempotencyKeyReused, NotFound
from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.evidence.event_text import event_text, fill
from consent_service.domain.evidence.leaf import commit, format_time, leaf_bytes, leaf_hash
from consent_service.domain.record import AccountState, ConsentEvent, ConsentRecord
from consent_service.domain.record_text import StoredVisitor, decode_record, encode_record
from consent_service.domain.transitions.context import Transition
from consent_service.ports import (
    Change,
    Committed,
    Erasure,
    Foreseen,
    Idempotency,
    LogEntry,
    Purge,
    Purged,
    Reply,
    Subject,
)
from consent_service.storage.batch_state import (
    NOBODY,
    LeafRow,
    Loaded,
    OutboxRow,
    Outcome,
    Remembered,
    Secrets,
    VisitorKey,
    Writes,
)


class Batch:
    """One batch under way: changes are carried out one after the other on what the ones before left."""

    def __init__(self, loaded: Loaded, secrets: Secrets) -> None:
        """Start from locked state."""
        self._loaded = loaded
        self._secrets = secrets
        self.writes = Writes()
        self._hashes: dict[str, list[bytes]] = {}
        self._gone: set[VisitorKey] = set()

    def run(self, requests: Sequence[Change | Erasure | Purge]) -> list[Outcome]:
        """Carry out all requests, refusals last (SVC-12); gives an outcome for each, in the order given."""
        outcomes: list[Outcome] = [None] * len(requests)
        for place, request in sorted(enumerate(requests), key=_refusals_last):
            outcomes[place] = self._carry_out(request)
        for site, hashes in self._hashes.items():
            frontier, nodes = self._loaded.heads[site].append(hashes)
            self.writes.heads[site] = frontier
            self.writes.nodes += [(site, node) for node in nodes]
        return outcomes

    def _carry_out(self, request: Change | Erasure | Purge) -> Outcome:
        if isinstance(request, Change):
            return self._try(request)
        return self._erase(request) if isinstance(request, Erasure) else self._purge(request)

    def _try(self, change: Change) -> Outcome:
        try:
            return self._change(change)
        except ConsentError as error:
            return error

    def _change(self, change: Change) -> Committed:
        if change.idempotency is not None:
            known = self._recall(change.site, change.idempotency, change.now)
            if known is not None:
                return Committed(known, None, replayed=True)
        row = self._row(change.site, change.visitor_id)
        foreseen = change.foresee(row) if change.foresee and row and not (row.account or change.account) else None
        if foreseen is not None:
            return self._carry_out_foreseen(change, foreseen)
        account = self._account(change.site, change.account) if change.account else None
        before = self._record(change.site, change.visitor_id)
        transition = change.apply(Subject(before, account))
        stored = encode_record(transition.record)
        transition = Transition(transition.record, transition.events, stored)
        # Leaves are built before anything is noted, so that a failing change leaves no trace in the batch.
        drafts = [self._draft(event, ahead) for ahead, event in enumerate(transition.events)]
        entries = tuple(
            LogEntry(leaf.seq, hashed, event.event_id, event.receipt_id)
            for (leaf, hashed), event in zip(drafts, transition.events, strict=True)
        )
        reply = change.render(transition, entries)
        for leaf, hashed in drafts:
            self._append(leaf, hashed)
            self._tell(leaf, transition.record.revision)
        for event in transition.events:
            count(self.writes.counts, before, event)
        self._put(transition.record, stored)
        if change.idempotency is not None:
            self._remember(change, change.idempotency, reply)
        return Committed(reply, transition, entries, tuple([event.event_type for event in transition.events]))

    def _carry_out_foreseen(self, change: Change, foreseen: Foreseen) -> Committed:
        visitor_id, time = change.visitor_id, format_time(change.now)
        payload = fill(foreseen.text, foreseen.event_id, time, foreseen.receipt_id, visitor_id)
        row, hashed = self._leaf(change.site, visitor_id, visitor_id, change.now, payload, time_text=time)
        row.kind = foreseen
        entry = LogEntry(row.seq, hashed, foreseen.event_id, foreseen.receipt_id)
        reply = foreseen.render(entry)
        self._append(row, hashed)
        self._tell(row, foreseen.stored.revision)
        add_places(self.writes.counts, foreseen.counted, foreseen.places)
        self.writes.visitors[change.site, visitor_id] = foreseen.stored
        if change.idempotency is not None:
            self._remember(change, change.idempotency, reply)
        return Committed(reply, None, (entry,), (foreseen.event_type,))

    def _draft(self, event: ConsentEvent, ahead: int) -> tuple[LeafRow, bytes]:
        payload = event_text(event)
        return self._leaf(event.site, event.visitor_id, event.visitor_id, event.event_time, payload, ahead)

    def _erase(self, erasure: Erasure) -> Outcome:
        key = (erasure.site, erasure.visitor_id)
        if self._record(*key) is None:
            return NotFound()
        removed = self._loaded.payload_seqs.get(key, [])
        payload = canonical_json(erasure.describe(removed))
        row, hashed = self._leaf(erasure.site, NOBODY, erasure.visitor_id, erasure.now, payload)
        self._append(row, hashed)
        self._gone.add(key)
        self.writes.visitors.pop(key, None)
        self.writes.erased[key] = (erasure.stub, erasure.now)
        return LogEntry(row.seq, hashed, "", "")

    def _purge(self, purge: Purge) -> Purged:
        removed: list[int] = []
        held = 0
        for visitor_id in purge.visitor_ids:
            key = (purge.site, visitor_id)
            record = self._record(*key)
            if record is None:
                continue
            verdict = purge.judge(record, self._loaded.entries.get(key, []))
            removed += verdict.remove
            held += len(verdict.held)
            if verdict.forget:
                self._gone.add(key)
                self.writes.forgotten.append(key)
        if removed:
            payload = canonical_json(purge.describe(removed, purge.now))
            self._append(*self._leaf(purge.site, NOBODY, NOBODY, purge.now, payload))
        self.writes.purged += [(purge.site, seq) for seq in removed]
        return Purged(len(removed), len(self.writes.forgotten), held)

    def _row(self, site: str, visitor_id: str) -> StoredVisitor | None:
        key = (site, visitor_id)
        return None if key in self._gone else self.writes.visitors.get(key) or self._loaded.visitors.get(key)

    def _record(self, site: str, visitor_id: str) -> ConsentRecord | None:
        row = self._row(site, visitor_id)
        if row is None:
            return None
        # Another visitor of the same account may have changed it earlier in this batch.
        return decode_record(site, visitor_id, row, self._account(site, row.account) if row.account else None)

    def _account(self, site: str, account: str) -> AccountState:
        key = (site, account)
        return self.writes.accounts.get(key) or self._loaded.accounts.get(key) or AccountState(account)

    def _put(self, record: ConsentRecord, stored: StoredVisitor) -> None:
        self.writes.visitors[record.site, record.visitor_id] = stored
        if record.account is not None:
            self.writes.accounts[record.site, record.account.account] = record.account

    def _tell(self, row: LeafRow, revision: int) -> None:
        for endpoint in self._loaded.endpoints.get(row.site, ()):
            told = OutboxRow(row.site, row.visitor_id, row.seq, endpoint, revision, row.time)
            self.writes.outbox.append(told)

    def _recall(self, site: str, asked: Idempotency, now: datetime) -> Reply | None:
        key = (site, asked.owner, asked.key)
        known = self.writes.remembered.get(key) or self._loaded.remembered.get(key)
        if known is None or known.expires_at <= now:
            return None
        if known.fingerprint != asked.fingerprint:
            raise IdempotencyKeyReused
        return known.reply

    def _remember(self, change: Change, asked: Idempotency, reply: Reply) -> None:
        known = Remembered(asked.fingerprint, reply, asked.expires_at, change.visitor_id)
        self.writes.remembered[change.site, asked.owner, asked.key] = known

    def _next_seq(self, site: str) -> int:
        return self._loaded.heads[site].size + len(self._hashes.get(site, ()))

    def _leaf(
        self,
        site: str,
        owner: str,
        visitor_id: str,
        time: datetime,
        payload: bytes,
        ahead: int = 0,
        time_text: str | None = None,
    ) -> tuple[LeafRow, bytes]:
        seq = self._next_seq(site) + ahead
        salt = self._secrets.salt()
        pseudonym = self._secrets.pseudonym(site, visitor_id)
        commitment = commit(salt, payload)
        row = LeafRow(site, seq, time, pseudonym, commitment, owner, salt, payload)
        return row, leaf_hash(leaf_bytes(site, seq, time_text or format_time(time), pseudonym, commitment))

    def _append(self, row: LeafRow, hashed: bytes) -> None:
        self.writes.leaves.append(row)
        self._hashes.setdefault(row.site, []).append(hashed)


def _refusals_last(item: tuple[int, Change | Erasure | Purge]) -> bool:
    # None of them was answered before the others came, so any order is true to what callers have seen.
    return isinstance(item[1], Change) and item[1].refuses
