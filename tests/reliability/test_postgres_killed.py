"""A3: PostgreSQL is killed under write load and started again; the service lives on and nothing acknowledged is lost."""

import asyncio
import random
from pathlib import Path

from tests.reliability.campaign import figures, times
from tests.reliability.load import Account, Load, account, writing
from tests.support.postgres import PostgresServer
from tests.support.service_process import ServiceProcess, service_process


async def kill_the_database_again_and_again(
    service: ServiceProcess, database: PostgresServer, kills: int
) -> tuple[Account, Load]:
    """Kill the database so many times under load; gives what became of the writes."""
    moments = random.Random(kills)  # noqa: S311 - a repeatable choice
    await asyncio.to_thread(service.start)
    async with writing(lambda: service.address) as load:
        for _ in range(kills):
            await load.acknowledged(moments.randint(20, 80))
            await asyncio.to_thread(database.kill)
            await asyncio.sleep(moments.random())
            await asyncio.to_thread(database.start)
        await load.acknowledged(50)
    return await account(load, service.address), load


async def test_nothing_acknowledged_is_lost_or_doubled_when_postgresql_is_killed(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    kills = times(2, 20)
    with service_process(tmp_path, postgres_server.url) as service:
        found, load = await kill_the_database_again_and_again(service, postgres_server, kills)
        verified = await asyncio.to_thread(service.command, "evidence", "verify")
    figures(
        "A3",
        "PostgreSQL killed",
        kills=kills,
        acknowledged=found.acknowledged,
        lost=found.lost,
        doubled=found.doubled,
        answers=dict(load.answers),
        longest_gap=f"{load.longest_gap:.1f} s",
        verify=verified.returncode,
    )
    assert (found.lost, found.doubled, verified.returncode) == (0, 0, 0)
    assert load.answers.keys() <= {200, 201, 409, 503}


async def test_the_campaign_finds_commits_that_did_not_wait_for_the_disk(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """The guard itself: with `synchronous_commit=off` the same kills lose acknowledged changes."""
    with service_process(tmp_path, postgres_server.url, "tests.reliability.hasty_service") as service:
        found, _ = await kill_the_database_again_and_again(service, postgres_server, 2)
    figures("A3", "synchronous_commit=off", kills=2, acknowledged=found.acknowledged, lost=found.lost)
    assert found.lost > 0
