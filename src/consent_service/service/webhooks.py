"""Webhook endpoints of a site: added, listed, removed, and told again what they missed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from consent_service.domain.errors import Conflict, NotFound
from consent_service.domain.webhooks import Endpoint, check_url
from consent_service.ports import Backlog, Clock, DeadLetter, NewId, Store
from consent_service.service.sites import Sites

MOST = 10
"""Endpoints of one site: each change is written once for each of them."""
_CHUNK = 2_000
"""Entries queued in one transaction: the site's writers wait for it."""

SecretOf = Callable[[Endpoint], str]
"""Derives an endpoint's signing secret; none is stored, so neither the database nor its dumps can sign."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay came to: how many events were queued, and behind which seq to go on (None: that was all)."""

    queued: int
    next_after: int | None = None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The use cases."""

    store: Store
    sites: Sites
    clock: Clock
    new_id: NewId
    secret_of: SecretOf
    dev: bool = False

    async def add(self, site: str, url: str) -> tuple[Endpoint, str]:
        """Add an endpoint; gives it and its secret. Raises InvalidInput, NotFound and Conflict."""
        check_url(url, dev=self.dev)
        self.sites.get(site)
        known = await self._of(site)
        if len(known) >= MOST or any(endpoint.url == url for endpoint in known):
            raise Conflict(f"The site has this endpoint already, or {MOST} of them.")
        endpoint = Endpoint(self.new_id(), site, url, self.clock())
        await self.store.catalog.add_endpoint(endpoint)
        await self.sites.refresh(force=True)
        return endpoint, self.secret_of(endpoint)

    async def list(self, site: str | None) -> "list[tuple[Endpoint, Backlog]]":
        """List the endpoints of a site, or of all sites for None, with what waits for each."""
        found = await self._of(site)
        backlogs = {slug: await self.store.outbox.backlog(slug) for slug in sorted({e.site for e in found})}
        return [(endpoint, backlogs[endpoint.site].get(endpoint.id, Backlog())) for endpoint in found]

    async def get(self, site: str | None, endpoint_id: str) -> Endpoint:
        """Give an endpoint of a site, or of any site for None; raises NotFound."""
        found = next((e for e in await self._of(site) if e.id == endpoint_id), None)
        if found is None:
            raise NotFound("There is no such endpoint.")
        return found

    async def remove(self, site: str | None, endpoint_id: str) -> None:
        """Remove an endpoint and all that it was not told; raises NotFound."""
        if not await self.store.catalog.remove_endpoint(site, endpoint_id):
            raise NotFound("There is no such endpoint.")
        await self.sites.refresh(force=True)

    async def dead(self, endpoint: Endpoint, limit: int) -> Sequence[DeadLetter]:
        """List what was given up, oldest first."""
        return await self.store.outbox.dead(endpoint.site, endpoint.id, limit)

    async def revive(self, endpoint: Endpoint) -> Replay:
        """Try the dead letters of an endpoint again."""
        return Replay(await self.store.outbox.revive(endpoint, self.clock()))

    async def replay(self, endpoint: Endpoint, after: int, most: int) -> Replay:
        """Tell an endpoint again what the log holds behind `after`, going through at most `most` entries."""
        queued, place, end = 0, after, after + most
        while True:
            limit = min(_CHUNK, end - place)
            found, go_on = await self.store.outbox.replay(endpoint, place, limit, self.clock())
            queued += found
            if go_on is None or go_on >= end:
                return Replay(queued, go_on)
            place = go_on

    async def _of(self, site: str | None) -> Sequence[Endpoint]:
        await self.sites.refresh()
        return [endpoint for endpoint in self.sites.endpoints if site in {None, endpoint.site}]
