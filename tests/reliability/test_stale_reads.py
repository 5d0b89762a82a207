"""B4: what one process acknowledged, every other one decides by from its very next answer on."""

import asyncio
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.reliability.campaign import figures, times
from tests.support.service_process import AUTHORIZATION, service_process

_VISITORS = 8
"""They change their minds side by side, so that batches and shared lookups are in play."""
_ACCEPTS = {"action": "accept_all", "policy_version": "2026-11-22", "locale": "en", "method": "api"}


async def changing_its_mind(writer: httpx.AsyncClient, reader: httpx.AsyncClient, rounds: int) -> Counter[str]:
    """Have a visitor accept and withdraw in turns on one process; count what the other one decides right after."""
    visitor = (await writer.post("/v1/visitors")).json()["visitor_id"]
    path = f"/v1/visitors/{visitor}"
    seen: Counter[str] = Counter()
    for number in range(rounds):
        granted = number % 2 == 0
        written = (
            await writer.put(f"{path}/consent", json=_ACCEPTS) if granted else await writer.delete(f"{path}/consent")
        )
        assert written.status_code == 200
        while True:
            answer = (await reader.get(f"{path}/decisions", params={"region": "FR"})).json()
            if not answer.get("degraded"):
                break
            seen["degraded"] += 1  # it denies and says so: that is no stale answer
        decided = answer["categories"]["advertising"]["allow"]
        seen["right" if decided is granted else "stale"] += 1
    return seen


async def test_a_decision_on_another_process_is_never_stale(tmp_path: Path, postgres_database: str) -> None:
    """B4, CON-12: a withdrawal is seen by the next decision, wherever that is made."""
    rounds = times(25, 1_250)
    with ExitStack() as stack:
        replicas = [stack.enter_context(service_process(tmp_path, postgres_database)) for _ in range(2)]
        for replica in replicas:
            await asyncio.to_thread(replica.start)
        async with (
            httpx.AsyncClient(base_url=replicas[0].address, headers=AUTHORIZATION, timeout=30) as writer,
            httpx.AsyncClient(base_url=replicas[1].address, headers=AUTHORIZATION, timeout=30) as reader,
        ):
            each = [changing_its_mind(writer, reader, rounds) for _ in range(_VISITORS)]
            seen = sum(await asyncio.gather(*each), Counter[str]())
    written = _VISITORS * rounds
    figures(
        "B4", "write on one process, decide on another", writes=written, stale=seen["stale"], degraded=seen["degraded"]
    )
    assert (seen["right"], seen["stale"]) == (written, 0)
