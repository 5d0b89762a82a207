"""Files as an auditor receives them, made by the service's own code."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent_service.domain.evidence.checkpoint import Checkpoint, VerifierKey, sign_checkpoint
from consent_service.domain.evidence.documents import (
    consistency_document,
    event_document,
    export_document,
    inclusion_document,
)
from consent_service.domain.evidence.proofs import Plan, assemble, plan_consistency, plan_inclusion, required_nodes
from consent_service.domain.evidence.tree import Frontier
from tests.domain.evidence.logs import SampleLog, hash_of, sample_log

ORIGIN = "consent.shop.example/evidence/default"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TOKEN_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
VERIFIER = VerifierKey(ORIGIN, LOG_KEY.public_key().public_bytes_raw())
OTHER_VKEY = VerifierKey(ORIGIN, TOKEN_KEY.public_key().public_bytes_raw()).vkey

SIZE = 83
OLD_SIZE = 50
ERASED = 17
LOG: SampleLog = sample_log(SIZE, {40: frozenset({3, ERASED})})
HASHES = [hash_of(row) for row in LOG.rows]
STORED = {(n.level, n.index): n.hash for n in LOG.nodes} | {(0, seq): leaf for seq, leaf in enumerate(HASHES)}


def root(size: int) -> bytes:
    """Give the root of the log at a size."""
    return Frontier().append(HASHES[:size])[0].root()


def checkpoint(size: int) -> str:
    """Give the signed note of the log at a size."""
    return sign_checkpoint(Checkpoint(ORIGIN, size, root(size)), VERIFIER, LOG_KEY.sign)


def hashes_of(plan: Plan) -> tuple[bytes, ...]:
    """Make a proof from stored rows."""
    return assemble(plan, {row: STORED[row] for row in required_nodes(plan)})


def inclusion(seq: int, size: int = SIZE) -> dict[str, Any]:
    """Give an inclusion proof as the service answers it."""
    return inclusion_document(seq, size, HASHES[seq], root(size), hashes_of(plan_inclusion(seq, size)))


def consistency(old: int, new: int = SIZE) -> dict[str, Any]:
    """Give a consistency proof as the service answers it."""
    return consistency_document(old, new, root(old), root(new), hashes_of(plan_consistency(old, new)))


def events(after: int = -1) -> dict[str, Any]:
    """Give a page of events as the service answers it."""
    return {"events": [event_document(row) for row in LOG.rows[after + 1 :]], "next_after": None}


def export_lines() -> list[str]:
    """Give the lines of an export."""
    return [json.dumps(export_document(row)) for row in LOG.rows]


def url_text(data: bytes) -> str:
    """Write base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(key: Ed25519PrivateKey, kid: str, **members: str) -> dict[str, str]:
    """Give a public key as JWK."""
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": url_text(key.public_key().public_bytes_raw()), **members}


JWKS = {"keys": [jwk(LOG_KEY, "log", vkey=VERIFIER.vkey), jwk(TOKEN_KEY, "token")]}


def receipt(key: Ed25519PrivateKey = TOKEN_KEY, kid: str = "token", alg: str = "EdDSA") -> str:
    """Give a signed receipt."""
    claims = {"iss": "https://consent.shop.example", "aud": "default", "sub": "visitor", "jti": "id", "seq": 7}
    parts = ({"alg": alg, "kid": kid}, claims)
    signed = ".".join(url_text(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{url_text(key.sign(signed.encode()))}"


def write_all(folder: Path) -> None:
    """Write every file of the walk-through."""
    files = {
        "new.txt": checkpoint(SIZE),
        "old.txt": checkpoint(OLD_SIZE),
        "proof.json": json.dumps(inclusion(7)),
        "event.json": json.dumps(events()["events"][7]),
        "page.json": json.dumps(events(after=4)),
        "erased-proof.json": json.dumps(inclusion(ERASED)),
        "consistency.json": json.dumps(consistency(OLD_SIZE)),
        "export.jsonl": "\n".join(export_lines()) + "\n",
        "jwks.json": json.dumps(JWKS),
        "receipt.jws": receipt(),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
