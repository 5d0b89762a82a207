"""A1: the service is killed again and again while it is written to over HTTP; what it acknowledged stays."""

import asyncio
import random
from pathlib import Path

from tests.reliability.campaign import figures, times
from tests.reliability.load import Account, Load, account, writing
from tests.support.service_process import ServiceProcess, service_process


async def kill_again_and_again(service: ServiceProcess, kills: int) -> tuple[Account, Load]:
    """Kill the service so many times at a random moment of its work; gives what became of the writes."""
    moments = random.Random(kills)  # noqa: S311 - a repeatable choice
    await asyncio.to_thread(service.start)
    async with writing(lambda: service.address) as load:
        for _ in range(kills):
            await load.acknowledged(moments.randint(1, 60))
            await asyncio.sleep(moments.random() * 0.02)
            service.kill()
            await asyncio.to_thread(service.start)
        await load.acknowledged(50)
    return await account(load, service.address), load


async def campaign(service: ServiceProcess, kills: int, subject: str) -> tuple[Account, int]:
    """Kill, take account, verify the log, and print the figures; gives them and the verifier's status."""
    found, load = await kill_again_and_again(service, kills)
    verified = await asyncio.to_thread(service.command, "evidence", "verify")
    figures(
        "A1",
        subject,
        kills=kills,
        acknowledged=found.acknowledged,
        lost=found.lost,
        doubled=found.doubled,
        unanswered=load.broken,
        answers=dict(load.answers),
        verify=verified.returncode,
    )
    return found, verified.returncode


async def test_nothing_acknowledged_is_lost_when_the_service_is_killed_on_sqlite(tmp_path: Path) -> None:
    with service_process(tmp_path, f"sqlite:///{tmp_path / 'consent.db'}") as service:
        found, verified = await campaign(service, times(2, 100), "SQLite")
    assert (found.lost, found.doubled, verified) == (0, 0, 0)


async def test_nothing_acknowledged_is_lost_when_the_service_is_killed_on_postgresql(
    tmp_path: Path, postgres_database: str
) -> None:
    with service_process(tmp_path, postgres_database) as service:
        found, verified = await campaign(service, times(2, 100), "PostgreSQL")
    assert (found.lost, found.doubled, verified) == (0, 0, 0)


async def test_the_campaign_finds_a_writer_that_answers_before_it_commits(tmp_path: Path) -> None:
    """The guard itself: answering 0.1 s before the COMMIT is found out by a few kills."""
    url = f"sqlite:///{tmp_path / 'consent.db'}"
    with service_process(tmp_path, url, "tests.reliability.hasty_service") as service:
        found, _ = await kill_again_and_again(service, 3)
    figures("A1", "answering before COMMIT", kills=3, acknowledged=found.acknowledged, lost=found.lost)
    assert found.lost > 0
