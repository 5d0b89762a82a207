"""No statement of a write walks through a table: a shop with ten million visitors answers as one with ten."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import event

from consent_service.domain.evidence.tree import NodeId
from consent_service.domain.webhooks import Endpoint
from consent_service.storage.hot_sql import POSTGRES_LOOK
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from tests.storage.changes import answering, erasing, linking, submit_all, visitor
from tests.support.builders import NOW, SITE


def scans(path: Path, statements: list[str]) -> set[str]:
    """List the steps of SQLite's plans that read a whole table."""
    with sqlite3.connect(path) as connection:
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall() for statement in statements]
    return {step[3] for plan in plans for step in plan if step[3].startswith("SCAN")}


def scans_of(plan: dict[str, Any], index: str = "") -> Iterator[dict[str, Any]]:
    """Walk through the steps of PostgreSQL's plan that read a table, or one of its indexes."""
    if "Relation Name" in plan and index in plan.get("Index Name", ""):
        yield plan
    for part in plan.get("Plans", ()):
        yield from scans_of(part, index)


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


async def test_a_glance_at_the_outbox_walks_along_its_index_and_stops_at_its_limit(
    sqlite_store: SqliteStore, tmp_path: Path
) -> None:
    statements: list[str] = []
    index = "ix_webhook_outbox_site_endpoint_due_at"

    @event.listens_for(sqlite_store._read_engine, "begin")
    def _listen(connection: Any) -> None:
        connection.connection.driver_connection.set_trace_callback(statements.append)

    await sqlite_store.outbox.depth(Endpoint("crm", SITE, "https://crm.example/", NOW), 10)
    asked = [statement for statement in statements if "FROM webhook_outbox" in statement]
    with sqlite3.connect(tmp_path / "consent.db") as connection:
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall() for statement in asked]
    assert [statement.count("LIMIT 10") for statement in asked] == [1, 1]
    assert {step[3] for plan in plans for step in plan if "webhook_outbox" in step[3]} == {
        f"SEARCH webhook_outbox USING INDEX {index} (site=? AND endpoint=? AND due_at>?)",
        f"SEARCH webhook_outbox USING COVERING INDEX {index} (site=? AND endpoint=? AND due_at=?)",
    }


async def test_the_nodes_of_a_proof_are_looked_up_one_by_one(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    """Issue 3 item 1: a proof costs what its depth says, not what the log holds."""
    statements: list[str] = []
    await submit_all(sqlite_store, [answering(visitor(n)) for n in range(300)])

    @event.listens_for(sqlite_store._read_engine, "begin")
    def _listen(connection: Any) -> None:
        connection.connection.driver_connection.set_trace_callback(statements.append)

    wanted = [NodeId(0, 3), NodeId(4, 1), NodeId(4, 17), NodeId(8, 0)]
    assert set(await sqlite_store.log.nodes(SITE, wanted)) == set(wanted)
    asked = [statement for statement in statements if "FROM log_nodes" in statement]
    with sqlite3.connect(tmp_path / "consent.db") as connection:
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall() for statement in asked]
    assert {step[3] for plan in plans for step in plan} == {
        "SEARCH log_nodes USING PRIMARY KEY (site=? AND level=? AND index=?)"
    }


async def test_a_lookup_finds_all_its_visitors_by_key_on_sqlite(sqlite_store: SqliteStore, tmp_path: Path) -> None:
    statements: list[str] = []
    assert sqlite_store._lookup is not None
    sqlite_store._lookup.set_trace_callback(statements.append)
    await sqlite_store.visitors.get_many(SITE, [visitor(1), visitor(2)])
    with sqlite3.connect(tmp_path / "consent.db") as connection:
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall() for statement in statements]
    assert [step[3].replace(" LEFT-JOIN", "") for plan in plans for step in plan] == [
        "SCAN k VIRTUAL TABLE INDEX 1:",
        "SEARCH v USING PRIMARY KEY (site=? AND visitor_id=?)",
        "SEARCH a USING PRIMARY KEY (site=? AND account=?)",
    ]


async def test_kept_statements_find_rows_by_key_from_the_first_visitor_on_postgresql(
    postgres_store: PostgresStore,
) -> None:
    """Their plans are made while the tables are empty, where reading all of one is the quickest, and kept."""
    await postgres_store.visitors.get_many(SITE, [visitor(1), visitor(2)])
    await submit_all(postgres_store, [answering(visitor(n)) for n in range(3)])
    lane, some = postgres_store._lanes[-1], [visitor(n) for n in range(10)]
    assert lane._of_one_site is not None
    assert lane._of_several_sites is not None
    async with postgres_store._write_lane._looks.held() as connection:
        look = await connection.prepare(POSTGRES_LOOK)
        plans = [
            await lane._of_one_site.explain(SITE, some),
            await lane._of_several_sites.explain([SITE, "other"] * 5, some),
            await look.explain(SITE, some, ["owner"] * 10, ["key"] * 10),
        ]
    kinds = {scan["Node Type"] for plan in plans for scan in scans_of(plan[0]["Plan"])}
    found = {scan["Index Cond"].count(" = ") for plan in plans for scan in scans_of(plan[0]["Plan"], "pk_visitors")}
    assert kinds == {"Index Scan", "Index Only Scan"}
    assert found == {2}  # by site and visitor, never all visitors of the site
