"""Sweeping a SQLite file: only bytes that mean nothing, only after an erasure, and only alone with the file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from consent_service.storage.sqlite_residue import MARK, sweep

ROWS = 2_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Make a file whose pages were split, with every other of its rows erased again."""
    path = tmp_path / "some.db"
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("CREATE TABLE t (id TEXT PRIMARY KEY, more TEXT) WITHOUT ROWID")
        scattered = [((n * 7_919) % ROWS, n) for n in range(ROWS)]
        named = [(f"{n:05}-erased" if n % 2 else f"{n:05}-stays", f"more-{m}") for n, m in scattered]
        connection.executemany("INSERT INTO t VALUES (?, ?)", named)
        connection.execute("DELETE FROM t WHERE id LIKE '%-erased'")
    connection.close()
    return path


@pytest.fixture
def somebody_else(file: Path) -> Iterator[sqlite3.Connection]:
    """Let another connection have the file open."""
    connection = sqlite3.connect(file)
    connection.execute("SELECT count(*) FROM t")
    yield connection
    connection.close()


def mark(file: Path) -> None:
    """Say that rows were erased."""
    with sqlite3.connect(file, isolation_level=None) as connection:
        connection.execute(MARK)
    connection.close()


def rows(file: Path) -> tuple[str, int, int]:
    """Give what SQLite says of the file, how many rows it has, and whether it is marked."""
    with sqlite3.connect(file, isolation_level=None) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchone()[0]
        count = connection.execute("SELECT count(*) FROM t").fetchone()[0]
        marked = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return whole, count, marked


def test_what_split_pages_kept_is_zeroed_and_the_file_stays_whole(file: Path) -> None:
    assert b"-erased" in file.read_bytes()
    mark(file)
    assert sweep(file)
    assert b"-erased" not in file.read_bytes()
    assert rows(file) == ("ok", ROWS // 2, 0)


def test_nothing_is_done_before_anything_was_erased(file: Path) -> None:
    before = file.read_bytes()
    assert sweep(file)
    assert file.read_bytes() == before


def test_a_file_that_somebody_else_has_open_is_left_alone(file: Path, somebody_else: sqlite3.Connection) -> None:
    mark(file)
    assert not sweep(file)
    assert somebody_else.execute("SELECT count(*) FROM t").fetchone() == (ROWS // 2,)
    assert rows(file)[2] == 1
