"""The tree's right edge: appending is cheap, and the root is the one of RFC 6962."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.evidence.tree import (
    EMPTY_ROOT,
    Frontier,
    FrontierMalformed,
    Node,
    completed_between,
)
from tests.domain.evidence.reference import leaf, tree_hash


def grown(size: int) -> tuple[Frontier, list[Node]]:
    """Grow a log in one batch."""
    return Frontier().append([leaf(seq) for seq in range(size)])


def test_an_empty_log_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT == sha256(b"").digest()
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_log_of_one_empty_leaf_has_the_known_root() -> None:
    frontier, _ = Frontier().append([sha256(b"\x00").digest()])

    assert frontier.root().hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@pytest.mark.parametrize("size", range(131))
def test_the_root_is_the_one_of_the_rfc_at_every_size(size: int) -> None:
    frontier, _ = grown(size)

    assert frontier.root() == tree_hash(0, size)


@given(st.lists(st.integers(0, 40), max_size=12))
def test_batches_lead_to_the_same_log_as_one_append(batches: list[int]) -> None:
    frontier, nodes = Frontier(), list[Node]()
    for batch in batches:
        frontier, completed = frontier.append([leaf(frontier.size + offset) for offset in range(batch)])
        nodes += completed

    assert (frontier, nodes) == grown(sum(batches))


@given(st.integers(0, 2000))
def test_the_nodes_to_store_are_those_at_every_fourth_level(size: int) -> None:
    _, nodes = grown(size)
    complete = {(level, position) for level in (4, 8) for position in range(size >> level)}

    assert {(node.level, node.index) for node in nodes} == complete
    assert len(nodes) <= size / 15


@pytest.mark.parametrize("node", grown(700)[1])
def test_a_stored_node_is_the_root_of_the_leaves_below_it(node: Node) -> None:
    assert node.hash == tree_hash(node.index << node.level, (node.index + 1) << node.level)


@given(st.integers(0, 600), st.integers(0, 600))
def test_a_page_of_rows_completes_the_nodes_that_an_append_of_it_stores(old: int, added: int) -> None:
    frontier, _ = grown(old)
    _, completed = frontier.append([leaf(old + offset) for offset in range(added)])
    named = {(level, position) for level, positions in completed_between(old, old + added) for position in positions}

    assert named == {(node.level, node.index) for node in completed}


@given(st.integers(0, 600))
def test_the_edge_survives_being_stored(size: int) -> None:
    frontier, _ = grown(size)

    assert Frontier.from_bytes(size, frontier.to_bytes()) == frontier


@pytest.mark.parametrize(("size", "length"), [(-1, 0), (0, 32), (1, 31), (3, 32), (4, 64)])
def test_an_edge_of_another_size_is_refused(size: int, length: int) -> None:
    with pytest.raises(FrontierMalformed):
        Frontier.from_bytes(size, bytes(length))
