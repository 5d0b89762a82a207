"""The `consent_state` token: the decisions of a moment, signed, so that a storefront can check them without asking.

Compact JWS with EdDSA (RFC 7515, RFC 8037); claims as in contract §3.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import orjson

from consent_service.domain.state import ConsentState


class TokenKey(Protocol):
    """A key that signs tokens."""

    @property
    def kid(self) -> str:
        """The key's name in the JWKS."""

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Issues tokens."""

    issuer: str
    life: timedelta
    key: Callable[[datetime], TokenKey]

    def consent_state(self, state: ConsentState) -> str:
        """Give the cookie's value: the vector, a dot, the token."""
        now = state.situation.now
        claims = self.claims(state)
        claims["exp"] = int(min(now + self.life, *_ends(state)).timestamp())
        return f"{state.vector}.{self.sign(claims, now)}"

    def claims(self, state: ConsentState) -> dict[str, object]:
        """Give the claims of §3 without `exp`."""
        s = state.situation
        if s.record is None:
            raise ValueError("a token speaks of a stored visitor")
        return {
            "iss": self.issuer,
            "aud": s.record.site,
            "sub": s.record.visitor_id,
            "iat": int(s.now.timestamp()),
            "pv": s.rules.policy.version,
            "rev": s.record.revision,
            "cat": state.vector,
            "dnt": s.dnt.value if s.dnt else None,
            "gpc": s.gpc,
            "sso": s.sale_share_opt_out,
            "rg": s.regime.value,
        }

    def sign(self, claims: dict[str, object], now: datetime) -> str:
        """Sign claims with the key of the moment."""
        key = self.key(now)
        header = {"alg": "EdDSA", "kid": key.kid, "typ": "JWT"}
        signed = f"{_b64(orjson.dumps(header))}.{_b64(orjson.dumps(claims))}"
        return f"{signed}.{_b64(key.sign(signed.encode()))}"


def _ends(state: ConsentState) -> tuple[datetime, ...]:
    # A token must not outlive a grant that it speaks of.
    choices = [state.choice(decision.category) for decision in state.decisions if decision.category and decision.allow]
    now = state.situation.now
    return tuple(c.expires_at for c in choices if c is not None and c.expires_at > now) or (
        datetime.max.replace(tzinfo=UTC),
    )


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
