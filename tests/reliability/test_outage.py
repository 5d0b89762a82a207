"""B2, SVC-01: the outage drill. The database is stopped and started again under a service that lives on."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.reliability.campaign import figures, seconds_allowed
from tests.support.postgres import PostgresServer
from tests.support.service_process import AUTHORIZATION, ServiceProcess, service_process

ANSWER = {"action": "accept_all", "policy_version": "2026-11-22", "locale": "en", "method": "api"}
PATIENCE = 60.0


@dataclass
class Drill:
    """A visitor who has accepted everything, seen through the service's real door."""

    client: httpx.AsyncClient
    visitor: str

    async def decision(self) -> tuple[bool, set[str], float]:
        """Tell whether the answer is degraded, which categories are allowed, and how many seconds it took."""
        began = time.monotonic()
        answer = await self.client.get(f"/v1/visitors/{self.visitor}/decisions?region=US-TX")
        body = answer.raise_for_status().json()
        allowed = {name for name, entry in body["categories"].items() if entry["allow"]}
        return body["degraded"], allowed, time.monotonic() - began

    async def write(self) -> httpx.Response:
        """Let the visitor refuse."""
        body = ANSWER | {"action": "reject_all"}
        return await self.client.put(f"/v1/visitors/{self.visitor}/consent", json=body)

    async def statuses(self) -> list[int]:
        """Give what `/livez` and `/readyz` say."""
        return [(await self.client.get(path)).status_code for path in ("/livez", "/readyz")]

    async def until_well(self) -> float:
        """Wait for an answer that is not degraded; gives the seconds."""
        began = time.monotonic()
        while (await self.decision())[0]:
            if time.monotonic() - began > PATIENCE:
                raise AssertionError("it did not recover by itself")
            await asyncio.sleep(0.05)
        return time.monotonic() - began


async def begin(service: ServiceProcess, client: httpx.AsyncClient) -> Drill:
    """Start the service and let a visitor accept."""
    await asyncio.to_thread(service.start)
    visitor = (await client.post("/v1/visitors")).json()["visitor_id"]
    await client.put(f"/v1/visitors/{visitor}/consent", json=ANSWER)
    return Drill(client, visitor)


async def test_a_service_whose_database_stops_denies_says_so_and_recovers_by_itself(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    with service_process(tmp_path, postgres_server.url) as service:
        async with httpx.AsyncClient(base_url=service.address, headers=AUTHORIZATION, timeout=30.0) as client:
            drill = await begin(service, client)
            before = await drill.decision()
            await asyncio.to_thread(postgres_server.stop)
            during = [await drill.decision() for _ in range(20)]
            refused = await drill.write()
            health = await drill.statuses()
            await asyncio.to_thread(postgres_server.start)
            recovered = await drill.until_well()
            after = await drill.decision()
            written = await drill.write()
    slowest = max(seconds for _, _, seconds in during)
    figures("B2", "outage drill", slowest_decision=f"{slowest * 1000:.0f} ms", recovered_after=f"{recovered:.1f} s")
    assert len(before[1]) == len(after[1]) == 8
    assert [(degraded, allowed) for degraded, allowed, _ in during] == [(True, {"strictly_necessary"})] * 20
    assert (refused.status_code, written.status_code, health) == (503, 200, [200, 503])
    assert slowest <= seconds_allowed(0.3)
