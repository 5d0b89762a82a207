"""Verification of a whole log: rows go in one by one, and out comes the first entry that is not as it was written.

Nothing is kept but the right edge of the tree, the ranges of missing payloads, and the stored nodes not yet fed.
Rows, nodes and erasures must come from one snapshot of the store: an erasure between two reads would look like
tampering.
"""

import json
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from consent_service.domain.evidence.leaf import LeafMalformed, commit, leaf_bytes, leaf_hash
from consent_service.domain.evidence.ranges import RangesMalformed, SeqRanges, decode_ranges
from consent_service.domain.evidence.tree import Frontier, Node

ERASING_EVENT_TYPES = frozenset({"erased", "purged"})
ERASED_SEQS_MEMBER = "erased_seqs"


@dataclass(frozen=True, slots=True)
class LogRow:
    """One entry as the store holds it; `salt` and `payload` are None once erased.

    `visitor_id` is what the store files the payload under: "" for nobody, None where it is not known. `leaf_hash` is
    None where the store keeps none. With it a changed leaf is named exactly, without it only the time is, and for the
    rest the stored nodes say in which 16 entries it lies.
    """

    seq: int
    site: str
    time: str
    pseudonym: bytes
    commitment: bytes
    salt: bytes | None
    payload: bytes | None
    visitor_id: str | None = None
    leaf_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class KnownRoot:
    """A root that the log must have had at `size`, and where that is known from: a checkpoint, or the store's head."""

    size: int
    root: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing found wrong: it lies in the entries from `seq` to `last_seq`."""

    seq: int
    last_seq: int
    reason: str

    def __str__(self) -> str:
        """Say it in one line that begins with the entry."""
        where = f"seq {self.seq}" if self.seq == self.last_seq else f"seq {self.seq} (to {self.last_seq})"
        return f"{where}: {self.reason}"


_EMPTY = Frontier()


class LogVerifier:
    """Verifies the log of one site: `add` every row, `add_node` every stored node, then `finish`."""

    def __init__(
        self,
        site: str,
        known_roots: Iterable[KnownRoot] = (),
        *,
        stored_nodes: bool = True,
        start: Frontier = _EMPTY,
    ) -> None:
        """Expect the given roots; without `stored_nodes` the rows alone are verified, as for an export.

        `start` is the right edge of the log where verification begins; roots of smaller logs are left out.
        """
        self._site = site
        fitting = [known for known in known_roots if known.size >= start.size]
        self._known_roots = deque(sorted(fitting, key=lambda known: known.size))
        self._stored_nodes = stored_nodes
        self._start = start.size
        self._frontier = start
        self._expected_nodes: dict[int, deque[Node]] = {}
        self._unexplained = SeqRanges()
        self._missing = SeqRanges()
        self._confirmed_size = 0
        self._finding: Finding | None = None
        self.payloads = 0
        """How many payloads belong to the entries so far; a store that holds more has some that belong to none."""
        self._order_lost = False
        self._check_known_roots()

    @property
    def size(self) -> int:
        """How many entries were verified so far."""
        return self._frontier.size

    @property
    def finding(self) -> Finding | None:
        """What was found so far; a missing payload is only known at the end."""
        return self._finding

    def add(self, row: LogRow) -> None:
        """Take the next row, in ascending order of `seq`."""
        if self._order_lost:
            self._explain_missing(row)
        elif row.seq != self._frontier.size:
            self._lose_order(row.seq)
            self._explain_missing(row)
        else:
            self._check(row)

    def add_node(self, level: int, index: int, node: bytes) -> None:
        """Take a stored node, after the rows it covers; of each level in ascending order of `index`."""
        if self._order_lost:
            return
        expected = self._expected_nodes.get(level)
        if not expected:
            self._report_node(Node(level, index, node), "a stored node covers entries that the log does not have")
            return
        computed = expected.popleft()
        if computed.index != index:
            self._report_node(computed, "a stored node is missing or out of order")
            self._order_lost = True
        elif computed.hash != node:
            self._report_node(computed, "the entries do not hash to the stored node above them")

    def finish(self) -> Finding | None:
        """Settle what only the end can tell, and give the first thing found wrong, or None."""
        for first, _ in self._unexplained:
            self._report(first, first, "the payload is missing and no erasure names it")
        if not self._order_lost:
            self._settle_nodes()
            self._settle_known_roots()
        return self._finding

    def _check(self, row: LogRow) -> None:
        try:
            self._check_payload(row)
            self._append(row)
        except (LeafMalformed, TypeError, AttributeError):
            self._report(row.seq, row.seq, "a value of the row cannot be one that the service wrote")
            self._order_lost = True

    def _append(self, row: LogRow) -> None:
        computed = leaf_hash(leaf_bytes(row.site, row.seq, row.time, row.pseudonym, row.commitment))
        if row.site != self._site:
            self._report(row.seq, row.seq, "the leaf belongs to another site")
        if row.leaf_hash is not None and row.leaf_hash != computed:
            self._report(row.seq, row.seq, "the leaf does not hash to its stored leaf hash")
        self._frontier, completed = self._frontier.append((computed,))
        if self._stored_nodes:
            for node in completed:
                self._expected_nodes.setdefault(node.level, deque()).append(node)
        self._check_known_roots()

    def _check_payload(self, row: LogRow) -> None:
        if row.payload is None and row.salt is None:
            self._missing.add(row.seq, row.seq)
            self._unexplained.add(row.seq, row.seq)
        elif row.payload is None or row.salt is None:
            self._report(row.seq, row.seq, "only one of payload and salt is there")
        elif commit(row.salt, row.payload) != row.commitment:
            self._report(row.seq, row.seq, "payload and salt are not what the leaf commits to")
        else:
            self.payloads += 1
            self._check_members(row, _members(row.payload))

    def _check_members(self, row: LogRow, members: dict[str, object]) -> None:
        """Compare what is told twice: the leaf's time, the visitor the payload is filed under, erased entries."""
        if members.get("event_time", row.time) != row.time:
            self._report(row.seq, row.seq, "the time of the leaf is not the time of the event")
        if row.visitor_id is not None and members.get("visitor_id", "") != row.visitor_id:
            self._report(row.seq, row.seq, "the payload is filed under another visitor")
        if members.get("event_type") in ERASING_EVENT_TYPES:
            self._take_erasure(row.seq, members)

    def _take_erasure(self, seq: int, members: dict[str, object]) -> None:
        """Let an erasure explain missing payloads of earlier entries, all of which it must really have removed."""
        try:
            ranges = _erased_ranges(members)
        except RangesMalformed:
            self._report(seq, seq, "the erasure does not say in an understood form what it removed")
            return
        for first, last in ranges:
            if last < self._start:
                continue
            still_there = self._missing.first_missing(max(first, self._start), last)
            if still_there is not None and still_there < seq:
                self._report(still_there, still_there, f"the payload is there although the erasure at {seq} removed it")
            elif still_there is not None:
                self._report(seq, seq, "the erasure names an entry that was not written before it")
            self._unexplained.discard(first, last)

    def _explain_missing(self, row: LogRow) -> None:
        """After the order is lost, still let genuine erasures explain what is missing before: it is not the fault."""
        try:
            if row.payload and row.salt and commit(row.salt, row.payload) == row.commitment:
                for first, last in _erased_ranges(_members(row.payload)):
                    self._unexplained.discard(first, last)
        except (ValueError, TypeError):
            return

    def _check_known_roots(self) -> None:
        while self._known_roots and self._known_roots[0].size <= self._frontier.size:
            known = self._known_roots.popleft()
            if self._frontier.root() == known.root:
                self._confirmed_size = max(self._confirmed_size, known.size)
            else:
                last = max(known.size - 1, self._confirmed_size)
                self._report(self._confirmed_size, last, f"the log does not have the root of {known.source}")

    def _settle_nodes(self) -> None:
        for nodes in self._expected_nodes.values():
            for node in nodes:
                self._report_node(node, "a stored node is missing")

    def _settle_known_roots(self) -> None:
        for known in self._known_roots:
            reason = f"the log ends here, but {known.source} says that it had {known.size} entries"
            self._report(self.size, known.size - 1, reason)

    def _lose_order(self, seq: object) -> None:
        expected = self._frontier.size
        if not isinstance(seq, int):
            self._report(expected, expected, "a value of the row cannot be one that the service wrote")
        elif seq > expected:
            self._report(expected, expected, f"the entry is missing, {seq} follows")
        else:
            self._report(seq, seq, "the entry is there twice or out of order")
        self._order_lost = True

    def _report_node(self, node: Node, reason: str) -> None:
        first = node.index << node.level
        self._report(first, first + (1 << node.level) - 1, reason)

    def _report(self, first: int, last: int, reason: str) -> None:
        """Keep the finding that lies first, and of two about the same entries the more exact one."""
        known = self._finding
        if known is None or last < known.seq or (known.seq <= first and last < known.last_seq):
            self._finding = Finding(first, last, reason)


def _members(payload: bytes) -> dict[str, object]:
    try:
        event = json.loads(payload.decode())
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise LeafMalformed("a payload is a JSON object")
    return event


def _erased_ranges(members: dict[str, object]) -> tuple[tuple[int, int], ...]:
    if members.get("event_type") not in ERASING_EVENT_TYPES:
        return ()
    named = members.get(ERASED_SEQS_MEMBER)
    if not isinstance(named, str):
        raise RangesMalformed("erased_seqs is a text")
    return decode_ranges(named)
