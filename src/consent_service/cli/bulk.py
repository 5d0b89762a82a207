"""Opening a store for loading in bulk, beside a serving process or alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from consent_service.api.services import Health
from consent_service.assembly import build_services, publish_at_start
from consent_service.config import Settings
from consent_service.domain.errors import StoreUnavailable
from consent_service.service.identity import Identity
from consent_service.service.sites import Sites
from consent_service.storage.keyring import Keyring
from consent_service.storage.migrate import upgrade
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore, is_served
from consent_service.stores import open_store, sqlite_path
from consent_service.system import RandomIds, utc_now


@contextlib.asynccontextmanager
async def bulk_store(settings: Settings) -> AsyncIterator[tuple[SqliteStore | PostgresStore, Sites]]:
    """Open the store of the settings for loading in bulk, migrated and with a policy, also beside a serving process."""
    await asyncio.to_thread(upgrade, settings.database_url)
    keyring = Keyring(settings.keys_dir)
    path = sqlite_path(settings)
    # Whoever is alone with a SQLite file empties its write-ahead log; beside a serving process that one does.
    alone = path is not None and not is_served(path)
    store = open_store(settings, Identity(keyring.mac), exclusive=alone, bulk=True)
    if not isinstance(store, SqliteStore | PostgresStore):
        raise StoreUnavailable("This store has no database.")
    services = build_services(settings, keyring, utc_now, RandomIds(), store, Health())
    await store.start()
    try:
        await services.sites.refresh(force=True)
        await publish_at_start(settings, services)
        yield store, services.sites
    finally:
        await store.stop()
