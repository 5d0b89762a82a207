"""The sites: their policies made ready for deciding, their keys, and how a request finds its site.

Policies are immutable and keys change rarely, so every replica keeps all of them in memory and watches one number
in the database. Consent is never kept. What is not known here is looked up once more before it is refused, so a
policy or key that another replica has just accepted works here at once.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import orjson

from consent_service.domain.errors import ConsentError, NotFound, PolicyVersionSuperseded, PolicyVersionUnknown
from consent_service.domain.policy import Policy
from consent_service.domain.policy_document import read_policy
from consent_service.domain.ruleset import Ruleset, compile_ruleset
from consent_service.domain.webhooks import Endpoint
from consent_service.ports import ApiKey, Catalog, CatalogSnapshot, Clock, StoredPolicy

_log = logging.getLogger(__name__)

_Fits = Callable[[Policy], bool]

WATCH_SECONDS = 1.0
"""How often the catalog's number is looked at; a revoked key works on other replicas for that long at most."""


@dataclass(frozen=True, slots=True)
class Version:
    """One published policy version of a site, ready for deciding once it is in force."""

    stored: StoredPolicy
    policy: Policy
    rules: Ruleset


@dataclass(slots=True)
class Site:
    """A site with all its versions, by the time from which they are in force."""

    slug: str
    versions: tuple[Version, ...]
    by_name: dict[str, Version] = field(default_factory=dict)

    def current(self, now: datetime) -> Version:
        """Give the version in force: of those whose time has come the latest, else the first there will be."""
        for version in reversed(self.versions):
            if version.policy.effective_from <= now:
                return version
        return self.versions[0]


class Sites:
    """All sites of the installation."""

    def __init__(self, catalog: Catalog, clock: Clock, bootstrap: ApiKey | None = None) -> None:
        """Start empty; `bootstrap` is the key that the settings bring."""
        self._catalog = catalog
        self._clock = clock
        self._bootstrap = bootstrap
        self._epoch = -1
        self._sites: dict[str, Site] = {}
        self.endpoints: tuple[Endpoint, ...] = ()
        self._keys: dict[bytes, ApiKey] = {}
        self._read: dict[str, Policy] = {}
        self._refreshing = asyncio.Lock()

    async def refresh(self, *, force: bool = False) -> None:
        """Read the catalog again if it has changed."""
        async with self._refreshing:
            if not force and await self._catalog.epoch() == self._epoch:
                return
            snapshot = await self._catalog.load()
            self._sites = self._compile(snapshot)
            self.endpoints = snapshot.endpoints
            keys = (*snapshot.keys, self._bootstrap) if self._bootstrap else snapshot.keys
            self._keys = {key.sha256: key for key in keys}
            self._epoch = snapshot.epoch

    async def watch(self) -> None:
        """Keep up with the catalog until cancelled; an unreachable store is tried again."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self.refresh()
            except ConsentError as error:
                _log.warning("the catalog could not be read: %s", error)

    def get(self, slug: str) -> Site:
        """Give a site by its slug; raises NotFound."""
        site = self._sites.get(slug)
        if site is None:
            raise NotFound("There is no such site, or it has published no policy.")
        return site

    def find(self, slug: str) -> Site | None:
        """Give a site by its slug, if it is there."""
        return self._sites.get(slug)

    def all(self) -> Sequence[Site]:
        """Give all sites."""
        return tuple(self._sites.values())

    def by_origin(self, origin: str) -> Site | None:
        """Find the site whose pages have this origin."""
        return self._find(lambda policy: origin in policy.origins)

    def by_host(self, host: str) -> Site | None:
        """Find the site that is served under this host."""
        return self._find(lambda policy: host in policy.hosts)

    def only(self) -> Site | None:
        """Give the only site there is, if it is the only one."""
        return next(iter(self._sites.values())) if len(self._sites) == 1 else None

    def key_known(self, presented: str) -> ApiKey | None:
        """Find a living key among those known here."""
        return self._keys.get(sha256(presented.encode()).digest())

    def key_by_id(self, site: str, key_id: str) -> ApiKey | None:
        """Find a living key of a site by its id."""
        return next((key for key in self._keys.values() if (key.site, key.id) == (site, key_id)), None)

    async def key(self, presented: str) -> ApiKey | None:
        """Find a living key; one that is not known here is looked for in the catalog first."""
        known = self.key_known(presented)
        if known is None and presented.startswith("cs_"):
            await self.refresh()
            known = self.key_known(presented)
        return known

    async def version_for_consent(self, site: Site, version: str, now: datetime) -> Version:
        """Give the version in force if it is the one a visitor was shown.

        Raises PolicyVersionUnknown, or PolicyVersionSuperseded where a newer one is in force.
        """
        if version not in site.by_name:
            await self.refresh()
            site = self.get(site.slug)
        if version not in site.by_name:
            raise PolicyVersionUnknown
        current = site.current(now)
        if version == current.policy.version:
            return current
        if site.by_name[version].policy.effective_from > now:
            raise PolicyVersionUnknown("This policy version is published but not yet in force.")
        raise PolicyVersionSuperseded

    def _find(self, fits: _Fits) -> Site | None:
        now = self._clock()
        for site in self._sites.values():
            if fits(site.current(now).policy):
                return site
        return None

    def _compile(self, snapshot: CatalogSnapshot) -> dict[str, Site]:
        by_site: dict[str, list[tuple[StoredPolicy, Policy]]] = {}
        for stored in snapshot.policies:
            by_site.setdefault(stored.site, []).append((stored, self._policy(stored)))
        return {slug: _site(slug, found) for slug, found in by_site.items()}

    def _policy(self, stored: StoredPolicy) -> Policy:
        policy = self._read.get(stored.sha256)
        if policy is None:
            if not hmac.compare_digest(sha256(stored.document).hexdigest(), stored.sha256):
                raise ConsentError(f"The stored policy {stored.version} of {stored.site} is damaged.")
            policy = self._read[stored.sha256] = read_policy(orjson.loads(stored.document))
        return policy


def _site(slug: str, found: "list[tuple[StoredPolicy, Policy]]") -> Site:
    found.sort(key=lambda pair: (pair[1].effective_from, pair[0].published_at))
    policies = [policy for _, policy in found]
    versions = tuple(
        Version(stored, policy, compile_ruleset(policy, [p for p in policies if p is not policy]))
        for stored, policy in found
    )
    return Site(slug, versions, {version.policy.version: version for version in versions})
