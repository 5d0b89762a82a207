"""From settings to a store, and to the files that travel with the package."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from consent_service.config import Settings
from consent_service.domain.errors import StoreUnavailable
from consent_service.ports import Store
from consent_service.service.identity import Identity
from consent_service.storage.batch_state import Secrets
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore

Result = TypeVar("Result")


def open_store(settings: Settings, identity: Identity, *, exclusive: bool = True, bulk: bool = False) -> Store:
    """Choose the store that the settings name; it is not yet started. `bulk`: many new rows are to come."""
    made_with = Secrets(identity.pseudonym, lambda: secrets.token_bytes(32))
    path = sqlite_path(settings)
    if path is not None:
        return SqliteStore(path, made_with, exclusive=exclusive, bulk=bulk)
    return PostgresStore(settings.database_url, made_with)


async def read_database(store: Store, work: Callable[[Connection], Result]) -> Result:
    """Run a reading function in one snapshot of the database behind a store; a store in memory has none."""
    if not isinstance(store, SqliteStore | PostgresStore):
        raise StoreUnavailable("This store has no database.")
    return await store.read(work)


def sqlite_path(settings: Settings) -> Path | None:
    """Give the path of the SQLite file; None where the database is PostgreSQL."""
    prefix = "sqlite:///"
    return Path(settings.database_url.removeprefix(prefix)) if settings.database_url.startswith(prefix) else None


def packaged(directory: str) -> Path:
    """Find files that travel with the package: inside an installed wheel, else at the root of the repository."""
    here = Path(__file__).parent
    installed = here / f"_{directory}"
    return installed if installed.is_dir() else here.parent.parent / directory
