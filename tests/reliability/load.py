"""Write load over HTTP that keeps account of what was acknowledged, and compares it with the evidence log afterwards.

Every write bears an Idempotency-Key and is repeated until it is answered, as a careful shop does. So at the end each
must be in the log exactly once: a missing one was lost, a second one was doubled.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

import httpx

from tests.support.service_process import AUTHORIZATION

_CHANGES = 3
"""Changes of one visitor before the next is minted."""
_PAUSE = 0.05
_TIMEOUT = 12.0
"""A little over the 10 s within which a write is answered (contract §9)."""
_AGAIN = {409, 503}


class _Vanished(Exception):
    """A visitor whose minting was acknowledged is not there."""


@dataclass(frozen=True)
class Receipt:
    """What a writer was told: its change's place in the log."""

    visitor: str
    seq: int
    leaf_hash: str


@dataclass
class Load:
    """A number of writers that write without end."""

    address: Callable[[], str]
    writers: int = 8
    receipts: list[Receipt] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    """Requests that got no answer."""
    vanished: int = 0
    """Visitors that were minted and are unknown now."""
    longest_gap: float = 0.0
    """Seconds between two acknowledgements, whoever's."""
    policy_version: str = "2026-11-22"
    _last: float = field(default_factory=time.monotonic)
    _stopping: bool = False

    async def one_writer(self) -> None:
        """Write until told to stop; whatever was begun is brought to its end."""
        async with httpx.AsyncClient(headers=AUTHORIZATION, timeout=_TIMEOUT) as client:
            while not self._stopping:
                try:
                    minted = await self._insist(client, "POST", "/v1/visitors", None)
                    await self._change(client, minted.json()["visitor_id"])
                except _Vanished:
                    self.vanished += 1

    async def _change(self, client: httpx.AsyncClient, visitor: str) -> None:
        for number in range(_CHANGES):
            body = {"action": ("accept_all", "reject_all")[number % 2], "policy_version": self.policy_version}
            body |= {"locale": "en", "method": "api"}
            answer = await self._insist(client, "PUT", f"/v1/visitors/{visitor}/consent", body)
            receipt = answer.json()["receipt"]
            self.receipts.append(Receipt(visitor, receipt["seq"], receipt["leaf_hash"]))

    async def acknowledged(self, more: int) -> None:
        """Wait for so many further acknowledgements."""
        wanted = len(self.receipts) + more
        while len(self.receipts) < wanted:  # noqa: ASYNC110 - the writers have better things to do than to tell
            await asyncio.sleep(0.01)

    def stop(self) -> None:
        """Let the writers end what they have begun."""
        self._stopping = True

    async def _insist(
        self, client: httpx.AsyncClient, method: str, path: str, body: dict[str, object] | None
    ) -> httpx.Response:
        key = {"Idempotency-Key": str(uuid4())}
        while True:
            try:
                answer = await client.request(method, self.address() + path, json=body, headers=key)
            except httpx.TransportError:
                self.broken += 1
                await asyncio.sleep(_PAUSE)
                continue
            self.answers[answer.status_code] += 1
            if answer.is_success:
                now = time.monotonic()
                self.longest_gap, self._last = max(self.longest_gap, now - self._last), now
                return answer
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise _Vanished
            if answer.status_code not in _AGAIN:
                raise AssertionError(f"{method} {path} was answered {answer.status_code}: {answer.text}")
            await asyncio.sleep(_PAUSE)


@dataclass
class Questions:
    """A number of shops that ask for decisions without end, each on a connection that it keeps."""

    address: Callable[[], str]
    answers: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    degraded: int = 0
    _stopping: bool = False

    async def one_shop(self) -> None:
        """Ask until told to stop."""
        async with httpx.AsyncClient(headers=AUTHORIZATION, timeout=_TIMEOUT) as client:
            while not self._stopping:
                try:
                    answer = await client.get(f"{self.address()}/v1/visitors/{'Z' * 21}A/decisions?region=FR")
                    self.answers[answer.status_code] += 1
                    self.degraded += answer.is_success and answer.json()["degraded"]
                except httpx.TransportError:
                    self.broken += 1
                await asyncio.sleep(0.01)

    def stop(self) -> None:
        """Let them end."""
        self._stopping = True


@asynccontextmanager
async def asking(address: Callable[[], str], shops: int = 4) -> AsyncIterator[Questions]:
    """Ask while the block runs."""
    questions = Questions(address)
    async with asyncio.TaskGroup() as group:
        for _ in range(shops):
            group.create_task(questions.one_shop())
        yield questions
        questions.stop()


@asynccontextmanager
async def writing(address: Callable[[], str], writers: int = 8) -> AsyncIterator[Load]:
    """Write while the block runs; at its end every write that was begun has been answered."""
    load = Load(address, writers)
    async with asyncio.TaskGroup() as group:
        for _ in range(writers):
            group.create_task(load.one_writer())
        yield load
        load.stop()


@dataclass(frozen=True)
class Account:
    """What became of the acknowledged writes."""

    acknowledged: int
    lost: int
    doubled: int


async def account(load: Load, address: str) -> Account:
    """Read the whole log and compare."""
    kept: dict[int, str] = {}
    events: Counter[str] = Counter()
    async with httpx.AsyncClient(headers=AUTHORIZATION, base_url=address, timeout=60.0) as client:
        after: int | None = None
        for _ in count():
            query = {"limit": "1000"} | ({} if after is None else {"after": str(after)})
            answer = await client.get("/v1/evidence/events", params=query)
            page = answer.raise_for_status().json()["events"]
            for event in page:
                kept[event["seq"]] = event["leaf_hash"]
                events[event["payload"]["visitor_id"]] += 1
            if not page:
                break
            after = page[-1]["seq"]
    told = Counter(receipt.visitor for receipt in load.receipts)
    lost = load.vanished + sum(kept.get(receipt.seq) != receipt.leaf_hash for receipt in load.receipts)
    doubled = sum((events - told).values())
    return Account(len(load.receipts), lost, doubled)
