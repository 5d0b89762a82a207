"""Who is logged in to the dashboard: a signed statement in a cookie, so that every replica can read it.

It names a key, never holds it, and counts only while that key lives; it ends by itself after a working day.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta

from consent_service.domain.vocabulary import Scope
from consent_service.ports import ApiKey, Clock
from consent_service.service.identity import Mac
from consent_service.service.sites import Sites

LIFE = timedelta(hours=8)
STAFF = frozenset({Scope.AUDIT, Scope.ADMIN})
"""The scopes that may see the dashboard; each is enough."""
_VALUE = re.compile(r"v1\.([a-z0-9-]{1,63})\.([A-Za-z0-9-]{1,64})\.(\d{1,12})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class StaffSession:
    """One who is logged in."""

    key: ApiKey
    form_token: str
    """Proves that a form was made for this session (against cross-site request forgery)."""


@dataclass(frozen=True, slots=True)
class StaffSessions:
    """Opens sessions and reads them back."""

    mac: Mac
    sites: Sites
    clock: Clock

    def open(self, key: ApiKey) -> str:
        """Give the cookie value of a new session."""
        ends = int((self.clock() + LIFE).timestamp())
        said = f"v1.{key.site}.{key.id}.{ends}"
        return f"{said}.{self._sign('session', said)}"

    def find(self, value: str) -> StaffSession | None:
        """Give the session of a genuine cookie whose time has not run out and whose key lives."""
        match = _VALUE.fullmatch(value)
        if match is None:
            return None
        site, key_id, ends, signature = match.groups()
        genuine = hmac.compare_digest(signature, self._sign("session", value.rpartition(".")[0]))
        if not genuine or int(ends) <= self.clock().timestamp():
            return None
        key = self.sites.key_by_id(site, key_id)
        return None if key is None or not key.scopes & STAFF else self.of(key, value)

    def of(self, key: ApiKey, value: str = "") -> StaffSession:
        """Give the session of a key that was presented itself, or by a cookie's value."""
        return StaffSession(key, self._sign("form", value))

    def _sign(self, use: str, text: str) -> str:
        return urlsafe_b64encode(self.mac("staff-session", f"{use}\n{text}")).rstrip(b"=").decode()
