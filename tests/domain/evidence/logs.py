"""Sample logs, built with the real leaves and the real tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.evidence.leaf import commit, format_time, leaf_bytes, leaf_hash
from consent_service.domain.evidence.ranges import encode_ranges
from consent_service.domain.evidence.tree import Frontier, Node
from consent_service.domain.evidence.verifier import Finding, KnownRoot, LogRow, LogVerifier

SITE = "default"
START = datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class SampleLog:
    """A log as its store holds it."""

    rows: tuple[LogRow, ...]
    nodes: tuple[Node, ...]
    frontier: Frontier

    @property
    def head(self) -> KnownRoot:
        """What an outside checkpoint says about the log."""
        return KnownRoot(self.frontier.size, self.frontier.root(), "checkpoint")


def sample_row(seq: int, erased_seqs: frozenset[int] = frozenset(), *, with_hash: bool = True) -> LogRow:
    """Make the row that a visitor's choice, or an erasure of other entries, leaves behind."""
    time = format_time(START + timedelta(seconds=seq))
    visitor_id = "" if erased_seqs else f"visitor-{seq % 7}"
    choice = {"event_type": "given", "event_time": time, "visitor_id": visitor_id, "choices": {"advertising": True}}
    erasure = {"event_type": "erased", "event_time": time, "erased_seqs": encode_ranges(erased_seqs)}
    payload = canonical_json(erasure if erased_seqs else choice)
    salt = sha256(b"salt %d" % seq).digest()
    pseudonym = sha256(b"visitor %d" % (seq % 7)).digest()
    commitment = commit(salt, payload)
    stored_hash = leaf_hash(leaf_bytes(SITE, seq, time, pseudonym, commitment)) if with_hash else None
    return LogRow(seq, SITE, time, pseudonym, commitment, salt, payload, visitor_id, stored_hash)


def sample_log(size: int, erasures: Mapping[int, frozenset[int]] | None = None, *, with_hash: bool = True) -> SampleLog:
    """Make a log of `size` entries; `erasures` names the entries that are erasures, and what each of them removed."""
    erased_by = erasures or {}
    erased = frozenset[int]().union(*erased_by.values())
    rows = [sample_row(seq, erased_by.get(seq, frozenset()), with_hash=with_hash) for seq in range(size)]
    kept = [replace(row, salt=None, payload=None) if row.seq in erased else row for row in rows]
    return rebuilt(kept)


def rebuilt(rows: Sequence[LogRow]) -> SampleLog:
    """Build the tree over the given rows anew, as an intruder would who can write everything but a checkpoint."""
    frontier, nodes = Frontier().append([hash_of(row) for row in rows])
    return SampleLog(tuple(rows), tuple(nodes), frontier)


def hash_of(row: LogRow) -> bytes:
    """Give the leaf hash of a row."""
    return leaf_hash(leaf_bytes(row.site, row.seq, row.time, row.pseudonym, row.commitment))


def verify(log: SampleLog, *known: KnownRoot, stored_nodes: bool = True) -> Finding | None:
    """Verify a log as the command does: all rows, then all stored nodes."""
    verifier = LogVerifier(SITE, known, stored_nodes=stored_nodes)
    for row in log.rows:
        verifier.add(row)
    for node in log.nodes if stored_nodes else ():
        verifier.add_node(*node)
    return verifier.finish()
