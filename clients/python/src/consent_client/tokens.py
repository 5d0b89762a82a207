"""The `consent_state` cookie: `<vector>.<JWS>`, signed by the service with Ed25519 (RFC 7515, RFC 8037).

Nothing here raises: what is not exactly a valid token of this site is no token.
"""

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_COOKIE = 4096
"""Bytes; browsers keep no larger cookie, so a larger one is no token."""

_CLOCK_SKEW = 60
_COOKIE = re.compile(r"([01]{8})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})")
_VISITOR_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_VISITOR_COOKIE = re.compile(r"v1\.([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{1,128}")

Keys = Mapping[str, Ed25519PublicKey]


@dataclass(frozen=True, slots=True)
class State:
    """What a valid token says; names as in the contract's list of claims."""

    visitor_id: str
    vector: str
    expires_at: float
    policy_version: str
    revision: int
    dnt: str | None
    gpc: bool
    sale_share_opt_out: bool
    regime: str


@dataclass(frozen=True, slots=True)
class Token:
    """A cookie that has the form of a token, not verified yet."""

    key_id: str
    vector: str
    signed: bytes
    payload: str
    signature: str


def parse_token(cookie: str | None) -> Token | None:
    """Take a cookie apart; None where it is no token, or not one of the only algorithm that is ever accepted."""
    match = _COOKIE.fullmatch(cookie) if isinstance(cookie, str) and len(cookie) <= MAX_COOKIE else None
    if match is None:
        return None
    vector, header, payload, signature = match.groups()
    key_id = _key_id(header)
    return None if key_id is None else Token(key_id, vector, f"{header}.{payload}".encode("ascii"), payload, signature)


@lru_cache(maxsize=32)
def _key_id(header: str) -> str | None:
    """Read the protected header; the tokens of one key all have the same."""
    members = _json_object(header)
    # An extension that is marked critical is one we do not know (RFC 7515 §4.1.11).
    if members is None or members.get("alg") != "EdDSA" or "crit" in members:
        return None
    kid = members.get("kid")
    return kid if isinstance(kid, str) else None


def verify_state(token: Token, keys: Keys, *, site: str, issuer: str | None, now: float) -> State | None:
    """Give the state of a token whose signature, audience, lifetime and vector are right, else None.

    The vector stands before the token unsigned, for caches to read: it counts only where the signed one is the same.
    """
    key = keys.get(token.key_id)
    if key is None:
        return None
    try:
        key.verify(_decode(token.signature), token.signed)
    except (InvalidSignature, ValueError):
        return None
    claims = _json_object(token.payload)
    if claims is None or claims.get("aud") != site or (issuer is not None and claims.get("iss") != issuer):
        return None
    return _read_claims(claims, now) if claims.get("cat") == token.vector else None


def _read_claims(claims: Mapping[str, object], now: float) -> State | None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not _is_number(issued) or not _is_number(expires) or not issued - _CLOCK_SKEW <= now < expires:
        return None
    visitor_id, vector, version = claims.get("sub"), claims.get("cat"), claims.get("pv")
    revision, dnt, gpc, opted_out = claims.get("rev"), claims.get("dnt"), claims.get("gpc"), claims.get("sso")
    regime = claims.get("rg")
    if not isinstance(visitor_id, str) or not valid_visitor_id(visitor_id) or not isinstance(vector, str):
        return None
    if not isinstance(version, str) or not isinstance(revision, int) or not isinstance(regime, str):
        return None
    if not isinstance(gpc, bool) or not isinstance(opted_out, bool) or not (dnt is None or isinstance(dnt, str)):
        return None
    return State(visitor_id, vector, expires, version, revision, dnt, gpc, opted_out, regime)


def _is_number(value: object) -> TypeGuard[float]:
    # JSON as Python reads it knows NaN and infinities; a truth value is an integer to Python.
    return type(value) is int or (type(value) is float and math.isfinite(value))


def parse_jwks(document: object) -> dict[str, Ed25519PublicKey]:
    """Read the keys that may sign tokens; raises ValueError, TypeError or KeyError where it is no key set.

    A key that carries a `vkey` signs checkpoints of the evidence log and nothing else.
    """
    if not isinstance(document, dict) or not isinstance(document["keys"], list):
        raise TypeError("the key set is no object")
    keys: dict[str, Ed25519PublicKey] = {}
    for key in document["keys"]:
        if key.get("kty") == "OKP" and key.get("crv") == "Ed25519" and "vkey" not in key:
            keys[str(key["kid"])] = Ed25519PublicKey.from_public_bytes(_decode(key["x"]))
    return keys


def valid_visitor_id(text: object) -> bool:
    """Tell whether a text has the form of a visitor id: 22 characters of URL-safe base64."""
    return isinstance(text, str) and _VISITOR_ID.fullmatch(text) is not None


def visitor_in_cookie(cookie: str | None) -> str | None:
    """Give the visitor id that a `consent_visitor` cookie names.

    Only the service can check the cookie's MAC. A forged one would read whether an unknown 128-bit id may be
    tracked, and no more; nothing is written under it.
    """
    match = _VISITOR_COOKIE.fullmatch(cookie) if cookie else None
    return match[1] if match else None


def _json_object(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(_decode(text).decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _decode(text: str) -> bytes:
    """Decode base64url without padding; raises ValueError. Other characters are kept out by the cookie's pattern."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
