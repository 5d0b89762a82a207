"""API keys: made here, shown once, known afterwards by their hash only."""

import secrets
from hashlib import sha256

from consent_service.domain.errors import NotFound
from consent_service.domain.vocabulary import Scope
from consent_service.ports import ApiKey, Catalog, Clock, NewId
from consent_service.service.sites import Sites

ALL_SCOPES = frozenset(Scope)


class Keys:
    """Makes, lists and revokes keys."""

    def __init__(self, catalog: Catalog, sites: Sites, clock: Clock, new_id: NewId) -> None:
        """Use a catalog."""
        self._catalog = catalog
        self._sites = sites
        self._clock = clock
        self._new_id = new_id

    async def create(self, site: str, scope: Scope, name: str) -> tuple[ApiKey, str]:
        """Make a key of a site; gives its entry and, this once, the key itself."""
        secret = f"cs_{scope.value}_{secrets.token_urlsafe(32)}"
        entry = ApiKey(
            id=self._new_id(),
            site=site,
            scopes=frozenset({scope}),
            name=name,
            sha256=sha256(secret.encode()).digest(),
            created_at=self._clock(),
        )
        await self._catalog.add_key(entry)
        await self._sites.refresh(force=True)
        return entry, secret

    async def list(self, site: str | None) -> "tuple[ApiKey, ...]":
        """List the living keys of a site, or of all sites for None."""
        snapshot = await self._catalog.load()
        return tuple(key for key in snapshot.keys if site in {None, key.site})

    async def revoke(self, site: str | None, key_id: str) -> None:
        """Revoke a key of a site, or of any site for None; raises NotFound."""
        if not await self._catalog.revoke_key(site, key_id, self._clock()):
            raise NotFound("There is no such key.")
        await self._sites.refresh(force=True)


def bootstrap_key(secret: str, clock: Clock) -> ApiKey:
    """Give the entry of the key that the settings bring: every scope, every site."""
    return ApiKey(
        id="bootstrap",
        site="default",
        scopes=ALL_SCOPES,
        name="bootstrap",
        sha256=sha256(secret.encode()).digest(),
        created_at=clock(),
        every_site=True,
    )
