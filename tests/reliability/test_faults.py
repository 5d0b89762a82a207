"""B2: whatever breaks, nothing is allowed that the visitor has not granted, and everybody is answered in time.

Each row of the matrix breaks one thing while shops ask and visitors choose, mends it, and sees the service recover by
itself. Entitled is what the same question was answered before; a degraded answer may allow what is exempt, no more.
"""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from consent_service import background
from consent_service.service import decisions
from consent_service.storage import reader, writer
from tests.reliability.campaign import LONG, figures, seconds_allowed
from tests.support.service import STRANGER, Running, postgres_store, running, submission
from tests.support.tcp_proxy import Fault, TcpProxy, proxying

REGIONS = ("FR", "US-TX")
Answers = dict[tuple[str, str, str], tuple[dict[str, str], bool]]
"""Way of asking, visitor and region, to the reason of each category and whether the answer was degraded."""
ALLOWING = {"exempt", "granted", "region_default"}


@dataclass
class Shop:
    """A service with some visitors, and what may be broken about it."""

    service: Running
    client: httpx.AsyncClient
    directory: Path
    line: TcpProxy | None = None
    visitors: dict[str, str] = field(default_factory=dict)
    entitled: Answers = field(default_factory=dict)

    async def settle(self) -> None:
        """Let visitors come and choose, and note what each is entitled to."""
        for name in ("silent", "granted", "refused", "withdrawn", "dismissed"):
            self.visitors[name] = (await self.client.post("/v1/visitors")).json()["visitor_id"]
        for name, action in (
            ("granted", "accept_all"),
            ("refused", "reject_all"),
            ("withdrawn", "accept_all"),
            ("dismissed", "dismiss"),
        ):
            await self.client.put(self.path(name, "consent"), json=submission(action))
        await self.client.delete(self.path("withdrawn", "consent"))
        self.visitors["stranger"] = STRANGER
        self.entitled = (await self.ask())[0]

    def path(self, visitor: str, what: str) -> str:
        """Give a visitor's address."""
        return f"/v1/visitors/{self.visitors[visitor]}/{what}"

    async def ask(self, **headers: str) -> tuple[Answers, float]:
        """Ask about everybody in every way at once; gives the answers, and the seconds of the slowest."""
        asked = [(self._get, v, r) for v in self.visitors for r in REGIONS]
        asked += [(self._post, v, r) for v in self.visitors for r in REGIONS]
        told = await asyncio.gather(*(_timed(way(v, r, headers)) for way, v, r in asked))
        answers = {(way.__name__, v, r): answer for (way, v, r), (answer, _) in zip(asked, told, strict=True)}
        return answers, max(seconds for _, seconds in told)

    async def _get(self, visitor: str, region: str, headers: dict[str, str]) -> tuple[dict[str, str], bool]:
        answer = await self.client.get(self.path(visitor, f"decisions?region={region}"), headers=headers)
        body = answer.raise_for_status().json()
        return {name: entry["reason"] for name, entry in body["categories"].items()}, body["degraded"]

    async def _post(self, visitor: str, region: str, headers: dict[str, str]) -> tuple[dict[str, str], bool]:
        names = list(CATEGORY_NAMES)
        body = {"visitor_id": self.visitors[visitor], "region": region, "categories": names}
        answer = (await self.client.post("/v1/decisions", json=body, headers=headers)).raise_for_status().json()
        return {entry["category"]: entry["reason"] for entry in answer["decisions"]}, answer.get("degraded", False)

    async def write(self) -> tuple[set[int], float]:
        """Let everybody refuse, under keys of their own; gives the statuses, and the seconds of the slowest."""
        known = [name for name in self.visitors if name not in {"stranger", "granted"}]
        calls = [
            self.client.put(self.path(n, "consent"), json=submission("reject_all"), headers={"Idempotency-Key": str(uuid4())})
            for n in known
        ]  # fmt: skip
        told = await asyncio.gather(*(_timed(call) for call in calls))
        return {answer.status_code for answer, _ in told}, max(seconds for _, seconds in told)

    def undeserved(self, found: Answers, *, unread: bool) -> list[tuple[str, str, str, str]]:
        """List what was allowed and should not have been; where nothing could be read only what is exempt may be."""
        return [
            (*asked, category)
            for asked, (reasons, degraded) in found.items()
            for category, reason in reasons.items()
            if reason in ALLOWING
            and (self.entitled[asked][0][category] not in ALLOWING or (unread and degraded and reason != "exempt"))
        ]

    async def well_again(self) -> float:
        """Wait until everybody is answered and may write as before; gives how many seconds that took."""
        began = time.monotonic()
        while time.monotonic() - began < 60:
            found, _ = await self.ask()
            statuses, _ = await self.write()
            if statuses == {200} and not any(degraded for _, degraded in found.values()):
                return time.monotonic() - began
            await asyncio.sleep(0.1)
        raise AssertionError("it did not recover by itself")


CATEGORY_NAMES = (
    "technical", "personalization", "advertising", "statistical", "social_media", "strictly_necessary",
    "analytical_performance", "functionality",
)  # fmt: skip


async def _timed(work: Any) -> tuple[Any, float]:
    began = time.monotonic()
    answer = await work
    return answer, time.monotonic() - began


@pytest.fixture(autouse=True)
def _keys_are_watched_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "KEYRING_SECONDS", 0.1)


@pytest.fixture
async def on_postgres(tmp_path: Path, postgres_database: str) -> AsyncIterator[Shop]:
    """Run the service on PostgreSQL behind a line that can be broken."""
    parts = urlsplit(postgres_database)
    server = (parts.hostname or "", parts.port or 0)
    async with proxying(lambda: server) as line:
        behind = urlunsplit(parts._replace(netloc=f"postgres@127.0.0.1:{line.port}"))
        async with running(tmp_path, await postgres_store(tmp_path, behind)) as service, service.shop() as client:
            shop = Shop(service, client, tmp_path, line)
            await shop.settle()
            yield shop


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[Shop]:
    """Run the service on SQLite."""
    async with running(tmp_path) as service, service.shop() as client:
        shop = Shop(service, client, tmp_path)
        await shop.settle()
        yield shop


def _line(fault: Fault, *, resets: bool = False) -> Callable[[Shop], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def broken(shop: Shop) -> AsyncIterator[None]:
        assert shop.line is not None
        shop.line.fault = fault
        if resets:
            shop.line.reset_all()
        yield
        shop.line.fault = Fault.NONE

    return broken


@asynccontextmanager
async def _reset_in_commit(shop: Shop) -> AsyncIterator[None]:
    assert shop.line is not None
    shop.line.cut_after = b'"p":"'  # stands in the new row: in the one statement that writes everything and commits
    yield
    shop.line.cut_after = None
    assert shop.line.cuts > 0


@asynccontextmanager
async def _pool_full(shop: Shop) -> AsyncIterator[None]:
    engine = shop.service.services.store._engine  # type: ignore[attr-defined]
    held = [await engine.connect() for _ in range(engine.pool.size() + engine.pool._max_overflow)]
    yield
    for connection in held:
        await connection.close()


@asynccontextmanager
async def _row_locked(shop: Shop) -> AsyncIterator[None]:
    async with shop.service.services.store._engine.begin() as connection:  # type: ignore[attr-defined]
        await connection.execute(text("SELECT 1 FROM log_heads FOR UPDATE"))
        yield


@asynccontextmanager
async def _file_locked(shop: Shop) -> AsyncIterator[None]:
    other = sqlite3.connect(shop.directory / "consent.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


@asynccontextmanager
async def _keys_missing(shop: Shop) -> AsyncIterator[None]:
    away = shop.directory / "keys-elsewhere"
    shutil.move(shop.directory / "keys", away)
    await asyncio.sleep(0.3)  # the directory is looked at meanwhile
    async with shop.service.browser() as browser:
        answer = await browser.put("/v1/consent", json=submission())
    assert answer.status_code == 201
    yield
    shutil.rmtree(shop.directory / "keys", ignore_errors=True)
    shutil.move(away, shop.directory / "keys")


def _clock(distance: timedelta) -> Callable[[Shop], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def moved(shop: Shop) -> AsyncIterator[None]:
        shop.service.clock.forward(distance)
        yield
        shop.service.clock.forward(-distance)

    return moved


HOUR = timedelta(hours=1)
POSTGRES = {
    "database down": (_line(Fault.REFUSED, resets=True), True, {503}),
    "slow by 5 s": (_line(Fault.SLOW), True, {503}),
    "black hole": (_line(Fault.BLACK_HOLE), True, {503}),
    "reset in COMMIT": (_reset_in_commit, False, {503}),
    "pool full": (_pool_full, False, {200}),  # the writer has a connection of its own
    "rows locked": (_row_locked, False, {503}),
    "keys missing": (_keys_missing, False, {200}),
    "clock an hour ahead": (_clock(HOUR), False, {200}),
    "clock an hour behind": (_clock(-HOUR), False, {200}),
}
SQLITE = {
    "file locked": (_file_locked, False, {503}),
    "keys missing": (_keys_missing, False, {200}),
    "clock an hour ahead": (_clock(HOUR), False, {200}),
    "clock an hour behind": (_clock(-HOUR), False, {200}),
}


@dataclass
class Seen:
    """What a fault came to."""

    undeserved: list[tuple[str, str, str, str]]
    degraded: set[bool]
    statuses: set[int]
    slowest_decision: float
    slowest_write: float
    recovered: float


async def under(
    shop: Shop,
    fault: Callable[[Shop], AbstractAsyncContextManager[None]],
    monkeypatch: pytest.MonkeyPatch,
    *,
    unread: bool,
) -> Seen:
    """Break, ask and write all the while, mend, and wait until all is well."""
    with monkeypatch.context() as impatient:
        impatient.setattr(reader, "READ_SECONDS", 0.25)
        impatient.setattr(decisions, "ANSWER_SECONDS", 0.25)
        impatient.setattr(writer, "BATCH_SECONDS", writer.BATCH_SECONDS if LONG else 2.0)
        async with fault(shop):
            writing = asyncio.create_task(shop.write())
            asked = [await shop.ask() for _ in range(3)]
            asked.append(await shop.ask(**{"Sec-GPC": "1"}))
            statuses, slowest_write = await writing
            asked.append(await shop.ask())
    return Seen(
        undeserved=[item for found, _ in asked for item in shop.undeserved(found, unread=unread)],
        degraded={degraded for found, _ in asked[:3] for _, degraded in found.values()},
        statuses=statuses,
        slowest_decision=max(seconds for _, seconds in asked),
        slowest_write=slowest_write,
        recovered=await shop.well_again(),
    )


def report(subject: str, seen: Seen) -> None:
    """Print a row of the matrix."""
    figures(
        "B2",
        subject,
        undeserved_allows=len(seen.undeserved),
        degraded=sorted(seen.degraded),
        writes=sorted(seen.statuses),
        slowest_decision=f"{seen.slowest_decision * 1000:.0f} ms",
        slowest_write=f"{seen.slowest_write:.1f} s",
        recovered_after=f"{seen.recovered:.1f} s",
    )


def check(seen: Seen, statuses: set[int], *, unread: bool) -> None:
    """Hold what was seen against the bar."""
    assert seen.undeserved == []
    assert not unread or seen.degraded == {True}
    assert seen.statuses == statuses
    assert seen.slowest_decision <= seconds_allowed(0.3)
    assert seen.slowest_write <= seconds_allowed(10.0)


@pytest.mark.parametrize("name", POSTGRES)
async def test_nothing_is_allowed_without_a_grant_whatever_breaks_about_postgresql(
    on_postgres: Shop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, unread, statuses = POSTGRES[name]
    seen = await under(on_postgres, fault, monkeypatch, unread=unread)
    report(f"PostgreSQL, {name}", seen)
    check(seen, statuses, unread=unread)


@pytest.mark.parametrize("name", SQLITE)
async def test_nothing_is_allowed_without_a_grant_whatever_breaks_about_sqlite(
    on_sqlite: Shop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, unread, statuses = SQLITE[name]
    seen = await under(on_sqlite, fault, monkeypatch, unread=unread)
    report(f"SQLite, {name}", seen)
    check(seen, statuses, unread=unread)
