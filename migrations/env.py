"""Alembic's environment: runs on a connection handed over by `storage/migrate.py`, or on CONSENT_DATABASE_URL."""

import asyncio
import os
from pathlib import Path

from alembic import context
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from consent_service.storage.sqlite import open_engine
from consent_service.storage.tables import metadata


def run(connection: Connection) -> None:
    """Run the migrations in one transaction."""
    context.configure(
        connection=connection, target_metadata=metadata, compare_type=True, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_on_postgres(url: str) -> None:
    """Run on a PostgreSQL database of the command line's."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


def main() -> None:
    """Find the connection and run."""
    handed_over = context.config.attributes.get("connection")
    url = os.environ.get("CONSENT_DATABASE_URL", "sqlite:///var/consent.db")
    if handed_over is not None:
        run(handed_over)
    elif url.startswith("sqlite"):
        with open_engine(Path(url.removeprefix("sqlite:///"))).begin() as connection:
            run(connection)
    else:
        asyncio.run(run_on_postgres(url))


main()
