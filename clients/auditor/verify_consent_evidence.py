#!/usr/bin/env python3
"""Check consent evidence without trusting the service it comes from.

Needs Python 3.11 or newer and the package `cryptography`, and nothing of the service: what a leaf, a proof, a
checkpoint or a receipt must look like is written down here once more, on purpose.

    checkpoint    a signed checkpoint, with the log's verifier key
    inclusion     one event is in the log of a checkpoint, with all that its leaf says
    consistency   an older checkpoint's log is the beginning of a newer one's
    export        a whole export (JSON lines) is the log of a checkpoint
    receipt       a receipt signed as JWS, with the service's jwks.json

Exit status: 0 proved, 1 not proved, 2 a file or an argument cannot be used. The last line says what was proved.
"""

import argparse
import json
import re
import sys
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Iterator
from functools import reduce
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Json = dict[str, Any]
ROW_MEMBERS = ("seq", "time", "leaf", "leaf_hash", "salt")
NOTE = re.compile("((\\S+)\n(0|[1-9][0-9]*)\n(\\S+)\n)\n((?:\u2014 \\S+ \\S+\n)+)")
SIGNATURE = re.compile("\u2014 (\\S+) (\\S+)\n")
# Version 1; then site, seq, time, pseudonym and commitment, each behind its length in four bytes.
LEAF = re.compile(rb"\x01(.{4})(.*)\0{3}\x08(.{8})\0{3}\x1b(.{27})\0{3}\x20(.{32})\0{3}\x20(.{32})", re.DOTALL)


class NotProved(Exception):
    """The evidence does not show what it is said to show."""


def require(condition: object, otherwise: str) -> None:
    """Go on only where something holds."""
    if not condition:
        raise NotProved(otherwise)


def hash_leaf(leaf: bytes) -> bytes:
    """Hash the bytes of a leaf (RFC 6962 §2.1)."""
    return sha256(b"\x00" + leaf).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into one."""
    return sha256(b"\x01" + left + right).digest()


def merge_right_edge(edge: list[bytes]) -> bytes:
    """Give the root over neighbouring perfect subtrees, the largest first; nothing hashes to an empty tree."""
    return reduce(lambda right, left: hash_children(left, right), reversed(edge)) if edge else sha256(b"").digest()


class Checkpoint(NamedTuple):
    """What a signed note says about a log."""

    origin: str
    size: int
    root: bytes


def open_checkpoint(path: Path, vkeys: list[str]) -> Checkpoint:
    """Read a checkpoint (C2SP tlog-checkpoint) and check that one of the verifier keys signed it."""
    note = NOTE.fullmatch(path.read_text(encoding="utf-8"))
    if note is None:
        raise NotProved(f"{path} is not a checkpoint")
    body, origin, size, root, signatures = note.groups()
    for name, public_key, key_id in map(read_vkey, vkeys):
        for signer, encoded in SIGNATURE.findall(signatures):
            value = decode(encoded)
            if signer == name == origin and value[:4] == key_id:
                require(is_signed(public_key, value[4:], body.encode()), f"the signature of {path} is wrong")
                return Checkpoint(origin, int(size), decode(root))
    raise NotProved(f"none of the verifier keys given signed {path}")


def read_vkey(vkey: str) -> tuple[str, bytes, bytes]:
    """Split a verifier key into name, public key and key ID, which must belong together."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    typed_key = decode(encoded)
    computed = sha256(name.encode() + b"\n" + typed_key).digest()[:4]
    require(typed_key[:1] == b"\x01", "the verifier key is not an Ed25519 key")
    require(computed.hex() == key_id, "the verifier key does not match its own key ID")
    return name, typed_key[1:], computed


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Check an Ed25519 signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def check_leaf(event: Json) -> bytes:
    """Check that leaf, leaf hash, seq, time, salt and payload of one event belong together; give the leaf hash."""
    seq, leaf = event["seq"], decode(event["leaf"])
    fields = LEAF.fullmatch(leaf)
    if fields is None or int.from_bytes(fields[1], "big") != len(fields[2]):
        raise NotProved(f"seq {seq}: the leaf is malformed")
    require(int.from_bytes(fields[3], "big") == seq, f"seq {seq}: the leaf is that of another entry")
    require(fields[4] == event["time"].encode(), f"seq {seq}: the leaf has another time")
    require(decode(event["leaf_hash"]) == hash_leaf(leaf), f"seq {seq}: the leaf hash is not the hash of the leaf")
    if event["payload"] is not None or event["salt"] is not None:
        require(event["payload"] is not None and event["salt"], f"seq {seq}: only one of payload and salt is there")
        opened = sha256(decode(event["salt"]) + canonical(event["payload"])).digest()
        require(opened == fields[6], f"seq {seq}: the payload is not what the leaf commits to")
    return hash_leaf(leaf)


def canonical(payload: Any) -> bytes:
    """Write a payload in its RFC 8785 form; payloads hold no fractions and only ASCII names."""
    return json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def root_from_inclusion(leaf: bytes, seq: int, size: int, proof: list[bytes]) -> bytes:
    """Compute the root that an audit path (§2.1.1) leads to."""
    if size == 1:
        require(not proof, "the proof is too long")
        return leaf
    require(proof, "the proof is too short")
    half = 1 << (size - 1).bit_length() - 1
    if seq < half:
        return hash_children(root_from_inclusion(leaf, seq, half, proof[:-1]), proof[-1])
    return hash_children(proof[-1], root_from_inclusion(leaf, seq - half, size - half, proof[:-1]))


def roots_from_consistency(old: int, new: int, proof: list[bytes], known: bytes | None) -> tuple[bytes, bytes]:
    """Compute the old and the new root that a consistency proof (§2.1.2) leads to; `known` is the old root."""
    if old == new:
        require(len(proof) == (known is None), "the proof has the wrong length")
        root = proof[0] if known is None else known
        return root, root
    require(proof, "the proof is too short")
    half = 1 << (new - 1).bit_length() - 1
    if old <= half:
        old_root, left = roots_from_consistency(old, half, proof[:-1], known)
        return old_root, hash_children(left, proof[-1])
    old_right, new_right = roots_from_consistency(old - half, new - half, proof[:-1], None)
    return hash_children(proof[-1], old_right), hash_children(proof[-1], new_right)


def check_checkpoint(args: argparse.Namespace) -> str:
    """Prove that a key signed a checkpoint."""
    checkpoint = open_checkpoint(args.checkpoint, verifier_keys(args))
    return f"the log {checkpoint.origin} had {checkpoint.size} entries with root {checkpoint.root.hex()}"


def check_inclusion(args: argparse.Namespace) -> str:
    """Prove that an event is in the log of a checkpoint."""
    checkpoint = open_checkpoint(args.checkpoint, verifier_keys(args))
    proof = read_json(args.proof)
    event = pick_event(read_json(args.event), proof["seq"])
    leaf = check_leaf(event)
    require(proof["size"] == checkpoint.size, "the proof is for a log of another size than the checkpoint's")
    require(0 <= proof["seq"] < checkpoint.size, "the log of the checkpoint has no such entry")
    root = root_from_inclusion(leaf, proof["seq"], proof["size"], [decode(node) for node in proof["hashes"]])
    require(root == checkpoint.root, "the proof does not lead to the root of the checkpoint")
    what = "an entry whose content was erased" if event["payload"] is None else "exactly this event"
    return f"entry {proof['seq']} of {checkpoint.origin}, written {event['time']}, is {what}"


def check_consistency(args: argparse.Namespace) -> str:
    """Prove that nothing that an older checkpoint covers was changed since."""
    old, new = (open_checkpoint(path, verifier_keys(args)) for path in (args.old, args.new))
    require(old.origin == new.origin, "the checkpoints are of different logs")
    require(1 <= old.size <= new.size, "the older checkpoint must have entries, and no more than the newer one")
    proof = read_json(args.proof)
    require((proof["from"], proof["to"]) == (old.size, new.size), "the proof is for other sizes than the checkpoints'")
    hashes = [decode(node) for node in proof["hashes"]]
    roots = roots_from_consistency(old.size, new.size, hashes, old.root)
    require(roots == (old.root, new.root), "the newer log does not begin with the older one")
    return f"the first {old.size} entries of {old.origin} are unchanged in the log of {new.size} entries"


def check_export(args: argparse.Namespace) -> str:
    """Prove that an export is complete and unchanged up to a checkpoint."""
    checkpoint = open_checkpoint(args.checkpoint, verifier_keys(args))
    edge: list[bytes] = []
    erased = size = 0
    for event in read_export(args.export):
        if size == checkpoint.size:
            break
        require(event["seq"] == size, f"seq {size} is missing or out of order")
        subtree, index = check_leaf(event), size
        while index & 1:
            subtree, index = hash_children(edge.pop(), subtree), index >> 1
        edge.append(subtree)
        size += 1
        erased += event["payload"] is None
    require(size == checkpoint.size, f"the export ends after {size} of {checkpoint.size} entries")
    require(merge_right_edge(edge) == checkpoint.root, "the export does not have the root of the checkpoint")
    return f"the export holds all {size} entries of {checkpoint.origin} unchanged ({erased} without content)"


def check_receipt(args: argparse.Namespace) -> str:
    """Prove that the service signed a receipt."""
    signed, _, signature = args.receipt.read_text(encoding="ascii").strip().rpartition(".")
    header, claims = (json.loads(decode_url(part)) for part in signed.split("."))
    require(header.get("alg") == "EdDSA", "the receipt is not signed with Ed25519")
    keys = [key for key in read_json(args.jwks)["keys"] if key.get("kid") == header.get("kid") and "vkey" not in key]
    require(len(keys) == 1 and keys[0].get("crv") == "Ed25519", "no such key signs receipts of this service")
    public_key = decode_url(keys[0]["x"])
    require(is_signed(public_key, decode_url(signature), signed.encode()), "the signature is wrong")
    told = {name: claims.get(name) for name in ("jti", "iss", "aud", "sub", "seq", "leaf_hash", "pv", "cat")}
    return f"the service signed this receipt: {json.dumps(told)}"


def decode(text: str) -> bytes:
    """Decode standard base64."""
    return b64decode(text, validate=True)


def decode_url(text: str) -> bytes:
    """Decode base64url without padding (RFC 7515)."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_export(path: Path) -> Iterator[Json]:
    """Read an export line by line; the members that are not the row's own are the payload's."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            payload = {name: value for name, value in row.items() if name not in ROW_MEMBERS}
            yield row if "payload" in row else {**row, "payload": payload or None}


def pick_event(document: Json, seq: int) -> Json:
    """Take an event as it is, or the one with this number out of a page of events."""
    found = [event for event in document.get("events", [document]) if event["seq"] == seq]
    require(found, f"the event file does not hold entry {seq}")
    return dict(found[0])


def verifier_keys(args: argparse.Namespace) -> list[str]:
    """Collect the verifier keys given, and those of the jwks.json."""
    published = [key["vkey"] for key in read_json(args.jwks)["keys"] if "vkey" in key] if args.jwks else []
    require(args.vkey or published, "give a verifier key with --vkey or --jwks")
    return [*args.vkey, *published]


CHECKS: dict[str, tuple[Callable[[argparse.Namespace], str], dict[str, str]]] = {
    "checkpoint": (check_checkpoint, {"checkpoint": "the signed note"}),
    "inclusion": (
        check_inclusion,
        {"checkpoint": "the signed note", "proof": "inclusion proof", "event": "the event, or a page of events"},
    ),
    "consistency": (check_consistency, {"old": "older signed note", "new": "newer one", "proof": "consistency proof"}),
    "export": (check_export, {"checkpoint": "the signed note", "export": "JSON lines, from the first entry on"}),
    "receipt": (check_receipt, {"receipt": "the compact JWS"}),
}


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True)
    for name, (check, files) in CHECKS.items():
        command = commands.add_parser(name, help=check.__doc__, description=check.__doc__)
        command.set_defaults(check=check)
        for file, meaning in files.items():
            command.add_argument(f"--{file}", type=Path, required=True, metavar="FILE", help=meaning)
        command.add_argument("--jwks", type=Path, required=name == "receipt", metavar="FILE", help="jwks.json")
        if name != "receipt":
            command.add_argument("--vkey", action="append", default=[], help="C2SP verifier key; may be repeated")
    return top


def main() -> int:
    """Run one check and say what came of it."""
    args = parser().parse_args()
    try:
        sys.stdout.write(f"PROVED: {args.check(args)}\n")
    except NotProved as reason:
        sys.stdout.write(f"NOT PROVED: {reason}\n")
        return 1
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        sys.stderr.write(f"UNUSABLE INPUT: {type(error).__name__}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
