"""Synthetic visitors: many at once, and no different from those who came one by one."""

import secrets
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest

from consent_service.domain.counts import FIGURES, Tally
from consent_service.domain.evidence.event_text import fill as fill_text
from consent_service.domain.evidence.leaf import format_time, leaf_bytes, leaf_hash
from consent_service.domain.moments import from_micros
from consent_service.domain.record_text import read_visitor
from consent_service.ports import BulkEvent, BulkVisitor, StoredPolicy
from consent_service.service.seeding import EVENTS, Text, fill, histories
from consent_service.service.sites import Version
from consent_service.storage.bulk import load
from consent_service.storage.payloads import pack
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from tests.storage.changes import answering, naive_root, submit_all, visitor
from tests.support.builders import NOW, RULES, SITE

VERSION = Version(StoredPolicy(SITE, "v1", "0" * 64, NOW, NOW, b"{}"), RULES.policy, RULES)


@pytest.fixture(params=["sqlite_store", "postgres_store"])
def database(request: pytest.FixtureRequest) -> SqliteStore | PostgresStore:
    """Give each database in turn."""
    found: SqliteStore | PostgresStore = request.getfixturevalue(request.param)
    return found


def commit(text: Text, event_id: str, micros: int, receipt_id: str, visitor_id: str) -> tuple[bytes, bytes, bytes]:
    """Commit to an event."""
    payload = fill_text(text, event_id, format_time(from_micros(micros)), receipt_id, visitor_id)
    salt = secrets.token_bytes(32)
    return salt, sha256(salt + payload).digest(), pack(payload)


def chunk(*numbers: int) -> tuple[list[BulkVisitor], list[BulkEvent], Tally]:
    """Make visitors with 16 ways to answer among them."""
    ids = [visitor(number) for number in numbers]
    return fill(
        histories(VERSION, NOW, 16), NOW, ids, lambda: str(uuid4()), lambda v: sha256(v.encode()).digest(), commit
    )


async def seed(database: SqliteStore | PostgresStore, *numbers: int) -> None:
    """Load visitors."""
    visitors, events, counts = chunk(*numbers)
    work: Any = partial(load, site=SITE, visitors=visitors, events=events, counts=counts)
    await database.write(work)


async def test_seeded_visitors_stand_in_the_same_log_as_all_others(database: SqliteStore | PostgresStore) -> None:
    """Contract §9: through the real log, with no gap and the right root."""
    await submit_all(database, [answering(visitor(1_000))])
    await seed(database, *range(40))
    await submit_all(database, [answering(visitor(1)), answering(visitor(1_001))])
    events = await database.log.events(SITE, -1, 1_000)
    leaves = [leaf_hash(leaf_bytes(SITE, e.seq, format_time(e.time), e.pseudonym, e.commitment)) for e in events]
    head = await database.log.head(SITE)
    assert [event.seq for event in events] == list(range(40 * EVENTS + 3))
    assert head.root() == naive_root(leaves)
    assert [sha256((e.salt or b"") + (e.payload or b"")).digest() for e in events] == [e.commitment for e in events]


async def test_a_seeded_visitor_has_three_events_and_the_record_they_lead_to(
    database: SqliteStore | PostgresStore,
) -> None:
    await seed(database, *range(16))
    events = await database.log.visitor_events(SITE, visitor(3), -1, 10)
    stored = await database.visitors.get(SITE, visitor(3))
    assert stored is not None
    assert (len(events), read_visitor(SITE, visitor(3), stored).revision) == (EVENTS, EVENTS)


def test_seeded_visitors_differ() -> None:
    """Contract §9: varied choices."""
    visitors, events, counts = chunk(*range(20))
    assert sum(row[FIGURES.index("accepted_all")] for row in counts.values()) >= 10  # half of them at first
    assert len({(facts, times) for _, _, facts, times in visitors}) > 8
    assert len(events) == 20 * EVENTS
