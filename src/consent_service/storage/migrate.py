"""Brings a database's schema up to date, one process at a time, and tells in which state it is.

Alembic is imported where it is needed: most starts find the schema up to date and save its time. The scripts travel
with the package; of several processes that start at once one migrates while the others wait.
"""

import asyncio
import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from consent_service.domain.errors import StoreUnavailable
from consent_service.storage.sqlite import open_engine

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK_NUMBER = 0x636F6E73
"""Any fixed number: the advisory lock that migrating processes share ("cons")."""
LOCK_SECONDS = 2
STATEMENT_SECONDS = 600
"""For one statement of a migration, such as filling a new table from the log."""
_ATTEMPTS = 10
_PAUSE_SECONDS = 1.0
_LOCK_NOT_AVAILABLE = "55P03"
_TOO_NEW = "The database was migrated by a newer version of this software; use that one."
_SQLITE = "sqlite:///"
_REVISION = re.compile(r'^revision = "(.+)"$', re.MULTILINE)
_DOWN_REVISION = re.compile(r'^down_revision = "(.+)"$', re.MULTILINE)


class SchemaState(Enum):
    """How a database's schema stands to this version of the code."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    AHEAD = "ahead"
    """Migrated by a newer version, and only expanded: this version still runs on it."""
    NEWER = "newer"


def upgrade(url: str) -> SchemaState:
    """Bring a database up to date; gives the state it was found in. Blocks; not for a running event loop.

    Raises StoreUnavailable where the database cannot be reached or its schema is newer than this code.
    """
    try:
        if url.startswith(_SQLITE):
            return _upgrade_sqlite(Path(url.removeprefix(_SQLITE)))
        return asyncio.run(_upgrade_postgres(url))
    except (DBAPIError, OSError) as error:
        raise StoreUnavailable(f"The database cannot be reached or migrated ({type(error).__name__}).") from error


def _upgrade_sqlite(path: Path) -> SchemaState:
    path.parent.mkdir(parents=True, exist_ok=True)
    # What is held about visitors is for the service's own account alone, and the log files follow the database's mode.
    path.touch(mode=0o600)
    # The writer's own engine: its transactions hold the DDL as well, so a crash leaves a schema whole or untouched.
    engine = open_engine(path)
    try:
        with _file_lock(path.with_name(path.name + ".migrating")), engine.begin() as connection:
            return _upgrade(connection)
    finally:
        engine.dispose()


async def _upgrade_postgres(url: str) -> SchemaState:
    import asyncpg  # noqa: PLC0415 - not for those who serve from SQLite

    from consent_service.storage.primary import connect_to_primary  # noqa: PLC0415 - the same

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: connect_to_primary(url, seconds=10.0), poolclass=NullPool
    )
    try:
        for remaining in reversed(range(_ATTEMPTS)):
            try:
                return await _upgrade_once(engine)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE or not remaining:
                    raise
            await pause()
        raise AssertionError  # the last attempt returns or raises
    except asyncpg.PostgresError as error:
        # A refused connection, such as to a database that does not exist, reaches us as the driver's own error.
        raise ConnectionError(str(error)) from error
    finally:
        await engine.dispose()


async def pause() -> None:
    """Let those go on who wait behind the lock that could not be had."""
    await asyncio.sleep(_PAUSE_SECONDS)


async def _upgrade_once(engine: AsyncEngine) -> SchemaState:
    async with engine.begin() as connection:
        # Held to the end of the transaction; whoever waits finds the schema up to date.
        await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
        # A statement that waits for its lock holds up everybody behind it, so it waits for less than a write may take.
        await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
        await connection.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'"))
        return await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> SchemaState:
    state = schema_state(connection)
    if state is SchemaState.NEWER:
        raise StoreUnavailable(_TOO_NEW)
    if state in {SchemaState.EMPTY, SchemaState.OLDER}:
        from alembic import command  # noqa: PLC0415 - see above

        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return state


def schema_state(connection: Connection) -> SchemaState:
    """Tell how the schema stands to this code."""
    if not inspect(connection).has_table("alembic_version"):
        return SchemaState.EMPTY
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    head, known = revisions()
    if found == head:
        return SchemaState.CURRENT
    if found in known:
        return SchemaState.OLDER
    # Whoever migrated further says which code may still run: a rolling deployment restarts old processes as well.
    floor = connection.scalar(text("SELECT floor FROM catalog_epoch"))
    return SchemaState.AHEAD if floor in known else SchemaState.NEWER


def require_served(connection: Connection) -> None:
    """Raise StoreUnavailable where this code must not serve from the schema: it is older, or too new."""
    state = schema_state(connection)
    if state is SchemaState.NEWER:
        raise StoreUnavailable(_TOO_NEW)
    if state not in {SchemaState.CURRENT, SchemaState.AHEAD}:
        raise StoreUnavailable(f"The schema is {state.value}; `consent-service migrate` brings it up to date.")


def revisions() -> tuple[str, frozenset[str]]:
    """Give the newest revision and all there are, read off the scripts without importing Alembic."""
    sources = [path.read_text("utf-8") for path in sorted((_directory() / "versions").glob("*.py"))]
    known = frozenset(found for source in sources for found in _REVISION.findall(source))
    (head,) = known.difference(*map(_DOWN_REVISION.findall, sources))
    return head, known


def _directory() -> Path:
    here = Path(__file__).parent.parent
    installed = here / "_migrations"
    return installed if installed.is_dir() else here.parent.parent / "migrations"


def _config() -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see above

    root = _directory()
    config = Config()
    config.set_main_option("script_location", str(root).replace("%", "%%"))
    config.set_main_option("version_locations", str(root / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
