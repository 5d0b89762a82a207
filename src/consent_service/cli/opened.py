"""The use cases for a command: the store of the settings, opened for its duration, beside a serving process."""

import contextlib
from collections.abc import AsyncIterator

from consent_service.api.services import Health, Services
from consent_service.assembly import build_services
from consent_service.cli.root import settings
from consent_service.config import Settings
from consent_service.domain.errors import StoreUnavailable
from consent_service.service.identity import Identity
from consent_service.storage.keyring import Keyring
from consent_service.storage.migrate import upgrade
from consent_service.stores import open_store, sqlite_path
from consent_service.system import RandomIds, utc_now


def migrated() -> None:
    """Bring the database of the settings up to date; blocks."""
    upgrade(settings().database_url)


@contextlib.asynccontextmanager
async def opened(known: Settings | None = None) -> AsyncIterator[Services]:
    """Open the store of the settings, or of others, and read the catalog."""
    known = known or settings()
    keyring = Keyring(known.keys_dir)
    path = sqlite_path(known)
    if path is not None and not path.exists():
        raise StoreUnavailable(f"There is no database at {path}; `consent-service migrate` makes one.")
    store = open_store(known, Identity(keyring.mac), exclusive=False)
    services = build_services(known, keyring, utc_now, RandomIds(), store, Health())
    await store.start()
    try:
        await services.sites.refresh(force=True)
        yield services
    finally:
        await store.stop()
