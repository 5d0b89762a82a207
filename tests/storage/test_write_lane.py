"""The writer's own connection to PostgreSQL: given up when anything goes wrong with it, and made again."""

import asyncio

import asyncpg

from consent_service.ports import Committed
from consent_service.storage.postgres import PostgresStore
from tests.storage.changes import answering, visitor


async def end_all_connections(url: str) -> None:
    """End every other session of the database, as a failover or an administrator does."""
    own = await asyncpg.connect(url)
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1"
    await own.fetch(ended, own.get_server_pid())
    await own.close()


async def test_a_connection_that_the_server_has_ended_is_made_again(
    postgres_store: PostgresStore, postgres_database: str
) -> None:
    """SVC-01: whoever was told of a failure may write again at once, and what was acknowledged is there."""
    await postgres_store.writer.submit(answering(visitor(1)))
    before = await postgres_store.writer.submit(answering(visitor(1)))
    await end_all_connections(postgres_database)
    during = await asyncio.gather(postgres_store.writer.submit(answering(visitor(2))), return_exceptions=True)
    after = await postgres_store.writer.submit(answering(visitor(3)))
    acknowledged = [before, *(outcome for outcome in during if isinstance(outcome, Committed)), after]
    assert [outcome.entries[0].seq for outcome in acknowledged] == list(range(1, len(acknowledged) + 1))
