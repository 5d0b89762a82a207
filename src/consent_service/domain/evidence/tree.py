"""The Merkle tree of RFC 6962 §2.1 as an append-only frontier.

The frontier holds the roots of the perfect subtrees along the right edge, largest first: one for each 1 bit of
the size. That is all an append needs. Of the inner nodes only those at levels 4, 8, 12, … are kept by storage,
about one row for 15 leaves; what lies between is computed again from at most eight of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple, Self

from consent_service.domain.evidence.leaf import HASH_BYTES

STORED_LEVEL_STEP = 4
EMPTY_ROOT = sha256(b"").digest()
NODE_PREFIX = b"\x01"


class FrontierMalformed(ValueError):
    """The bytes are not the frontier of a tree of this size."""


class NodeId(NamedTuple):
    """A perfect subtree: it covers the leaves from `index << level` up to `(index + 1) << level`, the end excluded.

    Level 0 is a leaf. A plain tuple of the two numbers is as good as a key.
    """

    level: int
    index: int  # type: ignore[assignment] # A tuple's method of that name is no loss; RFC and storage say index.


class Node(NamedTuple):
    """An inner node that is complete, so it never changes again."""

    level: int
    index: int  # type: ignore[assignment] # A tuple's method of that name is no loss; RFC and storage say index.
    hash: bytes


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent (RFC 6962 §2.1)."""
    return sha256(NODE_PREFIX + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a log with `size` leaves."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf_hashes: Iterable[bytes]) -> "tuple[Frontier, list[Node]]":
        """Add leaves, and give the nodes that became complete and must be stored, in the order they did."""
        edge = list(self.hashes)
        size = self.size
        completed: list[Node] = []
        for leaf in leaf_hashes:
            subtree, level, index = leaf, 0, size
            while index & 1:
                subtree = node_hash(edge.pop(), subtree)
                level += 1
                index >>= 1
                if level % STORED_LEVEL_STEP == 0:
                    completed.append(Node(level, index, subtree))
            edge.append(subtree)
            size += 1
        return Frontier(size, tuple(edge)), completed

    def root(self) -> bytes:
        """Give the root hash of the whole log."""
        return fold_right(self.hashes)

    def to_bytes(self) -> bytes:
        """Serialise the hashes; the size is kept beside them and gives the shape."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Self:
        """Read the frontier of a log of `size` leaves back; raises FrontierMalformed where the length is wrong."""
        if size < 0 or len(data) != size.bit_count() * HASH_BYTES:
            raise FrontierMalformed(f"{len(data)} bytes are not the frontier of a log with {size} entries")
        return cls(size, tuple(data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)))


def fold_right(hashes: tuple[bytes, ...]) -> bytes:
    """Join neighbouring subtrees, each larger than the next, into the root above them; nothing is the empty tree."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def completed_between(old_size: int, new_size: int) -> list[tuple[int, range]]:
    """Name the stored nodes that a log completes while it grows from one size to another: level, then indexes.

    A reader that verifies the log in pages fetches exactly these after each page.
    """
    found: list[tuple[int, range]] = []
    level = STORED_LEVEL_STEP
    while new_size >> level:
        indexes = range(old_size >> level, new_size >> level)
        if indexes:
            found.append((level, indexes))
        level += STORED_LEVEL_STEP
    return found
