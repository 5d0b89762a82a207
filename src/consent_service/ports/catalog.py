"""Policies, keys and webhook endpoints: small, rarely written, read as a whole."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consent_service.domain.vocabulary import Scope
from consent_service.domain.webhooks import Endpoint


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A published policy document, as canonical JSON."""

    site: str
    version: str
    sha256: str
    published_at: datetime
    effective_from: datetime
    document: bytes


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key's entry: everything but the key, of which only the hash is known."""

    id: str
    site: str
    scopes: frozenset[Scope]
    name: str
    sha256: bytes
    created_at: datetime
    revoked_at: datetime | None = None
    every_site: bool = False
    """True for the bootstrap key and the command line, which may make keys and policies of any site."""


@dataclass(frozen=True, slots=True)
class CatalogSnapshot:
    """All published policies, living keys and webhook endpoints, and the number of the change that made them so."""

    epoch: int
    policies: tuple[StoredPolicy, ...] = ()
    keys: tuple[ApiKey, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()


class Catalog(Protocol):
    """Policies and keys: small, rarely written, read as a whole."""

    async def epoch(self) -> int:
        """Give the number of the last change of the catalog."""

    async def load(self) -> CatalogSnapshot:
        """Read the whole catalog."""

    async def add_policy(self, policy: StoredPolicy) -> None:
        """Publish a version; raises PolicyVersionExists where another document bears its name."""

    async def add_key(self, key: ApiKey) -> None:
        """Add a key."""

    async def revoke_key(self, site: str | None, key_id: str, now: datetime) -> bool:
        """Revoke a key of a site (of any site for None); False where there is none."""

    async def add_endpoint(self, endpoint: Endpoint) -> None:
        """Add a webhook endpoint; it is told of every change that is stored after this."""

    async def remove_endpoint(self, site: str | None, endpoint_id: str) -> bool:
        """Remove an endpoint of a site (of any site for None) with all it was not told; False where there is none."""
