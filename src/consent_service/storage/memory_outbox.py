"""The outbox of webhooks in memory; it behaves like the one in SQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent_service.domain.webhooks import Delivery, Endpoint, Failure
from consent_service.ports import Backlog, DeadLetter
from consent_service.storage.batch_state import LeafRow, OutboxRow

_Key = tuple[str, str, int, str]
Leaves = Callable[[str], Sequence[LeafRow]]
"""The entries of a site that still have their payload."""


@dataclass(slots=True)
class _Row:
    revision: int | None
    created_at: datetime
    due_at: datetime | None
    attempts: int = 0
    error: str = ""


class MemoryOutbox:
    """What endpoints have not yet been told."""

    def __init__(self, leaves: Leaves) -> None:
        """Begin empty; what is told is read from the log."""
        self._leaves = leaves
        self._rows: dict[_Key, _Row] = {}

    def write(self, rows: Sequence[OutboxRow]) -> None:
        """Add what endpoints are to be told."""
        for row in rows:
            key = (row.site, row.visitor_id, row.seq, row.endpoint)
            self._rows[key] = _Row(row.revision, row.created_at, row.created_at)

    def forget(self, *, site: str, visitor_id: str | None = None, endpoint: str | None = None) -> None:
        """Remove what concerns an erased visitor or a removed endpoint."""
        gone = [k for k in self._rows if k[0] == site and (k[1] == visitor_id or k[3] == endpoint)]
        for key in gone:
            del self._rows[key]

    async def claim(self, endpoint: Endpoint, now: datetime, until: datetime, limit: int) -> list[Delivery]:
        """Take what is due for an endpoint; nobody else gets it before `until`."""
        payloads = {row.seq: row.payload for row in self._leaves(endpoint.site)}
        self._rows = {k: row for k, row in self._rows.items() if k[0] != endpoint.site or k[2] in payloads}
        first: dict[str, _Key] = {}
        for key, row in sorted(self._of(endpoint)):
            if row.due_at is not None:
                first.setdefault(key[1], key)
        due = [(row.due_at, key[2], key) for key in first.values() if (row := self._rows[key]).due_at]
        claimed = [key for at, _, key in sorted(due) if at <= now][:limit]
        for key in claimed:
            self._rows[key].due_at = until
        return [self._delivery(key, payloads[key[2]]) for key in claimed]

    async def settle(self, delivered: Sequence[Delivery], failed: Sequence[Failure]) -> None:
        """Note what became of claimed deliveries."""
        for done in delivered:
            if self._claimed(done) is not None:
                del self._rows[_key(done)]
        for failure in failed:
            row = self._claimed(failure.delivery)
            if row is not None:
                row.due_at, row.error, row.attempts = failure.due_at, failure.error, row.attempts + 1

    async def dead(self, site: str, endpoint: str | None, limit: int) -> list[DeadLetter]:
        """List what was given up, oldest first."""
        found = [
            DeadLetter(key[3], key[1], key[2], row.created_at, row.attempts, row.error)
            for key, row in self._rows.items()
            if key[0] == site and endpoint in {None, key[3]} and row.due_at is None
        ]
        return sorted(found, key=lambda letter: (letter.created_at, letter.seq))[:limit]

    async def revive(self, endpoint: Endpoint, now: datetime) -> int:
        """Make the dead letters of an endpoint due again, with a day of their own."""
        dead = [(key, row) for key, row in self._of(endpoint) if row.due_at is None]
        for key, row in dead:
            self._rows[key] = _Row(row.revision, now, now)
        return len(dead)

    async def replay(self, endpoint: Endpoint, after: int, limit: int, now: datetime) -> tuple[int, int | None]:
        """Queue events of the log behind `after` again, of at most `limit` places."""
        entries = self._leaves(endpoint.site)
        found = [e for e in entries if after < e.seq <= after + limit and e.visitor_id]
        for entry in found:
            key = (endpoint.site, entry.visitor_id, entry.seq, endpoint.id)
            known = self._rows.get(key)
            self._rows[key] = _Row(known.revision if known else None, now, now)
        end = max((entry.seq for entry in entries), default=-1)
        return len(found), None if after + limit >= end else after + limit

    async def backlog(self, site: str) -> dict[str, Backlog]:
        """Tell by endpoint what waits."""
        found: dict[str, Backlog] = {}
        for endpoint in {key[3] for key in self._rows if key[0] == site}:
            rows = [row for key, row in self._rows.items() if (key[0], key[3]) == (site, endpoint)]
            waiting = [row.created_at for row in rows if row.due_at is not None]
            found[endpoint] = Backlog(len(waiting), min(waiting, default=None), len(rows) - len(waiting))
        return found

    async def depth(self, endpoint: Endpoint, most: int) -> Backlog:
        """Tell what waits for an endpoint, counted up to `most`."""
        rows = [row for _, row in self._of(endpoint)]
        waiting = sorted((row.due_at, row.created_at) for row in rows if row.due_at is not None)[:most]
        dead = sum(row.due_at is None for row in rows)
        return Backlog(len(waiting), min((created for _, created in waiting), default=None), min(dead, most))

    async def drop_dead(self, before: datetime, limit: int) -> int:
        """Forget dead letters of changes older than `before`."""
        old = [key for key, row in self._rows.items() if row.due_at is None and row.created_at < before][:limit]
        for key in old:
            del self._rows[key]
        return len(old)

    def _of(self, endpoint: Endpoint) -> list[tuple[_Key, _Row]]:
        return [(key, row) for key, row in self._rows.items() if (key[0], key[3]) == (endpoint.site, endpoint.id)]

    def _claimed(self, delivery: Delivery) -> _Row | None:
        row = self._rows.get(_key(delivery))
        return row if row is not None and row.due_at == delivery.claimed_until else None

    def _delivery(self, key: _Key, payload: bytes) -> Delivery:
        row = self._rows[key]
        until = row.due_at or row.created_at
        return Delivery(key[0], key[3], key[1], key[2], row.revision, row.created_at, row.attempts, until, payload)


def _key(delivery: Delivery) -> _Key:
    return (delivery.site, delivery.visitor_id, delivery.seq, delivery.endpoint)
