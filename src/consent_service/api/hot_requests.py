"""What the hot paths read off a request by themselves; anything out of the ordinary is left to the framework."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from consent_service.api.services import Services
from consent_service.domain.regions import parse_region
from consent_service.domain.signal_adapters.registry import ADAPTED
from consent_service.domain.signals import NO_SIGNALS, Signals, parse_signals
from consent_service.domain.vocabulary import Scope
from consent_service.ports import ApiKey

Field = tuple[bytes, bytes]
Headers = list[Field]


class Whole(Protocol):
    """A request without peculiarities, of which all is there."""

    target: bytes
    headers: Headers
    body: bytes


Answer = Callable[[int, bytes | None], None]
"""Takes status, own header fields and body, or None for the ordinary way (see `server/shortcut.py`)."""

DECIDING = frozenset({Scope.DECIDE, Scope.MANAGE})
_QUERY = re.compile(rb"(?:region=([A-Za-z]{2}(?:-[A-Za-z0-9]{1,3})?))?")
_BEARER = re.compile(rb"[Bb]earer +([A-Za-z0-9._~+/=-]{1,200})")


@lru_cache(1_024)
def read_region(given: bytes | None) -> str | None:
    """Read a region's code; None for none, and for one that is no region."""
    return parse_region(given.decode()) if given else None


def key_of(services: Services, authorization: bytes | None, scopes: frozenset[Scope]) -> ApiKey | None:
    """Find the key of a request among those known here; None where the ordinary way must look, count, or refuse."""
    bearer = None if authorization is None else _BEARER.fullmatch(authorization)
    key = services.sites.key_known(bearer[1].decode()) if bearer else None
    return None if key is None or not key.scopes & scopes or services.limits.counts_keys else key


@dataclass(frozen=True, slots=True)
class Where:
    """The region that a request names; None for an unknown one."""

    region: str | None


def query_region(query: bytes, services: Services) -> Where | None:
    """Read `region` from the query; None where the ordinary way must look."""
    match = _QUERY.fullmatch(query)
    if match is None or (match[1] is None and services.http.region_header):
        return None
    return Where(read_region(match[1]))


class Call(NamedTuple):
    """A request that the hot way may answer, before its body has been read."""

    services: Services
    key: ApiKey
    path: str
    region: str | None
    signals: Signals
    idempotency_key: str | None


def read_call(
    services: Services, headers: Headers, path: str, query: bytes, scopes: frozenset[Scope], most: int
) -> Call | None:
    """Read the head of a request with a body of at most so many bytes; None where the ordinary way must look."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in ADAPTED:
            return None
        if name in _FIELDS:
            if name in found:
                return None
            found[name] = value
    length = found.get(b"content-length", b"")
    key = key_of(services, found.get(b"authorization"), scopes)
    where = query_region(query, services)
    if key is None or where is None or b"if-match" in found or found.get(b"content-type") != b"application/json":
        return None
    if not length.isdigit() or len(length) > len(str(most)) or int(length) > most:
        return None
    dnt, gpc = found.get(b"dnt"), found.get(b"sec-gpc")
    signals = NO_SIGNALS if dnt is None and gpc is None else parse_signals(_texts(dnt), _texts(gpc))
    given = found.get(b"idempotency-key")
    return Call(services, key, path, where.region, signals, None if given is None else given.decode("latin-1"))


_FIELDS = frozenset(
    {
        b"authorization", b"content-length", b"content-type", b"dnt", b"sec-gpc", b"idempotency-key", b"if-match",
        b"transfer-encoding",
    }
)  # fmt: skip


def _texts(value: bytes | None) -> list[str]:
    return [] if value is None else [value.decode("latin-1")]
