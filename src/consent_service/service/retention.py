"""Retention: what has been kept long enough goes, in small batches beside a running service (EVD-10)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent_service.domain.durations import Duration
from consent_service.domain.evidence.leaf import format_time
from consent_service.domain.evidence.ranges import encode_ranges
from consent_service.domain.record import ConsentRecord
from consent_service.domain.retention import Due, Entry, Verdict, by_policy, judge, older_than
from consent_service.domain.vocabulary import EventType
from consent_service.ports import Clock, Holding, NewId, Purge, Purged, Store
from consent_service.service.sites import Site

_PAGE = 500
"""Visitors that are looked at together; nothing is locked meanwhile."""
_BATCH = 100
"""Visitors in one transaction: writers of the site wait for a few hundredths of a second at most."""
_KEYS = 1_000

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Retention:
    """The use case."""

    store: Store
    clock: Clock
    new_id: NewId

    async def purge(self, site: Site, limit: Duration | None, progress: Progress, *, dry_run: bool) -> Purged:
        """Remove what is older than `limit`, or without one what the policy's retention no longer asks for.

        A dry run only counts. `progress` is told of visitors as they are done with.
        """
        now = self.clock()
        due = older_than(limit, now) if limit else by_policy(site.current(now).policy.lifetime, now)
        total = Purged()
        after = ""
        while page := await self.store.holdings.page(site.slug, after, _PAGE):
            after = page[-1].record.visitor_id
            found = [(holding.record.visitor_id, _verdict(holding, due, now)) for holding in page]
            total += Purged(held=sum(len(verdict.held) for _, verdict in found))
            going = [(visitor_id, verdict) for visitor_id, verdict in found if verdict.remove or verdict.forget]
            if dry_run:
                entries = sum(len(verdict.remove) for _, verdict in going)
                total += Purged(entries, sum(verdict.forget for _, verdict in going))
            else:
                total += await self._remove(site.slug, [visitor_id for visitor_id, _ in going], due, now)
            progress(len(page))
        if not dry_run:
            await self._drop_lapsed_keys(now)
        return total

    async def _remove(self, site: str, visitor_ids: Sequence[str], due: Due, now: datetime) -> Purged:
        def judged(record: ConsentRecord, entries: Sequence[Entry]) -> Verdict:
            return judge(record, entries, due, now)

        def describe(seqs: Sequence[int], at: datetime) -> dict[str, object]:
            return {
                "event_id": self.new_id(),
                "event_type": EventType.PURGED.value,
                "event_time": format_time(at),
                "site": site,
                "erased_seqs": encode_ranges(seqs),
            }

        total = Purged()
        for start in range(0, len(visitor_ids), _BATCH):
            batch = visitor_ids[start : start + _BATCH]
            done = await self.store.writer.purge(Purge(site, batch, self.clock(), judged, describe))
            total += Purged(done.entries, done.records)
        return total

    async def _drop_lapsed_keys(self, now: datetime) -> None:
        while await self.store.holdings.drop_lapsed_keys(now, _KEYS) == _KEYS:
            pass


def _verdict(holding: Holding, due: Due, now: datetime) -> Verdict:
    return judge(holding.record, holding.entries, due, now)
