"""Signed withdrawal links: who holds a mail may take consent back, and nothing else (TRK-04; CNIL 2026-042).

A token names the site and the visitor and is bound to both by a keyed hash of its own. It does not expire, because old
mails are read late; it reads nothing and grants nothing, so that its loss costs a consent at most.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from consent_service.service.identity import Mac

_TOKEN = re.compile(r"w1\.([a-z0-9-]{1,63})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")
_USE = "withdrawal-link"

PATH = "/withdraw"
ONE_CLICK = ("List-Unsubscribe", "One-Click")
"""The one field and its value that a mail program posts (RFC 8058 §3.2)."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose consent a genuine link takes back, and where."""

    site: str
    visitor_id: str


@dataclass(frozen=True, slots=True)
class WithdrawalLinks:
    """Makes links and reads them back."""

    address: str
    mac: Mac

    def url(self, site: str, visitor_id: str) -> str:
        """Give the address that goes into a mail to this visitor."""
        return f"{self.address}{PATH}/w1.{site}.{visitor_id}.{self._proof(site, visitor_id)}"

    def read(self, token: str) -> Bearer | None:
        """Give whom a genuine token names; None for anything else."""
        match = _TOKEN.fullmatch(token)
        if match is None or not hmac.compare_digest(match[3], self._proof(match[1], match[2])):
            return None
        return Bearer(match[1], match[2])

    def _proof(self, site: str, visitor_id: str) -> str:
        return urlsafe_b64encode(self.mac(_USE, f"{site}\n{visitor_id}")).rstrip(b"=").decode()


def headers_of(url: str) -> dict[str, str]:
    """Give the two fields that a mail bears for one-click withdrawal (RFC 2369, RFC 8058)."""
    field, value = ONE_CLICK
    return {field: f"<{url}>", f"{field}-Post": f"{field}={value}"}
