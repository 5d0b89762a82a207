"""Removes what SQLite leaves of erased rows in the unused bytes of its pages.

`secure_delete` overwrites a row where it stands when it is deleted. But when a page was split earlier, SQLite moved
rows to another page and left their bytes between the page's row pointers and its rows, where nothing points to them
and nothing overwrites them. Those bytes mean nothing to SQLite, so they are zeroed in the file, alone with it, when
the service stops (https://sqlite.org/fileformat2.html §1.6).
"""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

MARK = "PRAGMA user_version = 1"
"""Part of the transaction that erases: the file is to be swept before it may be said that nothing is left."""
_UNMARK = "PRAGMA user_version = 0"
_ROW_POINTERS_AT = {0x02: 12, 0x05: 12, 0x0A: 8, 0x0D: 8}
"""By the first byte of a B-tree page: where its row pointers begin."""
_MOST_PAGES = 1 << 25
"""From here on the first byte of another page's chain number could look like that of a B-tree page."""
_FILE_HEADER_BYTES = 100
_PAGES_AT_ONCE = 1_024
_ALONE_MILLISECONDS = 500


def sweep(path: Path) -> bool:
    """Zero the unused bytes of all pages if rows were erased; False where another process has the file open."""
    # Once anything of this process closes the file, SQLite's locks on it are gone (POSIX), so this is closed last.
    with path.open("r+b", buffering=0) as file:
        uri = f"file:{quote(str(path.absolute()))}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        try:
            connection.execute(f"PRAGMA busy_timeout={_ALONE_MILLISECONDS}")
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                return True
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            _zero_unused(file.fileno())
            connection.execute(_UNMARK)
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()
    return True


def _zero_unused(file: int) -> None:
    header = os.pread(file, _FILE_HEADER_BYTES, 0)
    size = int.from_bytes(header[16:18], "big")
    size = 65_536 if size == 1 else size
    usable = size - header[20]
    pages = os.fstat(file).st_size // size
    if pages >= _MOST_PAGES:
        raise sqlite3.OperationalError("the file is too large to be swept page by page")
    for first in range(0, pages, _PAGES_AT_ONCE):
        block = os.pread(file, _PAGES_AT_ONCE * size, first * size)
        for start in range(0, len(block), size):
            gap = _unused(block, start, _FILE_HEADER_BYTES if first + start == 0 else 0, usable)
            if gap and block.count(0, *gap) != gap[1] - gap[0]:
                os.pwrite(file, bytes(gap[1] - gap[0]), first * size + gap[0])
    os.fsync(file)


def _unused(block: bytes, start: int, header: int, usable: int) -> tuple[int, int] | None:
    """Give where the bytes between a page's row pointers and its rows begin and end; None for other pages."""
    at = start + header
    pointers = _ROW_POINTERS_AT.get(block[at])
    if pointers is None:
        return None
    rows = int.from_bytes(block[at + 3 : at + 5], "big")
    content = int.from_bytes(block[at + 5 : at + 7], "big") or 65_536
    begin = at + pointers + 2 * rows
    end = start + content
    return (begin, end) if begin <= end <= start + usable else None
