"""Copies a SQLite file while it is being served: one consistent moment of it, durable before anybody is told."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

_PAGES = 2_000
"""Pages copied before progress is shown; eight megabytes."""

Progress = Callable[[int, int], None]
"""Is told of the pages that remain and of all there are."""


def back_up(source: Path, target: Path, progress: Progress) -> None:
    """Copy the database to a new file, readable by its owner alone; raises OSError where the file is there already.

    One read transaction spans the whole copy, so writers go on and the copy is of the moment at which it began.
    """
    draft = target.with_name(target.name + ".draft")
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _copy(source, draft, progress)
        _sync(draft)
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        raise
    _sync(target.parent)


def _copy(source: Path, draft: Path, progress: Progress) -> None:
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    reading = sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=ro", uri=True, isolation_level=None)
    writing = sqlite3.connect(draft, isolation_level=None)
    try:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master")
        reading.backup(writing, pages=_PAGES, progress=lambda _, remaining, total: progress(remaining, total))
        writing.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        writing.close()
        reading.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
