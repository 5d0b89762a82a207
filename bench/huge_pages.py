"""Huge pages for PostgreSQL's buffers, as its documentation advises for large ones (PostgreSQL 18, 18.4.5).

With 4 KB pages the tables that translate addresses outgrow the processor's caches long before the data do. Only root
may reserve huge pages; what is reserved here is given back.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

_COUNT = Path("/proc/sys/vm/nr_hugepages")
_MEMORY = Path("/proc/meminfo")
_SHARE = 1.07
"""What PostgreSQL keeps in shared memory beside its buffers: locks, its log's buffers, the buffers' own table."""


@contextlib.contextmanager
def huge_pages(wanted: int) -> Iterator[bool]:
    """Reserve huge pages for so many bytes and tell whether they are there; Linux gives as many as it can."""
    size = _size()
    needed = int(wanted * _SHARE / size) if size else 0
    before = _reserved()
    if needed and before < needed:
        with contextlib.suppress(OSError):
            _COUNT.write_text(str(needed), "ascii")
    enough = bool(needed) and _reserved() >= needed
    try:
        if not enough:
            _give_back(before)
        yield enough
    finally:
        _give_back(before)


def _give_back(before: int) -> None:
    if _reserved() != before:
        with contextlib.suppress(OSError):
            _COUNT.write_text(str(before), "ascii")


def _reserved() -> int:
    try:
        return int(_COUNT.read_text("ascii"))
    except (OSError, ValueError):
        return 0


def _size() -> int:
    """Give the bytes of a huge page; 0 where there are none."""
    try:
        lines = _MEMORY.read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Hugepagesize:")), 0)
