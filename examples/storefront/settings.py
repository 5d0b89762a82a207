"""Where the shop and its neighbours are, read from the environment by whoever starts them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """The addresses of the demo and the shop's key to the service."""

    service: str
    """The consent service, as servers and browsers reach it."""
    key: str
    """A storefront key with scope `manage`: the shop decides, and logs its customers in and out."""
    third_party: str
    """Somebody else's host: another site to the browser, with a cookie jar of its own."""
    secret: bytes
    """Signs the addresses of the pixels in mails."""
    timeout: float = 0.3
    """Seconds that a decision may take."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises KeyError for the one that is missing."""
    return Settings(
        service=environ["CONSENT_URL"].rstrip("/"),
        key=environ["CONSENT_KEY"],
        third_party=environ["THIRD_PARTY_URL"].rstrip("/"),
        secret=environ["SHOP_SECRET"].encode(),
        timeout=float(environ.get("CONSENT_TIMEOUT", "0.3")),
    )
