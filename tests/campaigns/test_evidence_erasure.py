"""A5 in a short form, and that it goes red where a step is left out; `make erasure` is the long form."""

from pathlib import Path

import pytest

from consent_service.storage import sqlite
from tests.campaigns.evidence_erasure import on_postgres, on_sqlite
from tests.support.postgres import PostgresServer

VISITORS, STAYING = 40, 200


async def test_no_byte_of_erased_visitors_is_left_in_the_sqlite_file(tmp_path: Path) -> None:
    """A5, contract §6.1: ids, salts, payloads, account hashes and remembered answers, whole or in part."""
    outcome = await on_sqlite(tmp_path, VISITORS, STAYING)
    assert (outcome.before > 0, outcome.after, outcome.finding) == (True, 0, None)
    assert outcome.proofs == 3 * VISITORS


async def test_without_secure_delete_the_bytes_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pragmas = [pragma.replace("secure_delete=ON", "secure_delete=OFF") for pragma in sqlite._WRITER_PRAGMAS]
    monkeypatch.setattr(sqlite, "_WRITER_PRAGMAS", pragmas)
    assert (await on_sqlite(tmp_path, VISITORS, STAYING)).after > 0


async def test_whoever_stops_after_an_erasure_sweeps_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be found without it, tests/storage/test_sqlite_residue.py shows; here which pages split is chance."""
    swept: list[Path] = []
    monkeypatch.setattr(sqlite, "sweep", lambda file: swept.append(file) is None)
    await on_sqlite(tmp_path, 2, 2)
    assert swept == [tmp_path / "consent.db"]


async def test_no_byte_is_left_in_the_files_of_postgresql_once_its_tables_are_rewritten(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """A5: as docs/evidence.md tells the operator; before that they are there."""
    outcome = await on_postgres(postgres_server, tmp_path, 20, 40)
    assert (outcome.before > 0, outcome.after, outcome.finding) == (True, 0, None)
    assert outcome.unswept > 0
    assert outcome.proofs == 3 * 20
