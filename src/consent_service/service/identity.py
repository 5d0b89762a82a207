"""Who is who without names: visitor ids, the proof that a browser owns one, pseudonyms and account hashes."""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable

Mac = Callable[[str, str], bytes]
"""A keyed hash of a text; the first argument separates uses, each of which has a key of its own."""

VISITOR_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_COOKIE = re.compile(r"v1\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")


def new_visitor_id() -> str:
    """Make 128 random bits as 22 characters of URL-safe base64 (IDN-01)."""
    return secrets.token_urlsafe(16)


class Identity:
    """Keyed hashes about visitors and accounts, each bound to its site."""

    def __init__(self, mac: Mac) -> None:
        """Use a keyed hash."""
        self._mac = mac

    def visitor_cookie(self, site: str, visitor_id: str) -> str:
        """Give the cookie value that proves possession of a visitor id at a site."""
        return f"v1.{visitor_id}.{self._proof(site, visitor_id)}"

    def read_visitor_cookie(self, site: str, value: str) -> str | None:
        """Give the visitor id of a genuine cookie of this site; None for anything else."""
        match = _COOKIE.fullmatch(value)
        if match is None or not hmac.compare_digest(match[2], self._proof(site, match[1])):
            return None
        return match[1]

    def pseudonym(self, site: str, visitor_id: str) -> bytes:
        """Give the 32 bytes that stand for a visitor in the evidence log."""
        return self._mac("pseudonym", f"{site}\n{visitor_id}")

    def account(self, site: str, reference: str) -> str:
        """Give the keyed hash of the storefront's reference to a customer, as URL-safe base64."""
        return _text(self._mac("account", f"{site}\n{reference}"))

    def imported_visitor(self, site: str, reference: str) -> str:
        """Give the visitor id that stands for another system's reference: 128 keyed bits, the same every time."""
        return urlsafe_b64encode(self._mac("import", f"{site}\n{reference}")[:16]).rstrip(b"=").decode()

    @property
    def mac(self) -> Mac:
        """Give the keyed hash, for links that are signed for their bearer."""
        return self._mac

    def suppression_stub(self, site: str, visitor_id: str) -> str:
        """Give what remains of an erased visitor."""
        return _text(self._mac("suppression", f"{site}\n{visitor_id}"))

    def _proof(self, site: str, visitor_id: str) -> str:
        return _text(self._mac("visitor-cookie", f"{site}\n{visitor_id}"))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
