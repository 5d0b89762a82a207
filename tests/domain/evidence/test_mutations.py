"""A thousand changes to a log, each of which one checkpoint kept elsewhere brings to light (A4, EVD-02)."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.evidence.leaf import commit
from consent_service.domain.evidence.verifier import LogRow
from tests.domain.evidence.logs import SampleLog, hash_of, rebuilt, sample_log, sample_row, verify

SIZE = 83
ERASURES = {40: frozenset({3, 4, 5, 17, 39}), 70: frozenset({18, 60})}
ERASED = frozenset[int]().union(*ERASURES.values())
LOG = sample_log(SIZE, ERASURES)
SEQS = st.integers(0, SIZE - 1)
KEPT_SEQS = SEQS.filter(lambda seq: seq not in ERASED and seq not in ERASURES)


def with_row(seq: int, row: LogRow) -> tuple[LogRow, ...]:
    """Put another row in the place of one."""
    return (*LOG.rows[:seq], row, *LOG.rows[seq + 1 :])


def flip(data: bytes, bit: int) -> bytes:
    """Turn one bit over."""
    return (int.from_bytes(data) ^ (1 << bit % (len(data) * 8))).to_bytes(len(data))


def flipped_blob(draw: st.DrawFn) -> SampleLog:
    """Turn one bit of one blob of one row over."""
    row, bit = LOG.rows[draw(SEQS)], draw(st.integers(0, 10_000))
    changed = [
        replace(row, pseudonym=flip(row.pseudonym, bit)),
        replace(row, commitment=flip(row.commitment, bit)),
        replace(row, leaf_hash=flip(row.leaf_hash or b"", bit)),
    ]
    if row.payload and row.salt:
        changed += [replace(row, salt=flip(row.salt, bit)), replace(row, payload=flip(row.payload, bit))]
    return replace(LOG, rows=with_row(row.seq, draw(st.sampled_from(changed))))


def flipped_node(draw: st.DrawFn) -> SampleLog:
    """Turn one bit of one stored node over."""
    at = draw(st.integers(0, len(LOG.nodes) - 1))
    node = LOG.nodes[at]
    changed = node._replace(hash=flip(node.hash, draw(st.integers(0, 255))))
    return replace(LOG, nodes=(*LOG.nodes[:at], changed, *LOG.nodes[at + 1 :]))


def changed_text(draw: st.DrawFn) -> SampleLog:
    """Change the time or the site of one row."""
    row = LOG.rows[draw(SEQS)]
    times = ["2026-11-22T09:00:00.000000Z", row.time[:-1], ""]
    changed = [replace(row, site="other"), *[replace(row, time=time) for time in times]]
    return replace(LOG, rows=with_row(row.seq, draw(st.sampled_from(changed))))


def deleted(draw: st.DrawFn) -> SampleLog:
    """Take a row, a payload, a salt or a stored node out."""
    seq = draw(KEPT_SEQS)
    at = draw(st.integers(0, len(LOG.nodes) - 1))
    return draw(
        st.sampled_from(
            [
                replace(LOG, rows=LOG.rows[:seq] + LOG.rows[seq + 1 :]),
                replace(LOG, rows=with_row(seq, replace(LOG.rows[seq], payload=None, salt=None))),
                replace(LOG, rows=with_row(seq, replace(LOG.rows[seq], salt=None))),
                replace(LOG, rows=with_row(seq, replace(LOG.rows[seq], payload=None))),
                replace(LOG, nodes=LOG.nodes[:at] + LOG.nodes[at + 1 :]),
            ]
        )
    )


def renumbered(rows: Sequence[LogRow]) -> list[LogRow]:
    """Give rows the numbers of their places, and the leaf hashes that go with them."""
    numbered = [replace(row, seq=seq) for seq, row in enumerate(rows)]
    return [replace(row, leaf_hash=hash_of(row)) for row in numbered]


def inserted(draw: st.DrawFn) -> SampleLog:
    """Put one more row in: the same again, or one of the intruder's own with everything built anew."""
    seq = draw(SEQS)
    doubled = LOG.rows[: seq + 1] + LOG.rows[seq:]
    forged = (*LOG.rows[:seq], replace(sample_row(999), seq=seq), *LOG.rows[seq:])
    return draw(st.sampled_from([replace(LOG, rows=doubled), rebuilt(renumbered(forged))]))


def reordered(draw: st.DrawFn) -> SampleLog:
    """Swap two rows: as they are, with their numbers, or with everything built anew."""
    one, other = draw(st.lists(SEQS, min_size=2, max_size=2, unique=True))
    rows = list(LOG.rows)
    rows[one], rows[other] = rows[other], rows[one]
    swapped = tuple(rows)
    numbers_only = tuple(replace(row, seq=seq) for seq, row in enumerate(swapped))
    ways = [replace(LOG, rows=swapped), replace(LOG, rows=numbers_only), rebuilt(renumbered(swapped))]
    return draw(st.sampled_from(ways))


def truncated(draw: st.DrawFn) -> SampleLog:
    """Cut the end off, and build everything anew."""
    return rebuilt(LOG.rows[: draw(SEQS)])


def replaced(draw: st.DrawFn) -> SampleLog:
    """Put a well-made row of the intruder's own in the place of one, with or without a tree to match."""
    seq = draw(SEQS)
    payload = canonical_json({"event_type": "given", "visitor_id": "nobody"})
    forged = replace(LOG.rows[seq], salt=bytes(32), payload=payload, commitment=commit(bytes(32), payload))
    rows = with_row(seq, replace(forged, leaf_hash=hash_of(forged)))
    return draw(st.sampled_from([replace(LOG, rows=rows), rebuilt(rows)]))


MUTATIONS = [flipped_blob, flipped_node, changed_text, deleted, inserted, reordered, truncated, replaced]


@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_every_change_is_found_with_one_outside_checkpoint(data: st.DataObject) -> None:
    """One thousand random changes (EVD-02, A4)."""
    mutate = data.draw(st.sampled_from(MUTATIONS))
    changed = data.draw(st.composite(mutate)())

    assert verify(changed, LOG.head) is not None
