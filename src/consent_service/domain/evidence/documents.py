"""What auditors receive: the JSON shapes of proofs, events and export rows (contract §6.1).

Hashes, salts and leaf bytes are standard base64 with padding. Payloads are given as the JSON they are; their
RFC 8785 form, which is what a leaf commits to, follows from that.
"""

import json
from base64 import b64encode
from collections.abc import Sequence

from consent_service.domain.evidence.leaf import leaf_bytes, leaf_hash
from consent_service.domain.evidence.verifier import LogRow

ROW_MEMBERS = ("seq", "time", "leaf", "leaf_hash", "salt")
"""The members of an export row that are not the payload's; an auditor takes the rest as the payload."""


def to_base64(data: bytes) -> str:
    """Write bytes as standard base64 with padding (RFC 4648 §4)."""
    return b64encode(data).decode()


def inclusion_document(seq: int, size: int, leaf: bytes, root: bytes, hashes: Sequence[bytes]) -> dict[str, object]:
    """Give an inclusion proof as JSON members; `leaf` is the leaf's hash."""
    return {
        "seq": seq,
        "size": size,
        "leaf_hash": to_base64(leaf),
        "root_hash": to_base64(root),
        "hashes": [to_base64(node) for node in hashes],
    }


def consistency_document(
    old: int, new: int, old_root: bytes, new_root: bytes, hashes: Sequence[bytes]
) -> dict[str, object]:
    """Give a consistency proof as JSON members."""
    return {
        "from": old,
        "to": new,
        "from_root": to_base64(old_root),
        "to_root": to_base64(new_root),
        "hashes": [to_base64(node) for node in hashes],
    }


def event_document(row: LogRow) -> dict[str, object]:
    """Give one entry with everything that its leaf can be checked by; an erased one has neither salt nor payload."""
    return {**_leaf_members(row), "payload": _payload_members(row)}


def export_document(row: LogRow) -> dict[str, object]:
    """Give one entry as a flat export row, the payload's members beside those of `ROW_MEMBERS`.

    Raises ValueError for a payload that has a member of these names: it could not be told apart again.
    """
    payload = _payload_members(row) or {}
    if not payload.keys().isdisjoint(ROW_MEMBERS):
        raise ValueError("a payload has no members named seq, time, leaf, leaf_hash or salt")
    return {**_leaf_members(row), **payload}


def _leaf_members(row: LogRow) -> dict[str, object]:
    leaf = leaf_bytes(row.site, row.seq, row.time, row.pseudonym, row.commitment)
    return {
        "seq": row.seq,
        "time": row.time,
        "leaf": to_base64(leaf),
        "leaf_hash": to_base64(leaf_hash(leaf)),
        "salt": None if row.salt is None else to_base64(row.salt),
    }


def _payload_members(row: LogRow) -> dict[str, object] | None:
    if row.payload is None:
        return None
    members: dict[str, object] = json.loads(row.payload)
    return members
