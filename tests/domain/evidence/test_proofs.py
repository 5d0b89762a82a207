"""Proofs: an auditor who trusts one checkpoint can check one entry, or a newer checkpoint, and nobody can fake it."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.errors import OutOfRange
from consent_service.domain.evidence.proofs import (
    NodeMissing,
    OutsideLog,
    Plan,
    assemble,
    plan_consistency,
    plan_inclusion,
    plan_root,
    required_nodes,
    verify_consistency,
    verify_inclusion,
)
from consent_service.domain.evidence.tree import EMPTY_ROOT, Frontier, NodeId
from tests.domain.evidence import reference
from tests.domain.evidence.reference import leaf, tree_hash

LARGEST = 5000
SMALL_SIZES = range(1, 131)
_, _NODES = Frontier().append([leaf(seq) for seq in range(LARGEST)])
STORED = {(node.level, node.index): node.hash for node in _NODES} | {(0, seq): leaf(seq) for seq in range(LARGEST)}
SIZES = st.integers(1, LARGEST)


def fetch(plan: Plan) -> dict[NodeId, bytes]:
    """Fetch from the store just what a plan asks for."""
    return {row: STORED[row] for row in required_nodes(plan)}


def inclusion(seq: int, size: int) -> tuple[bytes, ...]:
    """Make an inclusion proof from stored rows."""
    plan = plan_inclusion(seq, size)
    return assemble(plan, fetch(plan))


def consistency(old: int, new: int) -> tuple[bytes, ...]:
    """Make a consistency proof from stored rows."""
    plan = plan_consistency(old, new)
    return assemble(plan, fetch(plan))


@pytest.mark.parametrize("size", SMALL_SIZES)
def test_every_entry_of_a_small_log_has_the_path_of_the_rfc(size: int) -> None:
    assert [inclusion(seq, size) for seq in range(size)] == [reference.path(seq, 0, size) for seq in range(size)]
    assert all(verify_inclusion(leaf(seq), seq, size, inclusion(seq, size), tree_hash(0, size)) for seq in range(size))


@pytest.mark.parametrize("new", SMALL_SIZES)
def test_every_older_size_of_a_small_log_has_the_proof_of_the_rfc(new: int) -> None:
    olds = range(1, new + 1)
    proofs = {old: consistency(old, new) for old in olds}

    assert proofs == {old: reference.consistency(old, 0, new) for old in olds}
    assert all(verify_consistency(old, new, tree_hash(0, old), tree_hash(0, new), proofs[old]) for old in olds)


@given(SIZES, st.data())
def test_an_entry_of_a_larger_log_is_proved(size: int, data: st.DataObject) -> None:
    seq = data.draw(st.integers(0, size - 1))
    proof = inclusion(seq, size)

    assert proof == reference.path(seq, 0, size)
    assert verify_inclusion(leaf(seq), seq, size, proof, tree_hash(0, size))


@given(SIZES, st.data())
def test_an_older_size_of_a_larger_log_is_proved(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    proof = consistency(old, new)

    assert proof == reference.consistency(old, 0, new)
    assert verify_consistency(old, new, tree_hash(0, old), tree_hash(0, new), proof)


@given(st.integers(0, LARGEST))
def test_the_root_of_any_older_size_is_found_again(size: int) -> None:
    plan = plan_root(size)

    assert assemble(plan, fetch(plan)) == (tree_hash(0, size),)


def test_the_root_of_the_empty_log_needs_no_row() -> None:
    assert required_nodes(plan_root(0)) == set()
    assert assemble(plan_root(0), {}) == (EMPTY_ROOT,)


@given(st.integers(1, 2**40), st.data())
def test_a_proof_reads_a_handful_of_rows_however_large_the_log(size: int, data: st.DataObject) -> None:
    seq = data.draw(st.integers(0, size - 1))
    most = 2 * 15 * (log2(size) / 4 + 1) + log2(size)

    assert len(required_nodes(plan_inclusion(seq, size))) <= most
    assert len(required_nodes(plan_consistency(seq + 1, size))) <= most
    assert {row.level % 4 for row in required_nodes(plan_inclusion(seq, size))} <= {0}


@given(st.integers(2, 2**40), st.data())
def test_a_proof_asks_only_for_rows_that_the_log_has(size: int, data: st.DataObject) -> None:
    seq = data.draw(st.integers(0, size - 1))
    rows = required_nodes(plan_inclusion(seq, size)) | required_nodes(plan_consistency(seq + 1, size))

    assert all((row.index + 1) << row.level <= size for row in rows)


@pytest.mark.parametrize(("seq", "size"), [(0, 0), (-1, 5), (5, 5), (6, 5), (0, -1)])
def test_there_is_no_inclusion_proof_outside_the_log(seq: int, size: int) -> None:
    with pytest.raises(OutsideLog):
        plan_inclusion(seq, size)

    assert not verify_inclusion(leaf(0), seq, size, [], leaf(0))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (-1, 5), (6, 5)])
def test_there_is_no_consistency_proof_outside_the_log(old: int, new: int) -> None:
    with pytest.raises(OutsideLog):
        plan_consistency(old, new)

    assert not verify_consistency(old, new, EMPTY_ROOT, EMPTY_ROOT, [])


def test_there_is_no_root_of_a_negative_size() -> None:
    with pytest.raises(OutOfRange):
        plan_root(-1)


def test_a_missing_row_is_named() -> None:
    plan = plan_inclusion(3, 300)
    rows = fetch(plan)
    del rows[NodeId(4, 5)]

    with pytest.raises(NodeMissing, match="level 4, index 5"):
        assemble(plan, rows)


def flip(data: bytes, bit: int) -> bytes:
    """Turn one bit over."""
    return (int.from_bytes(data) ^ (1 << bit)).to_bytes(len(data))


def mutate(proof: tuple[bytes, ...], data: st.DataObject) -> tuple[bytes, ...]:
    """Change a proof in one of the ways a forger has."""
    at = data.draw(st.integers(0, max(len(proof) - 1, 0)))
    way = data.draw(st.sampled_from(["longer", "shorter", "flipped", "cut hash", "swapped", "doubled"]))
    changed = {
        "longer": (*proof, leaf(0)),
        "shorter": proof[:-1],
        "flipped": tuple(flip(node, 7) if index == at else node for index, node in enumerate(proof)),
        "cut hash": tuple(node[1:] if index == at else node for index, node in enumerate(proof)),
        "swapped": proof[1:] + proof[:1],
        "doubled": proof + proof[-1:],
    }[way]
    return changed if changed != proof else (*proof, EMPTY_ROOT)


@given(st.integers(2, 400), st.data())
def test_a_forged_inclusion_proof_fails(size: int, data: st.DataObject) -> None:
    seq = data.draw(st.integers(0, size - 1))
    forged = mutate(inclusion(seq, size), data)

    assert not verify_inclusion(leaf(seq), seq, size, forged, tree_hash(0, size))


@given(st.integers(2, 400), st.data())
def test_a_proof_of_one_entry_proves_no_other(size: int, data: st.DataObject) -> None:
    seq, other = data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))
    proof = inclusion(seq, size)
    root = tree_hash(0, size)

    assert not verify_inclusion(leaf(other), seq, size, proof, root)
    assert not verify_inclusion(leaf(seq), other, size, proof, root)
    assert not verify_inclusion(leaf(seq), seq, size, proof, flip(root, 0))
    assert not verify_inclusion(leaf(seq)[1:], seq, size, proof, root)


@given(st.integers(2, 400), st.data())
def test_a_forged_consistency_proof_fails(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    forged = mutate(consistency(old, new), data)

    assert not verify_consistency(old, new, tree_hash(0, old), tree_hash(0, new), forged)


@given(st.integers(2, 400), st.data())
def test_a_rewritten_log_is_not_consistent_with_what_it_was(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    proof = consistency(old, new)
    old_root, new_root = tree_hash(0, old), tree_hash(0, new)

    assert not verify_consistency(old, new, flip(old_root, 3), new_root, proof)
    assert not verify_consistency(old, new, old_root, flip(new_root, 3), proof)
    assert not verify_consistency(old, new, old_root, new_root[1:], proof)
