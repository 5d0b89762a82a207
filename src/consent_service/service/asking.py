"""What a request says before any use case looks at it."""

from hashlib import sha256
from typing import NamedTuple

from consent_service.domain.signal_adapters.expression import NOTHING_EXPRESSED, Expression
from consent_service.domain.signals import NO_SIGNALS, Signals
from consent_service.domain.vocabulary import Method
from consent_service.service.sites import Site

ANY_REVISION = -1
"""`If-Match: *`: whatever the revision, as long as there is a record."""


class ClientKey(NamedTuple):
    """An Idempotency-Key and the request it came with."""

    key: str
    fingerprint: bytes


class Asking(NamedTuple):
    """Who asks about whom, from where, with which signals."""

    site: Site
    visitor_id: str | None
    signals: Signals = NO_SIGNALS
    expression: Expression = NOTHING_EXPRESSED
    """What signals beside DNT and GPC say about single categories."""
    region: str | None = None
    method: Method = Method.API
    locale: str | None = None
    if_match: frozenset[int] | None = None
    """The revisions that the caller would accept; None asks for none."""
    client_key: ClientKey | None = None

    @property
    def silent(self) -> bool:
        """Tell whether the request shows no signal at all."""
        return self.signals == NO_SIGNALS and not self.expression


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """Tell two requests apart that came under one Idempotency-Key."""
    return sha256(f"{method} {path}\n".encode() + body).digest()
