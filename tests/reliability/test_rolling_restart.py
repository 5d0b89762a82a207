"""D2: two replicas behind a proxy are restarted in turn, and upgraded with a migration, and no request fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx

from tests.reliability.campaign import figures, times
from tests.reliability.load import Account, Load, Questions, account, asking, writing
from tests.reliability.next_release import write_next_release
from tests.support.service_process import ServiceProcess, service_process
from tests.support.tcp_proxy import Address, TcpProxy, proxying

_LOOK = 0.2
"""How often the proxy asks `/readyz`, in seconds: well within the second for which a stopping replica serves on."""


@dataclass
class Fleet:
    """Replicas of the service, and the door they stand behind."""

    replicas: list[ServiceProcess]
    ready: set[int]
    door: TcpProxy | None = None
    turn: int = 0

    @property
    def address(self) -> str:
        """Give the door's address."""
        assert self.door is not None
        return f"http://127.0.0.1:{self.door.port}"

    def choose(self) -> Address:
        """Send the next connection to a replica that was ready when last asked; to any where none was."""
        self.turn += 1
        ports = sorted(self.ready or {replica.port for replica in self.replicas})
        return ("127.0.0.1", ports[self.turn % len(ports)])

    async def watch(self) -> None:
        """Ask all replicas whether they are ready, again and again."""
        async with httpx.AsyncClient(timeout=2.0) as client:
            while True:
                await asyncio.gather(*(self._look(client, replica) for replica in self.replicas))
                await asyncio.sleep(_LOOK)

    async def _look(self, client: httpx.AsyncClient, replica: ServiceProcess) -> None:
        try:
            well = (await client.get(f"{replica.address}/readyz")).is_success
        except httpx.TimeoutException:
            return  # a busy machine; nothing is known
        except httpx.TransportError:
            well = False
        (self.ready.add if well else self.ready.discard)(replica.port)

    async def restart(self, replica: ServiceProcess) -> int:
        """Stop a replica in order, start it again, and wait until the door knows it; gives its exit status."""
        status = await asyncio.to_thread(replica.stop)
        await asyncio.to_thread(replica.start)
        while replica.port not in self.ready:  # noqa: ASYNC110 - the door looks at its own pace
            await asyncio.sleep(_LOOK)
        return status


@asynccontextmanager
async def fleet(directory: Path, url: str) -> AsyncIterator[Fleet]:
    """Run two replicas behind a door."""
    with ExitStack() as stack:
        replicas = [stack.enter_context(service_process(directory, url)) for _ in range(2)]
        for replica in replicas:
            await asyncio.to_thread(replica.start)
        found = Fleet(replicas, {replica.port for replica in replicas})
        watching = asyncio.create_task(found.watch())
        try:
            async with proxying(found.choose) as found.door:
                yield found
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


@dataclass
class Seen:
    """What became of the requests."""

    writes: Load
    reads: Questions
    account: Account
    exits: list[int]


async def restart_under_load(found: Fleet, rounds: int) -> Seen:
    """Restart every replica so many times while there are reads and writes."""
    exits = []
    async with asking(lambda: found.address) as reads, writing(lambda: found.address, writers=4) as writes:
        for _ in range(rounds):
            for replica in found.replicas:
                await writes.acknowledged(20)
                exits.append(await found.restart(replica))
        await writes.acknowledged(20)
    return Seen(writes, reads, await account(writes, found.address), exits)


def report(subject: str, seen: Seen) -> None:
    """Print the figures."""
    figures(
        "D2",
        subject,
        restarts=len(seen.exits),
        writes=sum(seen.writes.answers.values()),
        reads=sum(seen.reads.answers.values()),
        failed=seen.writes.broken + seen.reads.broken,
        refused=sum(n for status, n in (seen.writes.answers + seen.reads.answers).items() if status not in {200, 201}),
        degraded=seen.reads.degraded,
        lost=seen.account.lost,
    )


def check(seen: Seen) -> None:
    """Hold it against the bar: no request fails."""
    assert (seen.writes.broken, seen.reads.broken) == (0, 0)
    assert seen.writes.answers.keys() == {200, 201}
    assert seen.reads.answers.keys() == {200}
    assert (seen.account.lost, seen.account.doubled) == (0, 0)
    assert set(seen.exits) == {0}


async def test_no_request_fails_while_two_replicas_are_restarted(tmp_path: Path, postgres_database: str) -> None:
    async with fleet(tmp_path, postgres_database) as found:
        seen = await restart_under_load(found, times(1, 10))
    report("rolling restart", seen)
    check(seen)


async def test_no_request_fails_while_two_replicas_are_upgraded(tmp_path: Path, postgres_database: str) -> None:
    """The first of the next release migrates while the other, of the release before, serves on the new schema."""
    async with fleet(tmp_path, postgres_database) as found:
        prepare_next_release(found, tmp_path)
        seen = await restart_under_load(found, 1)
    report("rolling upgrade with a migration", seen)
    check(seen)
    assert await revision(postgres_database) == "next_release"


def prepare_next_release(found: Fleet, directory: Path) -> None:
    """Let every replica that starts from now on be of the next release."""
    migrations = str(write_next_release(directory))
    for replica in found.replicas:
        replica.module = "tests.reliability.next_release"
        replica.settings = {"TEST_MIGRATIONS": migrations}


async def revision(url: str) -> str:
    """Read which migration the database is at."""
    connection = await asyncpg.connect(url)
    try:
        found: str = await connection.fetchval("SELECT version_num FROM alembic_version")
        return found
    finally:
        await connection.close()
