"""Policies, keys and webhook endpoints in SQL: written rarely, read as a whole, watched through one number."""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from consent_service.domain.errors import PolicyVersionExists
from consent_service.domain.vocabulary import Scope
from consent_service.domain.webhooks import Endpoint
from consent_service.ports import ApiKey, CatalogSnapshot, StoredPolicy
from consent_service.storage import tables as t
from consent_service.storage.dialects import insert
from consent_service.storage.runner import SqlRunner

_ONE = 1


class SqlCatalog:
    """The catalog on PostgreSQL and SQLite."""

    def __init__(self, runner: SqlRunner) -> None:
        """Use a database."""
        self._runner = runner

    async def epoch(self) -> int:
        """Give the number of the last change."""
        return await self._runner.read(_epoch)

    async def load(self) -> CatalogSnapshot:
        """Read the whole catalog; the number is read first, so that it is never newer than what comes with it."""

        def read(connection: Connection) -> CatalogSnapshot:
            epoch = _epoch(connection)
            policies = connection.execute(select(t.policies).order_by(t.policies.c.published_at)).all()
            keys = connection.execute(select(t.api_keys).where(t.api_keys.c.revoked_at.is_(None))).all()
            endpoints = connection.execute(select(t.webhook_endpoints).order_by(t.webhook_endpoints.c.created_at)).all()
            return CatalogSnapshot(
                epoch,
                tuple(
                    StoredPolicy(p.site, p.version, p.sha256, p.published_at, p.effective_from, p.document)
                    for p in policies
                ),
                tuple(
                    ApiKey(k.id, k.site, frozenset(map(Scope, k.scopes.split())), k.name, k.sha256, k.created_at)
                    for k in keys
                ),
                tuple(Endpoint(e.id, e.site, e.url, e.created_at) for e in endpoints),
            )

        return await self._runner.read(read)

    async def add_policy(self, policy: StoredPolicy) -> None:
        """Publish a version; the same document again changes nothing."""

        def write(connection: Connection) -> str | None:
            p = t.policies.c
            row = {column.name: getattr(policy, column.name) for column in p}
            # Of several processes that publish the same version at once one inserts; the others find what it wrote.
            if connection.execute(insert(connection, t.policies).values(row).on_conflict_do_nothing()).rowcount:
                _advance(connection)
            return connection.scalar(select(p.sha256).where(p.site == policy.site, p.version == policy.version))

        if await self._runner.write(write) != policy.sha256:
            raise PolicyVersionExists

    async def add_key(self, key: ApiKey) -> None:
        """Add a key."""
        row = {
            "id": key.id,
            "site": key.site,
            "scopes": " ".join(sorted(key.scopes)),
            "name": key.name,
            "sha256": key.sha256,
            "created_at": key.created_at,
        }

        def write(connection: Connection) -> None:
            connection.execute(t.api_keys.insert(), row)
            _advance(connection)

        await self._runner.write(write)

    async def revoke_key(self, site: str | None, key_id: str, now: datetime) -> bool:
        """Revoke a key of a site, or of any site for None; False where there is no living one."""

        def write(connection: Connection) -> bool:
            k = t.api_keys.c
            here = k.id == key_id if site is None else (k.id == key_id) & (k.site == site)
            result = connection.execute(update(t.api_keys).where(here, k.revoked_at.is_(None)).values(revoked_at=now))
            _advance(connection)
            return result.rowcount > 0

        return await self._runner.write(write)

    async def add_endpoint(self, endpoint: Endpoint) -> None:
        """Add a webhook endpoint."""

        def write(connection: Connection) -> None:
            row = {"id": endpoint.id, "site": endpoint.site, "url": endpoint.url, "created_at": endpoint.created_at}
            connection.execute(t.webhook_endpoints.insert(), row)
            _tell_writers(connection, endpoint.site)
            _advance(connection)

        await self._runner.write(write)

    async def remove_endpoint(self, site: str | None, endpoint_id: str) -> bool:
        """Remove an endpoint of a site (any for None) with all it was not told; False where there is none."""

        def write(connection: Connection) -> bool:
            e, o = t.webhook_endpoints.c, t.webhook_outbox.c
            of = connection.scalar(select(e.site).where(e.id == endpoint_id))
            if of is None or site not in {None, of}:
                return False
            connection.execute(delete(t.webhook_endpoints).where(e.site == of, e.id == endpoint_id))
            _tell_writers(connection, of)
            connection.execute(delete(t.webhook_outbox).where(o.site == of, o.endpoint == endpoint_id))
            _advance(connection)
            return True

        return await self._runner.write(write)


def _tell_writers(connection: Connection, site: str) -> None:
    """Write the site's endpoints into the row that every writer locks: from its next batch on they are told."""
    h, e = t.log_heads.c, t.webhook_endpoints.c
    empty = {"site": site, "size": 0, "frontier": b""}
    connection.execute(insert(connection, t.log_heads).on_conflict_do_nothing(), [empty])
    connection.execute(select(h.site).where(h.site == site).with_for_update())
    ids = connection.scalars(select(e.id).where(e.site == site).order_by(e.created_at, e.id))
    connection.execute(update(t.log_heads).where(h.site == site).values(endpoints=" ".join(ids) or None))


def _epoch(connection: Connection) -> int:
    return connection.scalar(select(t.catalog_epoch.c.epoch)) or 0


def _advance(connection: Connection) -> None:
    epoch = t.catalog_epoch.c.epoch
    connection.execute(update(t.catalog_epoch).where(t.catalog_epoch.c.id == _ONE).values(epoch=epoch + 1))
