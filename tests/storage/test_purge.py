"""A purge on every store: what goes and what stays, and a log that still verifies."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from consent_service.domain.durations import Duration
from consent_service.domain.evidence.ranges import encode_ranges
from consent_service.domain.record import ConsentRecord
from consent_service.domain.retention import Entry, Verdict, judge, older_than
from consent_service.domain.vocabulary import Action
from consent_service.ports import Purge, Purged, Store
from consent_service.storage import tables as t
from consent_service.storage.verification import verify_log
from tests.storage.changes import answering, linking, submit_all, visitor
from tests.storage.test_erasure import SqlStore, database
from tests.support.builders import NOW, SITE

__all__ = ["database"]

LATER = NOW + timedelta(days=2_000)


def purging(*numbers: int, at: datetime = LATER) -> Purge:
    """Purge some visitors of everything that is older than two years."""
    due = older_than(Duration(months=24), at)

    def judged(record: ConsentRecord, entries: Sequence[Entry]) -> Verdict:
        return judge(record, entries, due, at)

    def describe(seqs: Sequence[int], _: datetime) -> dict[str, object]:
        return {"event_type": "purged", "erased_seqs": encode_ranges(seqs)}

    return Purge(SITE, [visitor(number) for number in numbers], at, judged, describe)


async def test_a_purge_removes_the_payloads_of_lapsed_grants_and_names_them_in_the_log(store: Store) -> None:
    """EVD-10, contract §6.1."""
    await submit_all(store, [answering(visitor(n)) for n in range(3)])
    assert await store.writer.purge(purging(0, 2)) == Purged(entries=2, records=2)
    events = await store.log.events(SITE, -1, 10)
    assert [event.payload is None for event in events] == [True, False, True, False]
    assert events[-1].payload == b'{"erased_seqs":"0,2","event_type":"purged"}'
    assert await store.visitors.get_many(SITE, [visitor(0), visitor(2)]) == {}
    assert await store.visitors.get(SITE, visitor(1)) is not None


async def test_a_purge_of_nothing_writes_nothing(store: Store) -> None:
    await store.writer.submit(answering(visitor(0)))
    assert await store.writer.purge(purging(0, 1, at=NOW)) == Purged()
    assert (await store.log.head(SITE)).size == 1


async def test_a_refusal_keeps_its_record_and_its_newest_entry(store: Store) -> None:
    for action in (Action.ACCEPT_ALL, Action.REJECT_ALL, Action.REJECT_ALL):
        await store.writer.submit(answering(visitor(0), action))
    assert await store.writer.purge(purging(0)) == Purged(entries=2)
    assert [event.seq for event in await store.log.visitor_events(SITE, visitor(0), -1, 10)] == [2]
    assert await store.visitors.get(SITE, visitor(0)) is not None


async def test_a_visitor_who_comes_back_before_the_purge_is_spared(store: Store) -> None:
    """What was looked at before the transaction does not count; what is found in it does."""
    await store.writer.submit(answering(visitor(0)))
    looked_at = purging(0)
    await store.writer.submit(linking(visitor(0), "customer"))
    assert (await store.writer.purge(looked_at)).records == 0
    assert await store.visitors.get(SITE, visitor(0)) is not None


async def test_everything_held_is_gone_through_in_pages(store: Store) -> None:
    await submit_all(store, [answering(visitor(n)) for n in range(5)])
    await store.writer.submit(linking(visitor(3), "customer"))
    first = await store.holdings.page(SITE, "", 3)
    second = await store.holdings.page(SITE, first[-1].record.visitor_id, 3)
    assert await store.holdings.count(SITE) == 5
    assert [holding.record.visitor_id for holding in (*first, *second)] == [visitor(n) for n in range(5)]
    assert [len(holding.entries) for holding in (*first, *second)] == [1, 1, 1, 2, 1]
    assert second[0].record.account is not None
    assert await store.holdings.page(SITE, visitor(4), 3) == []


async def test_a_purged_visitor_who_is_erased_afterwards_loses_the_rest(store: Store) -> None:
    for action in (Action.ACCEPT_ALL, Action.REJECT_ALL):
        await store.writer.submit(answering(visitor(0), action))
    await store.writer.purge(purging(0))
    holding = (await store.holdings.page(SITE, "", 1))[0]
    assert [entry.seq for entry in holding.entries] == [1]


async def test_lapsed_idempotency_keys_go_and_others_stay(store: Store) -> None:
    await submit_all(store, [answering(visitor(n), key="k") for n in range(5)])
    await store.writer.submit(answering(visitor(9), key="k")._replace(now=LATER))
    assert await store.holdings.drop_lapsed_keys(NOW, 10) == 0
    assert await store.holdings.drop_lapsed_keys(LATER, 4) == 4


async def test_the_log_verifies_after_a_purge_and_nothing_of_the_purged_is_left(database: SqlStore) -> None:
    """EVD-02, EVD-10."""
    await submit_all(database, [answering(visitor(n), key=f"k{n}") for n in range(40)])
    await database.writer.purge(purging(*range(0, 40, 2)))

    def look(connection: Connection) -> tuple[int, object, set[str]]:
        size, finding = verify_log(connection, SITE, [], database._secrets.pseudonym, lambda _: None)
        return size, finding, set(connection.scalars(select(t.idempotency_keys.c.visitor_id)))

    assert await database.read(look) == (41, None, {visitor(n) for n in range(1, 40, 2)})
