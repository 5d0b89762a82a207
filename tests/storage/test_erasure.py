"""What an erasure leaves in the databases: the leaf and a stub, and of the person not one byte."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from consent_service.domain.moments import to_micros
from consent_service.domain.record_text import StoredVisitor
from consent_service.domain.webhooks import Endpoint
from consent_service.storage import tables as t
from consent_service.storage.batch_state import Secrets
from consent_service.storage.migrate import upgrade
from consent_service.storage.payloads import pack
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from tests.storage.changes import answering, erasing, linking, submit_all, visitor
from tests.support.builders import NOW, SITE

PERSON, OTHER = visitor(1), visitor(2)
CUSTOMER = "the-hash-of-an-account"

SqlStore = SqliteStore | PostgresStore


@pytest.fixture(params=["sqlite_store", "postgres_store"])
def database(request: pytest.FixtureRequest) -> SqlStore:
    """Give each of the two databases in turn."""
    found: SqlStore = request.getfixturevalue(request.param)
    return found


def found_in_files(directory: Path, traces: list[bytes]) -> list[bytes]:
    """Give those of the traces that stand in the database file or in its write-ahead log."""
    content = b"".join(path.read_bytes() for path in sorted(directory.glob("consent.db*")))
    return [trace for trace in traces if trace in content]


async def test_a_keyed_hash_is_kept_so_that_no_import_brings_the_visitor_back(database: SqlStore) -> None:
    """IDN-09: the stub names nobody."""
    await database.writer.submit(answering(PERSON))
    await database.writer.erase(erasing(PERSON))
    kept = await database.read(lambda connection: connection.execute(select(t.suppressions)).all())
    assert [tuple(row) for row in kept] == [(SITE, "stub 001", NOW)]


async def test_no_row_of_the_erased_visitor_is_left(database: SqlStore) -> None:
    await database.catalog.add_endpoint(Endpoint("crm", SITE, "https://crm.example/", NOW))
    await submit_all(database, [answering(PERSON, key="a-key"), answering(OTHER, key="another")])
    await database.writer.submit(linking(PERSON, CUSTOMER))
    await database.writer.erase(erasing(PERSON))
    tables = (t.visitors, t.log_payloads, t.idempotency_keys, t.webhook_outbox)
    owners = [
        await database.read(lambda connection, table=table: set(connection.scalars(select(table.c.visitor_id))))  # type: ignore[misc]
        for table in tables
    ]
    assert owners == [{OTHER}, {OTHER, ""}, {OTHER}, {OTHER}]
    assert await database.read(lambda connection: connection.execute(select(t.accounts)).all()) == []


async def test_no_byte_of_the_erased_visitor_is_left_in_any_file(tmp_path: Path, made_with: Secrets) -> None:
    """Contract §6.1, A5: neither in the database file nor in its log once the service has stopped."""
    await asyncio.to_thread(upgrade, f"sqlite:///{tmp_path / 'consent.db'}")
    store = SqliteStore(tmp_path / "consent.db", made_with)
    await store.start()
    await submit_all(store, [answering(visitor(n), key=f"key-of-{visitor(n)}") for n in range(40)])
    await store.writer.submit(linking(PERSON, CUSTOMER))
    (first, *_) = await store.log.visitor_events(SITE, PERSON, -1, 1)
    traces = [PERSON.encode(), CUSTOMER.encode(), first.salt or b"-", pack(first.payload or b"-")[5:]]
    before = found_in_files(tmp_path, traces)
    await store.writer.erase(erasing(PERSON))
    await store.stop()
    assert before == traces
    assert found_in_files(tmp_path, [*traces, OTHER.encode()]) == [OTHER.encode()]


async def test_a_visitor_who_returns_after_an_erasure_begins_anew(database: SqlStore) -> None:
    await database.writer.submit(answering(PERSON))
    await database.writer.erase(erasing(PERSON))
    await database.writer.submit(answering(PERSON))
    stored = await database.visitors.get(SITE, PERSON)
    assert isinstance(stored, StoredVisitor)
    assert stored.revision == 1
    assert [event.seq for event in await database.log.visitor_events(SITE, PERSON, -1, 10)] == [2]


async def test_times_in_the_database_are_whole_microseconds(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    await sqlite_store.writer.submit(answering(PERSON))
    with sqlite3.connect(tmp_path / "consent.db") as connection:
        assert connection.execute("SELECT time FROM log_leaves").fetchall() == [(to_micros(NOW),)]
