"""Inclusion and consistency proofs (RFC 6962 §2.1.1, §2.1.2), made from stored nodes and checked without them.

Making a proof has two steps, so that nothing here knows a database: a plan names the spans of leaves whose
subtree roots the proof consists of, `required_nodes` names the stored rows to fetch for them, and `assemble`
turns fetched rows into hashes. A proof in a log of n entries reads fewer than 2 * 15 * log16(n) + log2(n) rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from consent_service.domain.errors import OutOfRange
from consent_service.domain.evidence.leaf import HASH_BYTES
from consent_service.domain.evidence.tree import STORED_LEVEL_STEP, NodeId, fold_right, node_hash


class OutsideLog(OutOfRange, ValueError):
    """The log has no such entry or size."""


class NodeMissing(LookupError):
    """Storage does not hold a row that the log must have."""


class Span(NamedTuple):
    """Neighbouring leaves, from `start` up to `end`, the end excluded."""

    start: int
    end: int


Plan = tuple[Span, ...]


def plan_root(size: int) -> Plan:
    """Plan the root hash that the log had at `size`: a proof of one element."""
    if size < 0:
        raise OutsideLog("a log has no negative size")
    return (Span(0, size),)


def plan_frontier(size: int) -> Plan:
    """Plan the right edge that the log had at `size`: the perfect subtrees, largest first."""
    return tuple(Span(index << level, (index + 1) << level) for level, index in _subtrees(Span(0, size)))


def plan_inclusion(seq: int, size: int) -> Plan:
    """Plan the audit path of entry `seq` in a log of `size` entries, the leaf's sibling first.

    Raises OutsideLog unless 0 <= seq < size.
    """
    if not 0 <= seq < size:
        raise OutsideLog("an inclusion proof needs 0 <= seq < size")
    path: list[Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left_size(end - start)
        if seq < middle:
            path.append(Span(middle, end))
            end = middle
        else:
            path.append(Span(start, middle))
            start = middle
    return tuple(reversed(path))


def plan_consistency(old: int, new: int) -> Plan:
    """Plan the proof that the log of size `old` is the beginning of the log of size `new`; empty for equal sizes.

    Raises OutsideLog unless 1 <= old <= new.
    """
    if not 1 <= old <= new:
        raise OutsideLog("a consistency proof needs 1 <= from <= to")
    path: list[Span] = []
    start, end = 0, new
    while end != old:
        middle = start + _left_size(end - start)
        if old <= middle:
            path.append(Span(middle, end))
            end = middle
        else:
            path.append(Span(start, middle))
            start = middle
    if start > 0:
        path.append(Span(start, end))
    return tuple(reversed(path))


def required_nodes(spans: Iterable[Span]) -> set[NodeId]:
    """Name the rows that `assemble` needs: leaf hashes (level 0) and stored nodes (levels 4, 8, 12, …)."""
    return {row for span in spans for subtree in _subtrees(span) for row in _stored_rows(subtree)}


def assemble(spans: Iterable[Span], rows: Mapping[NodeId, bytes]) -> tuple[bytes, ...]:
    """Compute the root hash of every span from fetched rows; raises NodeMissing where one is not there."""
    return tuple(fold_right(tuple(_subtree_root(subtree, rows) for subtree in _subtrees(span))) for span in spans)


def verify_inclusion(leaf: bytes, seq: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Check that the leaf with this hash is entry `seq` of the log with this size and root (RFC 9162 §2.1.3.2).

    Never raises: whatever does not prove it is False.
    """
    if not 0 <= seq < size or not _are_hashes(leaf, root, *proof):
        return False
    node, last, computed = seq, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and computed == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Check that a log of size `old` is the beginning of a log of size `new` (RFC 9162 §2.1.4.2).

    Never raises: whatever does not prove it is False.
    """
    if not 1 <= old <= new or not _are_hashes(old_root, new_root, *proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_computed = new_computed = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old_computed = node_hash(sibling, old_computed)
            new_computed = node_hash(sibling, new_computed)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_computed = node_hash(new_computed, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old_computed == old_root and new_computed == new_root


def _left_size(size: int) -> int:
    """Give the largest power of two below `size`, where RFC 6962 splits a tree."""
    return 1 << (size - 1).bit_length() - 1


def _subtrees(span: Span) -> Iterator[NodeId]:
    """Split a span into perfect subtrees, the largest first; its start must be a multiple of the first one's size.

    Every span of a plan is like that: only its right end may be ragged.
    """
    start, end = span
    while start < end:
        level = (end - start).bit_length() - 1
        yield NodeId(level, start >> level)
        start += 1 << level


def _stored_rows(subtree: NodeId) -> list[NodeId]:
    level = subtree.level - subtree.level % STORED_LEVEL_STEP
    count = 1 << subtree.level - level
    return [NodeId(level, subtree.index * count + offset) for offset in range(count)]


def _subtree_root(subtree: NodeId, rows: Mapping[NodeId, bytes]) -> bytes:
    try:
        layer = [rows[row] for row in _stored_rows(subtree)]
    except KeyError as missing:
        level, index = missing.args[0]
        raise NodeMissing(f"the log has no row for level {level}, index {index}") from None
    while len(layer) > 1:
        layer = [node_hash(layer[at], layer[at + 1]) for at in range(0, len(layer), 2)]
    return layer[0]


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
