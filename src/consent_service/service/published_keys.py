"""The public keys of the installation as a JWKS (RFC 7517, RFC 8037)."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from consent_service.domain.evidence.checkpoint import VerifierKey


class PublicKey(Protocol):
    """A key as far as it is published."""

    @property
    def kid(self) -> str:
        """The key's name."""

    @property
    def public_bytes(self) -> bytes:
        """The 32 bytes of the Ed25519 public key."""


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """Publishes every key that signs or ever signed."""

    token_keys: Callable[[], Sequence[PublicKey]]
    log_keys: Callable[[], Sequence[tuple[str, PublicKey]]]
    """Each with the origin of its log."""

    def jwks(self) -> dict[str, object]:
        """Give the key set; token keys that will sign soon are in it already, log keys carry their `vkey`."""
        logs = [jwk(key) | {"vkey": VerifierKey(origin, key.public_bytes).vkey} for origin, key in self.log_keys()]
        return {"keys": [*(jwk(key) for key in self.token_keys()), *logs]}


def jwk(key: PublicKey) -> dict[str, object]:
    """Give one public key as a JWK."""
    x = urlsafe_b64encode(key.public_bytes).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": key.kid, "alg": "EdDSA", "use": "sig"}
