"""Providers of a cookie list: their keys in a policy document and their entries."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping

from consent_service.domain.policy_parts import url
from consent_service.service.cookie_lists.report import FILL_IN, Entry
from consent_service.service.cookie_lists.table import CONTROLLER, PLATFORM, PRIVACY_URL, Row

UNKNOWN = "unknown_provider"
_MAX_NAME = 200


def provider_key(name: str) -> str:
    """Give the key of a provider: lower-case Latin letters, digits and underscores, the same for the same name."""
    latin = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    slug = re.sub(r"[^a-z0-9]+", "_", latin).strip("_")
    return slug or "provider_" + hashlib.sha256(name.encode()).hexdigest()[:8]


def provider_of(row: Row) -> tuple[str, dict[str, object], list[str], list[str]]:
    """Give the key and entry of a row's provider, with notes and with what a person must decide."""
    name = row.cells[CONTROLLER] or row.cells[PLATFORM]
    if not name:
        entry: dict[str, object] = {"name": f"{FILL_IN}: who sets these trackers"}
        return UNKNOWN, entry, [], ["the row names no provider"]
    review = []
    if len(name) > _MAX_NAME:
        review.append(f"the provider's name was cut to {_MAX_NAME} of {len(name)} characters")
    key, entry = provider_key(name), {"name": name[:_MAX_NAME]}
    address = row.cells[PRIVACY_URL]
    if not address:
        return key, entry, ["no privacy policy of the provider is given"], review
    try:
        return key, entry | {"privacy_policy": url(address)}, [], review
    except ValueError:
        return key, entry, [], [*review, "the privacy policy's address is none and was left out"]


def join(providers: dict[str, Entry], key: str, entry: Mapping[str, object]) -> list[str]:
    """Add a provider, or complete the entry that is there; give notes on what differs."""
    known = providers.get(key)
    if known is None:
        providers[key] = dict(entry)
        return []
    address = entry.get("privacy_policy")
    if address and "privacy_policy" not in known:
        providers[key] = {**known, "privacy_policy": address}
    elif address and address != known["privacy_policy"]:
        return [f"provider {key} keeps the privacy policy address of an earlier row"]
    return []
