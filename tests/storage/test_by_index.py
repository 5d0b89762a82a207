"""No statement of a write walks through a table: a shop with ten million visitors answers as one with ten."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import event

from consent_service.storage.sqlite import SqliteStore
from tests.storage.changes import answering, erasing, linking, submit_all, visitor


def scans(path: Path, statements: list[str]) -> set[str]:
    """List the steps of SQLite's plans that read a whole table."""
    with sqlite3.connect(path) as connection:
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall() for statement in statements]
    return {step[3] for plan in plans for step in plan if step[3].startswith("SCAN")}


async def test_a_write_and_an_erasure_find_everything_by_index(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    statements: list[str] = []

    @event.listens_for(sqlite_store._write_engine, "begin")
    def _listen(connection: Any) -> None:
        connection.connection.driver_connection.set_trace_callback(statements.append)

    await submit_all(sqlite_store, [answering(visitor(n), key=f"k{n}") for n in range(3)])
    await submit_all(sqlite_store, [linking(visitor(n), "customer") for n in range(3)])
    await sqlite_store.writer.erase(erasing(visitor(1)))
    asked = [statement for statement in statements if statement.split()[0] in {"SELECT", "UPDATE", "DELETE"}]
    assert len(asked) > 10
    assert {scan for scan in scans(tmp_path / "consent.db", asked) if "VIRTUAL TABLE" not in scan} == set()
