"""The head of a hot call that carries a body, read in one pass over its fields."""

from typing import NamedTuple

from consent_service.api.fastpath import Headers, key_of, query_region
from consent_service.api.services import Services
from consent_service.domain.signal_adapters.registry import ADAPTED
from consent_service.domain.signals import NO_SIGNALS, Signals, parse_signals
from consent_service.domain.vocabulary import Scope
from consent_service.ports import ApiKey


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
