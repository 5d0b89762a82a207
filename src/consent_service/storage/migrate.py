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
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from consent_service.domain.errors import StoreUnavailable
from consent_service.storage.sqlite import open_engine

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK_NUMBER = 0x636F6E73
"""Any fixed number: the advisory lock that migrating processes share ("cons")."""
_SQLITE = "sqlite:///"
_REVISION = re.compile(r'^revision = "(.+)"$', re.MULTILINE)
_DOWN_REVISION = re.compile(r'^down_revision = "(.+)"$', re.MULTILINE)


class SchemaState(Enum):
    """How a database's schema stands to this version of the code."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
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
        async with engine.begin() as connection:
            # Held to the end of the transaction; whoever waits finds the schema up to date.
            await connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
            await connection.execute(text("SET LOCAL lock_timeout = '4s'"))
            return await connection.run_sync(_upgrade)
    except asyncpg.PostgresError as error:
        # A refused connection, such as to a database that does not exist, reaches us as the driver's own error.
        raise ConnectionError(str(error)) from error
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> SchemaState:
    state = schema_state(connection)
    if state is SchemaState.NEWER:
        raise StoreUnavailable("The database was migrated by a newer version of this software; use that one.")
    if state is not SchemaState.CURRENT:
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
    return SchemaState.OLDER if found in known else SchemaState.NEWER


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
