"""Verification from a checkpoint on: it begins at the right edge of the log as it was, and finds what came after."""

from dataclasses import replace

import pytest

from consent_service.domain.evidence.proofs import assemble, plan_frontier, required_nodes
from consent_service.domain.evidence.tree import Frontier
from consent_service.domain.evidence.verifier import Finding, KnownRoot, LogVerifier
from tests.domain.evidence.logs import SITE, SampleLog, hash_of, sample_log

SIZE = 83
LOG = sample_log(SIZE, {40: frozenset({3, 17}), 70: frozenset({18, 50, 60})})
HASHES = [hash_of(row) for row in LOG.rows]
STORED = {(node.level, node.index): node.hash for node in LOG.nodes} | {(0, n): found for n, found in enumerate(HASHES)}


def edge(size: int) -> Frontier:
    """Assemble the right edge of the log at a size from stored rows."""
    plan = plan_frontier(size)
    return Frontier(size, assemble(plan, {row: STORED[row] for row in required_nodes(plan)}))


def verify_since(log: SampleLog, size: int, root: bytes | None = None) -> Finding | None:
    """Verify what lies behind a checkpoint."""
    since = KnownRoot(size, root or edge(size).root(), "the checkpoint")
    verifier = LogVerifier(SITE, [since, log.head], start=edge(size))
    for row in log.rows[size:]:
        verifier.add(row)
    for node in (node for node in log.nodes if (node.index + 1) << node.level > size):
        verifier.add_node(*node)
    return verifier.finish()


@pytest.mark.parametrize("size", range(SIZE + 1))
def test_the_right_edge_of_any_size_is_found_again_in_the_stored_rows(size: int) -> None:
    assert edge(size) == Frontier().append(HASHES[:size])[0]


@pytest.mark.parametrize("size", range(SIZE + 1))
def test_an_untouched_log_is_sound_since_any_size(size: int) -> None:
    """Erasures behind the checkpoint that speak of entries before it are no fault."""
    assert verify_since(LOG, size) is None


@pytest.mark.parametrize(("size", "found"), [(0, 55), (50, 55), (55, 55)])
def test_what_was_changed_behind_the_checkpoint_is_found(size: int, found: int) -> None:
    changed = replace(LOG.rows[55], pseudonym=bytes(32))
    finding = verify_since(replace(LOG, rows=(*LOG.rows[:55], changed, *LOG.rows[56:])), size)
    assert finding is not None
    assert finding.seq == found


def test_a_log_with_another_beginning_is_not_sound() -> None:
    finding = verify_since(LOG, 50, edge(49).root())
    assert finding == Finding(0, 49, "the log does not have the root of the checkpoint")


def test_a_payload_that_was_taken_behind_the_checkpoint_is_missed() -> None:
    robbed = replace(LOG.rows[62], salt=None, payload=None)
    finding = verify_since(replace(LOG, rows=(*LOG.rows[:62], robbed, *LOG.rows[63:])), 50)
    assert finding == Finding(62, 62, "the payload is missing and no erasure names it")
