"""RFC 6962 written down as the RFC says it, recursively and slowly, to hold the real one against."""

from functools import cache
from hashlib import sha256


@cache
def leaf(seq: int) -> bytes:
    """Give the hash of a made-up leaf."""
    return sha256(b"\x00" + b"leaf %d" % seq).digest()


@cache
def tree_hash(start: int, end: int) -> bytes:
    """MTH(D[start:end]), §2.1."""
    if end == start:
        return sha256(b"").digest()
    if end - start == 1:
        return leaf(start)
    middle = start + split(end - start)
    return sha256(b"\x01" + tree_hash(start, middle) + tree_hash(middle, end)).digest()


def split(size: int) -> int:
    """Give the largest power of two smaller than `size`."""
    half = 1
    while half * 2 < size:
        half *= 2
    return half


def path(seq: int, start: int, end: int) -> tuple[bytes, ...]:
    """PATH(m, D[start:end]), §2.1.1; `seq` counts from the start of the whole log."""
    if end - start == 1:
        return ()
    middle = start + split(end - start)
    if seq < middle:
        return (*path(seq, start, middle), tree_hash(middle, end))
    return (*path(seq, middle, end), tree_hash(start, middle))


def consistency(old: int, start: int, end: int, *, whole: bool = True) -> tuple[bytes, ...]:
    """SUBPROOF(m, D[start:end], b), §2.1.2; `old` counts from the start of the whole log."""
    if old == end:
        return () if whole else (tree_hash(start, end),)
    middle = start + split(end - start)
    if old <= middle:
        return (*consistency(old, start, middle, whole=whole), tree_hash(middle, end))
    return (*consistency(old, middle, end, whole=False), tree_hash(start, middle))
