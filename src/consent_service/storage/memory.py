"""The store that forgets: everything in this process's memory, for tests and for trying things out.

It carries out batches by the same function as the databases do, so it behaves like them in all but durability.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from consent_service.domain.counts import FIGURES, Counts, Tally, add
from consent_service.domain.errors import PolicyVersionExists
from consent_service.domain.evidence.leaf import format_time, leaf_bytes, leaf_hash
from consent_service.domain.evidence.tree import Frontier, NodeId
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.record_text import StoredVisitor, decode_record, encode_account, join_account
from consent_service.domain.retention import Entry
from consent_service.domain.webhooks import Endpoint
from consent_service.ports import (
    ApiKey,
    CatalogSnapshot,
    CountGroup,
    CountQuery,
    Erasure,
    Holding,
    LoggedEvent,
    Purge,
    Queues,
    StoredCheckpoint,
    StoredPolicy,
)
from consent_service.storage.batch import Batch
from consent_service.storage.batch_state import LeafRow, Loaded, Outcome, Secrets, Writes
from consent_service.storage.memory_outbox import MemoryOutbox
from consent_service.storage.reader import CoalescingReader, VisitorKey
from consent_service.storage.writer import GroupCommitWriter, Request


class MemoryStore:
    """A store without a database."""

    def __init__(self, secrets: Secrets) -> None:
        """Begin empty."""
        self._secrets = secrets
        self._state = Loaded()
        self._leaves: dict[str, list[LeafRow]] = {}
        self._erased: set[tuple[str, int]] = set()
        self._nodes: dict[tuple[str, NodeId], bytes] = {}
        self._checkpoints: dict[tuple[str, int], StoredCheckpoint] = {}
        self.outbox = MemoryOutbox(self._entries_with_payload)
        self.catalog = MemoryCatalog(self.outbox)
        self.log = self
        self.counts = MemoryReportCounts()
        self.holdings = self
        self.writer = GroupCommitWriter(self._run_batch)
        self.visitors = CoalescingReader(self._fetch)

    @property
    def queues(self) -> Queues:
        """Show what waits."""
        return Queues(self.visitors, self.writer)

    async def start(self) -> None:
        """Begin to take changes."""
        self.writer.start()

    async def stop(self) -> None:
        """Finish what is waiting."""
        await self.writer.stop()
        await self.visitors.stop()

    async def ping(self) -> None:
        """Do nothing: memory is always there."""

    async def head(self, site: str) -> Frontier:
        """Give the right edge of the site's tree."""
        return self._state.heads.get(site, Frontier())

    async def add_checkpoint(self, checkpoint: StoredCheckpoint) -> bool:
        """Keep a signed checkpoint; False where there is one of the same size, which stays as it is."""
        return self._checkpoints.setdefault((checkpoint.site, checkpoint.size), checkpoint) is checkpoint

    async def newest_checkpoint(self, site: str) -> StoredCheckpoint | None:
        """Give the largest kept checkpoint."""
        return next(iter(reversed(await self.checkpoints(site))), None)

    async def checkpoints(self, site: str) -> list[StoredCheckpoint]:
        """Give all kept checkpoints, smallest first."""
        return [found for (of, _), found in sorted(self._checkpoints.items()) if of == site]

    async def newest_checkpoints(self, site: str, limit: int) -> list[StoredCheckpoint]:
        """Give the newest kept checkpoints, largest first."""
        return (await self.checkpoints(site))[::-1][:limit]

    async def events(self, site: str, after: int, limit: int) -> list[LoggedEvent]:
        """Read entries in order, beginning behind `after`."""
        return [self._logged(row) for row in self._leaves.get(site, [])[after + 1 : after + 1 + limit]]

    async def visitor_events(self, site: str, visitor_id: str, after: int, limit: int) -> list[LoggedEvent]:
        """Read one visitor's entries in order."""
        rows = [row for row in self._leaves.get(site, []) if row.visitor_id == visitor_id and row.seq > after]
        return [event for event in map(self._logged, rows) if event.payload is not None][:limit]

    async def nodes(self, site: str, wanted: Sequence[NodeId]) -> dict[NodeId, bytes]:
        """Read stored tree nodes; those of level 0 are computed from the leaves."""
        leaves = self._leaves.get(site, [])
        found = {node: self._nodes[site, node] for node in wanted if (site, node) in self._nodes}
        for level, index in wanted:
            if level == 0 and index < len(leaves):
                row = leaves[index]
                leaf = leaf_bytes(site, row.seq, format_time(row.time), row.pseudonym, row.commitment)
                found[NodeId(level, index)] = leaf_hash(leaf)
        return found

    async def count(self, site: str) -> int:
        """Give the number of visitors."""
        return sum(key[0] == site for key in self._state.visitors)

    async def page(self, site: str, after: str, limit: int) -> list[Holding]:
        """Read some visitors in the order of their ids."""
        keys = sorted(key for key in self._state.visitors if key[0] == site and key[1] > after)[:limit]
        return [Holding(self._whole(*key), tuple(self._entries(*key))) for key in keys]

    async def drop_lapsed_keys(self, now: datetime, limit: int) -> int:
        """Remove so many idempotency keys whose time is over."""
        lapsed = [key for key, known in self._state.remembered.items() if known.expires_at <= now][:limit]
        for key in lapsed:
            del self._state.remembered[key]
        return len(lapsed)

    def _whole(self, site: str, visitor_id: str) -> ConsentRecord:
        row = self._state.visitors[site, visitor_id]
        account = self._state.accounts.get((site, row.account), AccountState(row.account)) if row.account else None
        return decode_record(site, visitor_id, row, account)

    def _entries(self, site: str, visitor_id: str) -> list[Entry]:
        rows = [row for row in self._leaves.get(site, []) if row.visitor_id == visitor_id]
        return [Entry(r.seq, r.time, json.loads(r.payload)) for r in rows if (site, r.seq) not in self._erased]

    async def _run_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        for request in requests:
            self._state.heads.setdefault(request.site, Frontier())
            if isinstance(request, Purge):
                ids = request.visitor_ids
                self._state.entries = {(request.site, v): self._entries(request.site, v) for v in ids}
                continue
            key = (request.site, request.visitor_id)
            rows = self._leaves.get(request.site, [])
            if isinstance(request, Erasure):
                here = [row.seq for row in rows if row.visitor_id == request.visitor_id]
                self._state.payload_seqs[key] = [seq for seq in here if (request.site, seq) not in self._erased]
        self._state.endpoints = self.catalog.endpoints
        batch = Batch(self._state, self._secrets)
        outcomes = batch.run(requests)
        self._keep(batch.writes)
        return outcomes

    def _keep(self, writes: Writes) -> None:
        for row in writes.leaves:
            self._leaves.setdefault(row.site, []).append(row)
        self._nodes.update({(site, NodeId(level, index)): hashed for site, (level, index, hashed) in writes.nodes})
        self._state.heads.update(writes.heads)
        self._state.visitors.update(writes.visitors)
        self._state.accounts.update(writes.accounts)
        self._state.remembered.update(writes.remembered)
        self.counts.add(writes.counts)
        self.outbox.write(writes.outbox)
        self._erased.update(writes.purged)
        for site, visitor_id in (*writes.erased, *writes.forgotten):
            gone = self._state.visitors.pop((site, visitor_id))
            self.outbox.forget(site=site, visitor_id=visitor_id)
            rows = self._leaves.get(site, [])
            self._erased.update((site, row.seq) for row in rows if row.visitor_id == visitor_id)
            named = [row.account for key, row in self._state.visitors.items() if key[0] == site]
            if gone.account is not None and gone.account not in named:
                self._state.accounts.pop((site, gone.account), None)
            for key, known in list(self._state.remembered.items()):
                if key[0] == site and known.visitor_id == visitor_id:
                    del self._state.remembered[key]

    async def _fetch(self, keys: Sequence[VisitorKey]) -> dict[VisitorKey, StoredVisitor]:
        found: dict[VisitorKey, StoredVisitor] = {}
        for site, visitor_id in keys:
            stored = self._state.visitors.get((site, visitor_id))
            if stored is not None:
                account = self._state.accounts.get((site, stored.account)) if stored.account else None
                joined = join_account(stored.account, encode_account(account) if account else None)
                found[site, visitor_id] = stored._replace(account=joined)
        return found

    def _entries_with_payload(self, site: str) -> list[LeafRow]:
        return [row for row in self._leaves.get(site, []) if (site, row.seq) not in self._erased]

    def _logged(self, row: LeafRow) -> LoggedEvent:
        gone = (row.site, row.seq) in self._erased
        return LoggedEvent(
            site=row.site,
            seq=row.seq,
            time=row.time,
            pseudonym=row.pseudonym,
            commitment=row.commitment,
            salt=None if gone else row.salt,
            payload=None if gone else row.payload,
            visitor_id=None if gone else row.visitor_id,
        )


class MemoryReportCounts:
    """The reports' counters in memory."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._tally: Tally = {}

    def add(self, tally: Tally) -> None:
        """Add what a batch counted."""
        for key, counts in tally.items():
            add(self._tally.setdefault(key, [0] * len(FIGURES)), counts)

    async def sums(self, query: CountQuery) -> list[CountGroup]:
        """Sum the figures of a range of days for each group, in the groups' order."""
        groups: dict[int | str, Counts] = {}
        for key, counts in self._tally.items():
            wanted = (key.site, key.channel) == (query.site, query.channel)
            if wanted and query.first_day <= key.day <= query.last_day:
                add(groups.setdefault(getattr(key, query.group_by), [0] * len(FIGURES)), counts)
        return [CountGroup(group, groups[group]) for group in sorted(groups)]


class MemoryCatalog:
    """Policies, keys and webhook endpoints in memory."""

    def __init__(self, outbox: MemoryOutbox) -> None:
        """Begin empty; what a removed endpoint was not told leaves the outbox."""
        self._snapshot = CatalogSnapshot(0)
        self._outbox = outbox

    @property
    def endpoints(self) -> dict[str, tuple[str, ...]]:
        """Give the ids of each site's endpoints."""
        sites = {endpoint.site for endpoint in self._snapshot.endpoints}
        return {site: tuple(e.id for e in self._snapshot.endpoints if e.site == site) for site in sites}

    async def epoch(self) -> int:
        """Give the number of the last change."""
        return self._snapshot.epoch

    async def load(self) -> CatalogSnapshot:
        """Give the whole catalog."""
        return self._snapshot

    async def add_policy(self, policy: StoredPolicy) -> None:
        """Publish a version; the same document again changes nothing."""
        for known in self._snapshot.policies:
            if (known.site, known.version) == (policy.site, policy.version):
                if known.sha256 != policy.sha256:
                    raise PolicyVersionExists
                return
        self._advance(policies=(*self._snapshot.policies, policy))

    async def add_key(self, key: ApiKey) -> None:
        """Add a key."""
        self._advance(keys=(*self._snapshot.keys, key))

    async def revoke_key(self, site: str | None, key_id: str, now: datetime) -> bool:
        """Revoke a key of a site, or of any site for None; False where there is no living one."""
        kept = tuple(k for k in self._snapshot.keys if k.id != key_id or site not in {None, k.site})
        revoked = len(kept) < len(self._snapshot.keys)
        self._advance(keys=kept)
        return revoked

    async def add_endpoint(self, endpoint: Endpoint) -> None:
        """Add a webhook endpoint."""
        self._advance(endpoints=(*self._snapshot.endpoints, endpoint))

    async def remove_endpoint(self, site: str | None, endpoint_id: str) -> bool:
        """Remove an endpoint of a site, or of any site for None; False where there is none."""
        kept = tuple(e for e in self._snapshot.endpoints if e.id != endpoint_id or site not in {None, e.site})
        gone = [endpoint for endpoint in self._snapshot.endpoints if endpoint not in kept]
        for endpoint in gone:
            self._outbox.forget(site=endpoint.site, endpoint=endpoint.id)
        self._advance(endpoints=kept)
        return bool(gone)

    def _advance(self, **changed: Any) -> None:
        self._snapshot = replace(self._snapshot, epoch=self._snapshot.epoch + 1, **changed)
