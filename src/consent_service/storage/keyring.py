"""Signing keys and secrets, kept as small files in one directory that all replicas share.

Made on first start. Every file is readable by its owner alone and written whole or not at all. The private keys of
the log are apart from those of the tokens, and neither is ever removed: what they signed stays verifiable.
"""

import fcntl
import hmac
import json
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent_service.domain.errors import StoreUnavailable

TOKEN = "token"  # noqa: S105 - a purpose, not a secret
LOG = "log"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One Ed25519 key: what for, for which site (log keys only), and from when on it signs."""

    kid: str
    purpose: str
    site: str
    not_before: datetime
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public_bytes(self) -> bytes:
        """Give the 32 bytes of the public key."""
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Sign a message (RFC 8032)."""
        return self.private.sign(message)


class Keyring:
    """The keys of one installation."""

    def __init__(self, directory: Path, *, make: bool = True) -> None:
        """Use a directory; it is made, with a master secret, where it is not there and `make` allows it.

        Raises StoreUnavailable where the secret is missing and may not be made.
        """
        self._directory = directory
        if not make and not (directory / "master.secret").is_file():
            raise StoreUnavailable(f"There are no keys in {directory}; CONSENT_KEYS_DIR names their directory.")
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked():
            master = directory / "master.secret"
            if not master.exists():
                if any(directory.glob("*.key.json")):
                    # A new one would disown every cookie, pseudonym and suppression that the old one made.
                    raise StoreUnavailable("master.secret is missing beside the keys it belongs to; restore it.")
                _write_private(master, _b64(secrets.token_bytes(32)))
            self._master = _unb64(master.read_text("ascii").strip())
        self._derived: dict[str, bytes] = {}
        self._keys: tuple[SigningKey, ...] = ()
        self.reload()

    def mac(self, label: str, message: str) -> bytes:
        """Compute a keyed hash (HMAC-SHA-256); each label has a key of its own, derived from the master secret."""
        key = self._derived.get(label)
        if key is None:
            key = self._derived[label] = hmac.digest(self._master, b"consent-service " + label.encode(), "sha256")
        return hmac.digest(key, message.encode(), "sha256")

    def reload(self) -> None:
        """Read the directory again, so that a key made by another process is known here.

        No key is ever removed, so one whose file has vanished is kept: a lost mount must not make new keys sign.
        """
        known = {key.kid: key for key in (*self._keys, *map(_read, self._directory.glob("*.key.json")))}
        self._keys = tuple(sorted(known.values(), key=lambda key: (key.not_before, key.kid)))

    def all(self, purpose: str) -> tuple[SigningKey, ...]:
        """Give all keys of a purpose, oldest first, those that do not sign yet included."""
        return tuple(key for key in self._keys if key.purpose == purpose)

    def current(self, purpose: str, site: str, now: datetime) -> SigningKey:
        """Give the key that signs now; the first one of a purpose and site is made when it is asked for."""
        fitting = [key for key in self._keys if key.purpose == purpose and key.site == site]
        signing = [key for key in fitting if key.not_before <= now]
        if signing:
            return signing[-1]
        if fitting:
            return fitting[0]
        return self._first(purpose, site, now)

    def add(self, purpose: str, site: str, not_before: datetime) -> SigningKey:
        """Make a key that signs from `not_before` on; it is published at once."""
        with self._locked():
            return self._make(purpose, site, not_before)

    def _first(self, purpose: str, site: str, now: datetime) -> SigningKey:
        with self._locked():
            # Another process may have made it while this one waited for the lock.
            self.reload()
            for key in self._keys:
                if key.purpose == purpose and key.site == site:
                    return key
            return self._make(purpose, site, now)

    def _make(self, purpose: str, site: str, not_before: datetime) -> SigningKey:
        private = Ed25519PrivateKey.generate()
        kid = thumbprint(private.public_key().public_bytes_raw())
        entry = {
            "kid": kid,
            "purpose": purpose,
            "site": site,
            "not_before": not_before.astimezone(UTC).isoformat(),
            "private": _b64(private.private_bytes_raw()),
        }
        _write_private(self._directory / f"{kid}.key.json", json.dumps(entry))
        self.reload()
        return next(key for key in self._keys if key.kid == kid)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._directory / "keys.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def thumbprint(public: bytes) -> str:
    """Give the key's name: the JWK thumbprint (RFC 7638, RFC 8037 appendix A.3)."""
    members = f'{{"crv":"Ed25519","kty":"OKP","x":"{_b64(public)}"}}'
    return _b64(sha256(members.encode()).digest())


def _read(file: Path) -> SigningKey:
    entry = json.loads(file.read_text("utf-8"))
    private = Ed25519PrivateKey.from_private_bytes(_unb64(entry["private"]))
    return SigningKey(
        entry["kid"], entry["purpose"], entry["site"], datetime.fromisoformat(entry["not_before"]), private
    )


def _write_private(file: Path, text: str) -> None:
    draft = file.with_suffix(f".{secrets.token_hex(4)}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(file)


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
