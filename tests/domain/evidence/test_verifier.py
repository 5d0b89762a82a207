"""Verification of a whole log: every change to it is found, and an untouched log is never accused."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.evidence.leaf import commit
from consent_service.domain.evidence.tree import EMPTY_ROOT, Frontier, Node
from consent_service.domain.evidence.verifier import KnownRoot, LogRow, LogVerifier
from tests.domain.evidence.logs import SITE, START, SampleLog, hash_of, rebuilt, sample_log, sample_row, verify

SIZE = 83
ERASURES = {40: frozenset({3, 4, 5, 17, 39}), 70: frozenset({18, 60})}
ERASED = frozenset[int]().union(*ERASURES.values())
LOG = sample_log(SIZE, ERASURES)


@st.composite
def honest_logs(draw: st.DrawFn) -> SampleLog:
    """Draw a log in which each erasure removed entries before it that were still there."""
    size = draw(st.integers(0, 300))
    removable = set(range(size))
    erasures: dict[int, frozenset[int]] = {}
    for seq in sorted(draw(st.sets(st.integers(1, max(size - 1, 1)), max_size=5)) & removable):
        choice = draw(st.sets(st.integers(0, seq - 1), max_size=40)) & removable - set(erasures)
        erasures[seq] = frozenset(choice)
        removable -= choice
    return sample_log(size, erasures, with_hash=draw(st.booleans()))


@given(honest_logs(), st.lists(st.integers(0, 300), max_size=4), st.booleans())
def test_an_untouched_log_is_never_accused(log: SampleLog, sizes: list[int], stored_nodes: bool) -> None:
    """Erased visitors and old checkpoints included (EVD-02, A4)."""
    hashes = [hash_of(row) for row in log.rows]
    older = [size for size in sizes if size <= len(hashes)]
    known = [KnownRoot(size, Frontier().append(hashes[:size])[0].root(), "an older checkpoint") for size in older]

    assert verify(log, log.head, *known, stored_nodes=stored_nodes) is None


def test_the_sample_log_is_as_it_was_written() -> None:
    assert verify(LOG, LOG.head) is None


def with_row(seq: int, row: LogRow) -> tuple[LogRow, ...]:
    """Put another row in the place of one."""
    return (*LOG.rows[:seq], row, *LOG.rows[seq + 1 :])


def under_another_name(row: LogRow) -> LogRow:
    """File the payload under another visitor."""
    return replace(row, visitor_id="visitor-9")


def later(row: LogRow) -> LogRow:
    """Say that it happened a minute later."""
    return replace(row, time=(START + timedelta(seconds=row.seq + 60)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


CHANGES: dict[str, Callable[[LogRow], LogRow]] = {
    "time": later,
    "visitor": under_another_name,
    "site": lambda row: replace(row, site="other"),
    "pseudonym": lambda row: replace(row, pseudonym=bytes(32)),
    "commitment": lambda row: replace(row, commitment=bytes(32)),
    "payload": lambda row: replace(row, payload=b"{}"),
    "payload as text": lambda row: replace(row, payload="{}"),  # type: ignore[arg-type]
    "salt": lambda row: replace(row, salt=bytes(32)),
    "short salt": lambda row: replace(row, salt=b""),
    "no salt": lambda row: replace(row, salt=None),
    "payload gone": lambda row: replace(row, payload=None, salt=None),
    "leaf hash": lambda row: replace(row, leaf_hash=bytes(32)),
    "pseudonym gone": lambda row: replace(row, pseudonym=None),  # type: ignore[arg-type]
    "a number as text": lambda row: replace(row, seq="7"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seq", [0, 15, 16, 50, SIZE - 1])
def test_the_changed_entry_is_named(change: str, seq: int) -> None:
    changed = replace(LOG, rows=with_row(seq, CHANGES[change](LOG.rows[seq])))
    finding = verify(changed, LOG.head)

    assert finding is not None
    assert (finding.seq, finding.last_seq) == (seq, seq)
    assert str(finding).startswith(f"seq {seq}: ")


@pytest.mark.parametrize(("seq", "block"), [(0, (0, 15)), (50, (48, 63)), (SIZE - 1, (0, SIZE - 1))])
def test_without_stored_leaf_hashes_a_changed_leaf_is_found_in_its_block(seq: int, block: tuple[int, int]) -> None:
    log = sample_log(SIZE, ERASURES, with_hash=False)
    forged = replace(log.rows[seq], pseudonym=bytes(32))
    finding = verify(replace(log, rows=(*log.rows[:seq], forged, *log.rows[seq + 1 :])), log.head)

    assert finding is not None
    assert (finding.seq, finding.last_seq) == block


@pytest.mark.parametrize("seq", [0, 50, SIZE - 1])
def test_without_stored_leaf_hashes_a_changed_time_is_still_named(seq: int) -> None:
    log = sample_log(SIZE, ERASURES, with_hash=False)
    changed = replace(log, rows=(*log.rows[:seq], later(log.rows[seq]), *log.rows[seq + 1 :]))

    assert str(verify(changed, log.head)).startswith(f"seq {seq}: the time of the leaf")


def test_the_first_of_several_changes_is_named() -> None:
    rows = tuple(later(row) if row.seq in {20, 21, 66} else row for row in LOG.rows)

    assert str(verify(replace(LOG, rows=rows), LOG.head)).startswith("seq 20: ")


def test_a_missing_row_is_named_although_erasures_follow_it() -> None:
    finding = verify(replace(LOG, rows=LOG.rows[:30] + LOG.rows[31:]), LOG.head)

    assert str(finding) == "seq 30: the entry is missing, 31 follows"


def test_a_log_rewritten_with_its_nodes_is_found_by_an_older_checkpoint() -> None:
    older = KnownRoot(20, Frontier().append([hash_of(row) for row in LOG.rows[:20]])[0].root(), "checkpoint A")
    row = replace(LOG.rows[30], pseudonym=bytes(32))
    forged = rebuilt(with_row(30, replace(row, leaf_hash=hash_of(row))))
    finding = verify(forged, older, replace(LOG.head, source="checkpoint B"))

    assert str(finding) == "seq 20 (to 82): the log does not have the root of checkpoint B"


def test_a_log_shorter_than_its_checkpoint_is_found() -> None:
    """A log can be truncated only in view of an older checkpoint."""
    finding = verify(rebuilt(LOG.rows[:80]), LOG.head)

    assert str(finding) == "seq 80 (to 82): the log ends here, but checkpoint says that it had 83 entries"


def test_a_wrong_root_of_the_empty_log_is_found() -> None:
    assert verify(LOG, KnownRoot(0, EMPTY_ROOT, "checkpoint")) is None
    assert verify(LOG, KnownRoot(0, bytes(32), "checkpoint")) is not None


def erasure_row(seq: int, members: dict[str, object]) -> LogRow:
    """Make a row whose payload has the given members."""
    row, payload = sample_row(seq), canonical_json(members)
    changed = replace(row, payload=payload, commitment=commit(row.salt or b"", payload), visitor_id=None)
    return replace(changed, leaf_hash=hash_of(changed))


def log_ending_in(members: dict[str, object]) -> SampleLog:
    """Make a log in which entry 3 has no payload and entry 9 has the given one."""
    rows = [sample_row(seq) for seq in range(9)]
    rows[3] = replace(rows[3], payload=None, salt=None)
    return rebuilt([*rows, erasure_row(9, members)])


@pytest.mark.parametrize("event_type", ["erased", "purged"])
def test_an_erasure_explains_what_it_removed(event_type: str) -> None:
    assert verify(log_ending_in({"event_type": event_type, "erased_seqs": "3"})) is None


@pytest.mark.parametrize(
    ("members", "seq"),
    [
        ({"event_type": "erased", "erased_seqs": "4"}, 3),
        ({"event_type": "erased", "erased_seqs": ""}, 3),
        ({"event_type": "given", "erased_seqs": "3"}, 3),
        ({"event_type": "given", "locale": '"erased_seqs":"3"'}, 3),
        ({"event_type": "erased", "inner": {"erased_seqs": "3"}}, 3),
        ({"event_type": "erased", "erased_seqs": [3]}, 3),
        ({"event_type": "erased", "erased_seqs": "3,x"}, 3),
        ({"event_type": "erased", "erased_seqs": "3-4"}, 4),
        ({"event_type": "erased", "erased_seqs": "3,9"}, 9),
        ({"event_type": "erased", "erased_seqs": "3,12"}, 9),
    ],
)
def test_only_an_erasure_that_says_what_it_removed_explains_a_gap(members: dict[str, object], seq: int) -> None:
    finding = verify(log_ending_in(members))

    assert finding is not None
    assert finding.seq == seq


def test_a_payload_that_is_no_json_object_is_found() -> None:
    row = erasure_row(0, {})
    forged = replace(row, payload=b"[]", commitment=commit(row.salt or b"", b"[]"))

    assert str(verify(rebuilt([replace(forged, leaf_hash=None)]))).startswith("seq 0: a value of the row")


def feed(verifier: LogVerifier, rows: Iterable[LogRow], nodes: Iterable[Node] = ()) -> None:
    """Give a verifier one page of the store."""
    for row in rows:
        verifier.add(row)
    for node in nodes:
        verifier.add_node(*node)


def test_the_payloads_that_belong_to_entries_are_counted() -> None:
    verifier = LogVerifier(SITE, stored_nodes=False)
    feed(verifier, LOG.rows)

    assert verifier.payloads == SIZE - len(ERASED)


def test_a_later_purge_may_name_again_what_was_erased() -> None:
    log = sample_log(12, {9: frozenset({3}), 11: frozenset({2, 3})})

    assert verify(log, log.head) is None


def test_an_erasure_does_not_excuse_what_went_missing_after_it() -> None:
    log = sample_log(12, {9: frozenset({3})})
    rows = (*log.rows[:10], replace(log.rows[10], payload=None, salt=None), log.rows[11])

    assert str(verify(replace(log, rows=rows), log.head)).startswith("seq 10: the payload is missing")


@pytest.mark.parametrize(
    ("nodes", "seq"),
    [
        (LOG.nodes[1:], 0),
        (LOG.nodes[:2] + LOG.nodes[3:], 32),
        (LOG.nodes[:-1], 64),
        ((*LOG.nodes, LOG.nodes[-1]._replace(index=5)), 80),
        ((*LOG.nodes, LOG.nodes[0]._replace(level=8)), 0),
        ((LOG.nodes[1], LOG.nodes[0], *LOG.nodes[2:]), 0),
    ],
)
def test_stored_nodes_that_are_not_those_of_the_log_are_found(nodes: tuple[Node, ...], seq: int) -> None:
    finding = verify(replace(LOG, nodes=nodes), LOG.head)

    assert finding is not None
    assert finding.seq == seq


def test_verification_in_pages_says_how_far_it_is() -> None:
    verifier = LogVerifier(SITE, [LOG.head])
    feed(verifier, LOG.rows[:32], LOG.nodes[:2])
    halfway = (verifier.size, verifier.finding)
    feed(verifier, LOG.rows[32:], LOG.nodes[2:])

    assert halfway == (32, None)
    assert verifier.finish() is None
