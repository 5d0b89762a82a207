"""The reports' counters: kept with the events in one transaction, alike in all stores, and right after an erasure."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Literal

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from consent_service.domain.counts import FIGURES, day_number
from consent_service.domain.errors import PreconditionFailed
from consent_service.domain.vocabulary import Action
from consent_service.ports import CountGroup, CountQuery, Store
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from tests.domain.test_counts import told
from tests.storage.changes import answering, erasing, refused, submit_all, visitor
from tests.support.builders import NOW, SITE
from tests.support.histories import HISTORIES

TODAY = day_number(NOW)
MIGRATION = Path(__file__).parents[2] / "migrations" / "versions" / "20261125_report_counts.py"


def count_anew(connection: Connection) -> None:
    """Take the counters away and let the migration make them, whatever came after it."""
    spec = spec_from_file_location("report_counts_migration", MIGRATION)
    assert spec is not None
    assert spec.loader is not None
    migration = module_from_spec(spec)
    spec.loader.exec_module(migration)
    connection.execute(text("DROP TABLE report_counts"))
    with Operations.context(MigrationContext.configure(connection)):
        migration.upgrade()


@pytest.fixture(params=["sqlite_store", "postgres_store"])
def sql_store(request: pytest.FixtureRequest) -> SqliteStore | PostgresStore:
    """Give each of the two databases in turn."""
    found: SqliteStore | PostgresStore = request.getfixturevalue(request.param)
    return found


def asked(
    group_by: Literal["day", "policy_version", "region"], channel: str = "web", first: int = 0, last: int = 400
) -> CountQuery:
    """Ask for the counters of some days from today on."""
    return CountQuery(SITE, channel, TODAY + first, TODAY + last, group_by)


async def tell(store: Store) -> None:
    """Let the visitors of the histories do what they did."""
    for step in HISTORIES:
        await store.writer.submit(step.change)


async def everything(store: Store) -> list[list[CountGroup]]:
    """Give all counters, grouped in each way."""
    queries = [asked(group, channel) for group in ("day", "policy_version", "region") for channel in ("web", "email")]
    return [await store.counts.sums(query) for query in queries]


def named(group: CountGroup) -> dict[str, int]:
    """Give a group's figures that are not nothing."""
    return {name: number for name, number in zip(FIGURES, group.counts, strict=True) if number}


async def test_every_store_counts_what_the_rule_counts(store: Store) -> None:
    await tell(store)
    expected = [list(counts) for key, counts in sorted(told(*HISTORIES).items()) if key.channel == "web"]
    whole = [sum(column) for column in zip(*expected, strict=True)]
    (version,) = await store.counts.sums(asked("policy_version"))
    assert (version.group, version.counts) == ("v1", whole)


async def test_groups_come_in_order_and_only_for_the_days_asked(store: Store) -> None:
    await tell(store)
    days = await store.counts.sums(asked("day", first=0, last=2))
    regions = await store.counts.sums(asked("region", first=0, last=0))
    assert [group.group for group in days] == [TODAY, TODAY + 1, TODAY + 2]
    assert [group.group for group in regions] == ["", "DE", "FR", "US-CA"]


async def test_a_batch_adds_to_what_is_there_and_a_refused_or_repeated_change_to_nothing(store: Store) -> None:
    await submit_all(store, [answering(visitor(n), key="k") for n in range(3)])
    await submit_all(
        store, [answering(visitor(0), key="k"), refused(visitor(5), PreconditionFailed()), answering(visitor(6))]
    )
    (day,) = await store.counts.sums(asked("day"))
    assert (named(day)["answers"], named(day)["granted_advertising"]) == (4, 4)


async def test_the_counters_of_another_site_are_not_seen(store: Store) -> None:
    await submit_all(store, [answering(visitor(1), site="other"), answering(visitor(2), Action.REJECT_ALL)])
    (day,) = await store.counts.sums(asked("day"))
    assert named(day)["answers"] == 1


async def test_an_erasure_leaves_the_counters_as_they_are(store: Store) -> None:
    """EVD-14: they hold nobody's id, and what happened has happened."""
    await tell(store)
    before = await everything(store)
    await store.writer.erase(erasing("a"))
    assert await everything(store) == before


async def test_the_migration_counts_what_happened_before_it(sql_store: SqliteStore | PostgresStore) -> None:
    await tell(sql_store)
    counted = await everything(sql_store)
    await sql_store.write(count_anew)
    assert await everything(sql_store) == counted
