"""A3: the leader of a Patroni cluster is killed under write load; the service follows to the next by itself.

Not part of the ordinary run: `make chaos-patroni` brings Patroni and etcd and runs it.
"""

import asyncio
import random
from pathlib import Path

from tests.reliability.campaign import figures, seconds_allowed, times
from tests.reliability.load import account, writing
from tests.reliability.patroni_cluster import Cluster, patroni_cluster
from tests.support.service_process import ServiceProcess, service_process


async def kill_leaders(cluster: Cluster, service: ServiceProcess, kills: int) -> dict[str, object]:
    """Kill whoever leads so many times under load; gives the figures."""
    moments = random.Random(kills)  # noqa: S311 - a repeatable choice
    gaps: list[float] = []
    await asyncio.to_thread(service.start)
    async with writing(lambda: service.address, writers=4) as load:
        for number in range(kills):
            leader = await asyncio.to_thread(cluster.leader)
            await load.acknowledged(moments.randint(20, 80))
            load.longest_gap = 0.0
            await asyncio.to_thread(leader.kill)
            await load.acknowledged(20)
            gaps.append(load.longest_gap)
            print(f"  leader {number + 1} of {kills} killed: {gaps[-1]:.1f} s without an acknowledgement", flush=True)
            await asyncio.to_thread(leader.start, cluster.environment)
    found = await account(load, service.address)
    return {
        "kills": kills,
        "acknowledged": found.acknowledged,
        "lost": found.lost,
        "doubled": found.doubled,
        "answers": dict(load.answers),
        "longest_gap": max(gaps),
        "gaps": " ".join(f"{gap:.1f}" for gap in gaps),
    }


async def test_the_service_follows_the_leader_and_loses_nothing(tmp_path: Path) -> None:
    with patroni_cluster() as cluster:
        await asyncio.to_thread(cluster.leader)
        with service_process(tmp_path, cluster.url) as service:
            found = await kill_leaders(cluster, service, times(1, 10))
            verified = await asyncio.to_thread(service.command, "evidence", "verify")
    figures("A3", "Patroni's leader killed", **found, verify=verified.returncode)
    assert (found["lost"], found["doubled"], verified.returncode) == (0, 0, 0)
    assert float(str(found["longest_gap"])) <= seconds_allowed(30.0)
