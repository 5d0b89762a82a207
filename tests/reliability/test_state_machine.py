"""B1: whatever visitors, shops and browsers do, in whatever order, the service answers as the plain model does."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import httpx
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, precondition, rule, run_state_machine_as_test

from tests.reliability.campaign import LONG, figures, times
from tests.reliability.plain_model import ALWAYS, CATEGORIES, POLICY, Model, Refused, Visitor
from tests.support.builders import VERSION
from tests.support.service import Running, postgres_store, running

STEPS = 50
PHASES = [Phase.generate, *([Phase.shrink] if LONG else [])]
"""Shortening a difference takes minutes; it is left to the long form."""
REGIONS = (None, "FR", "US-TX")
REGION = st.sampled_from(REGIONS)
FEW = 3
"""Visitors at once, so that they meet in one account."""
DNT = st.sampled_from([None, None, "0", "1"])
GPC = st.sampled_from([False, False, True])
YES = st.one_of(st.just(frozenset(CATEGORIES)), st.just(frozenset()), st.frozensets(st.sampled_from(CATEGORIES)))
BANDS = st.sampled_from(["child", "under_13", "13_15", "16_17", "adult", "unknown"])


class Shop(RuleBasedStateMachine):
    """Everything that can happen to a visitor, each call compared with the model."""

    service: ClassVar[Running]
    client: ClassVar[httpx.AsyncClient]
    loop: ClassVar[asyncio.AbstractEventLoop]
    steps: ClassVar[int] = 0

    visitors = Bundle("visitors")

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.accounts = [str(uuid4()), str(uuid4())]
        self.logged = self.run(self.service.services.store.log.head("default")).size

    def run(self, work: Awaitable[Any]) -> Any:
        """Run something in the service's own loop."""
        return asyncio.run_coroutine_threadsafe(_awaited(work), self.loop).result()

    def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Send one request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer: httpx.Response = self.run(self.client.request(method, path, json=body, headers=named))
        return answer

    def expect(self, answer: httpx.Response, change: Callable[[], None]) -> None:
        """Carry the same out in the model, and compare."""
        try:
            change()
            expected = 200
        except Refused as refused:
            expected = refused.status
        assert answer.status_code == expected, answer.text

    @precondition(lambda self: len(self.model.visitors) < FEW)
    @rule(target=visitors)
    def mint(self) -> str:
        """Somebody comes."""
        visitor: str = self.call("POST", "/v1/visitors").json()["visitor_id"]
        self.model.visitors[visitor] = Visitor()
        return visitor

    @rule(who=visitors, yes=YES, dnt=DNT, gpc=GPC, region=REGION, separate=st.sampled_from([None, False, True]))
    def answer(
        self, who: str, yes: frozenset[str], dnt: str | None, gpc: bool, region: str | None, separate: bool | None
    ) -> None:
        """Somebody answers the banner."""
        body = _choosing(yes)
        body |= {} if separate is None else {"separate_consents": ["third_party_sharing"] * separate}
        told = self.call("PUT", _path(who, "consent", region), body, **_signals(dnt, gpc=gpc))
        self.expect(told, lambda: self.model.submit(who, yes, self.now, dnt, gpc=gpc, separate=separate))

    @rule(who=visitors, yes=YES, dnt=DNT, gpc=GPC)
    def answer_with_stale_revision(self, who: str, yes: frozenset[str], dnt: str | None, gpc: bool) -> None:
        """Somebody answers what is no longer shown; nothing may come of it."""
        tag = f'"{self.model.visitors[who].revision + 1}"'
        told = self.call("PUT", _path(who, "consent"), _choosing(yes), If_Match=tag, **_signals(dnt, gpc=gpc))
        assert told.status_code == 412

    @rule(who=visitors, yes=YES, other=YES)
    def answer_again_and_again(self, who: str, yes: frozenset[str], other: frozenset[str]) -> None:
        """Repeat a call under one key: one event, one answer; another body is refused."""
        key = str(uuid4())
        path = _path(who, "consent")
        tag = f'"{self.model.visitors[who].revision}"'
        first = self.call("PUT", path, _choosing(yes), Idempotency_Key=key, If_Match=tag)
        again = self.call("PUT", path, _choosing(yes), Idempotency_Key=key, If_Match=tag)
        changed = self.call("PUT", path, _choosing(other) | {"locale": "de"}, Idempotency_Key=key)
        self.expect(first, lambda: self.model.submit(who, yes, self.now, None, gpc=False))
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotency-replayed"] == "true"
        assert changed.status_code == 422

    @rule(who=visitors, yes=YES, age=st.integers(0, 60))
    def bring(self, who: str, yes: frozenset[str], age: int) -> None:
        """Import an answer of so many days ago."""
        when = self.now - timedelta(days=age)
        body = _choosing(yes) | {"method": "import", "decided_at": when.isoformat()}
        told = self.call("PUT", _path(who, "consent"), body)
        self.expect(told, lambda: self.model.submit(who, yes, self.now, None, gpc=False, imported=when))

    @rule(who=visitors, dnt=DNT, gpc=GPC)
    def dismiss(self, who: str, dnt: str | None, gpc: bool) -> None:
        """Somebody closes the banner."""
        body = {"action": "dismiss", "policy_version": VERSION}
        told = self.call("PUT", _path(who, "consent"), body, **_signals(dnt, gpc=gpc))
        self.expect(told, lambda: self.model.dismiss(who, dnt, gpc=gpc))

    @rule(who=visitors)
    def withdraw(self, who: str) -> None:
        """Somebody withdraws."""
        self.expect(self.call("DELETE", _path(who, "consent")), lambda: self.model.withdraw(who, self.now))

    @rule(who=visitors, which=st.integers(0, 1))
    def log_in(self, who: str, which: int) -> None:
        """Somebody logs in."""
        name = self.accounts[which]
        told = self.call("PUT", _path(who, "account"), {"account_ref": name})
        self.expect(told, lambda: self.model.log_in(who, name))

    @rule(who=visitors)
    def log_out(self, who: str) -> None:
        """Somebody logs out."""
        self.expect(self.call("DELETE", _path(who, "account")), lambda: self.model.log_out(who))

    @rule(who=visitors)
    def opt_out(self, who: str) -> None:
        """Somebody opts out of sale."""
        self.expect(self.call("POST", _path(who, "opt-out")), lambda: self.model.opt_out(who))

    @rule(who=visitors)
    def opt_in(self, who: str) -> None:
        """Somebody opts in again."""
        self.expect(self.call("DELETE", _path(who, "opt-out")), lambda: self.model.opt_in(who))

    @rule(who=visitors, band=BANDS)
    def set_age(self, who: str, band: str) -> None:
        """Learn the age from the shop."""
        told = self.call("PUT", _path(who, "age-band"), {"age_band": band})
        self.expect(told, lambda: self.model.set_fact(who, "band", band))

    @rule(who=visitors, restricted=st.booleans())
    def restrict(self, who: str, restricted: bool) -> None:
        """Somebody wants processing restricted."""
        told = self.call("PUT", _path(who, "restriction"), {"restricted": restricted})
        self.expect(told, lambda: self.model.set_fact(who, "restricted", restricted))

    @rule(who=visitors, objections=st.frozensets(st.sampled_from(CATEGORIES), max_size=2))
    def object(self, who: str, objections: frozenset[str]) -> None:
        """Somebody objects."""
        told = self.call("PUT", _path(who, "objections"), {"categories": sorted(objections)})
        self.expect(told, lambda: self.model.set_fact(who, "objections", objections))

    @rule(who=consumes(visitors))
    def erase(self, who: str) -> None:
        """Somebody wants to be forgotten; a second call finds nobody."""
        told = self.call("DELETE", f"/v1/visitors/{who}")
        self.model.erase(who)
        assert told.status_code == 204
        assert self.call("GET", _path(who, "history")).status_code == 404
        assert self.call("DELETE", _path(who, "consent")).status_code == 404
        assert self.reasons(who, "FR") == self.model.decide(who, "FR", self.now)

    @rule(who=visitors, region=REGION, dnt=DNT, gpc=GPC)
    def decide(self, who: str, region: str | None, dnt: str | None, gpc: bool) -> None:
        """Answer a shop that asks with the browser's signals."""
        found = self.reasons(who, region, **_signals(dnt, gpc=gpc))
        self.model.observe(who, dnt, gpc=gpc)
        assert found == self.model.decide(who, region, self.now, dnt, gpc=gpc)

    @rule(days=st.integers(1, 40))
    def wait(self, days: int) -> None:
        """Time goes by."""
        self.service.clock.forward(timedelta(days=days))

    @rule(who=visitors, region=REGION)
    def look(self, who: str, region: str | None) -> None:
        """All that is known of a visitor agrees."""
        consent = self.call("GET", _path(who, "consent", region)).json()
        history = self.call("GET", _path(who, "history")).json()["events"]
        expected = self.model.visitors[who]
        assert (consent["revision"], consent["dnt"]) == (expected.revision, expected.dnt)
        assert len(history) == min(expected.revision, len(history))
        assert {name: entry["reason"] for name, entry in consent["categories"].items()} == self.model.decide(
            who, region, self.now
        )

    def check_invariants(self, *arguments: Any, **named: Any) -> None:
        """After every step: as many events as there should be, and the same decision about everybody."""
        type(self).steps += 1
        region = REGIONS[self.steps % len(REGIONS)]
        for who in self.model.visitors:
            assert self.reasons(who, region) == self.model.decide(who, region, self.now)
        assert self.run(self.service.services.store.log.head("default")).size - self.logged == self.model.events
        super().check_invariants(*arguments, **named)

    @property
    def now(self) -> Any:
        """Give the service's time."""
        return self.service.clock.now

    def reasons(self, who: str, region: str | None, **headers: str) -> dict[str, str]:
        """Ask for a decision."""
        body = self.call("GET", _path(who, "decisions", region), **headers).json()
        assert body["degraded"] is False
        return {name: entry["reason"] for name, entry in body["categories"].items()}


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


def _path(who: str, what: str, region: str | None = None) -> str:
    return f"/v1/visitors/{who}/{what}" + (f"?region={region}" if region else "")


def _signals(dnt: str | None, *, gpc: bool) -> dict[str, str]:
    return ({"DNT": dnt} if dnt else {}) | ({"Sec_GPC": "1"} if gpc else {})


def _choosing(yes: frozenset[str]) -> dict[str, Any]:
    choices = {category: category in yes or category == ALWAYS for category in CATEGORIES}
    return {"action": "custom", "policy_version": VERSION, "choices": choices}


async def compare(service: Running, subject: str) -> int:
    """Let Hypothesis drive the service; gives the number of steps."""
    examples = times(6, 250)
    async with service.shop() as client:
        found = type(
            "Driven", (Shop,), {"service": service, "client": client, "steps": 0, "loop": asyncio.get_running_loop()}
        )
        told = settings(
            max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=PHASES, report_multiple_bugs=False,
        )  # fmt: skip
        await asyncio.to_thread(run_state_machine_as_test, found, settings=told)
        figures("B1", subject, steps=found.steps, examples=examples, differences=0)
        steps: int = found.steps
        return steps


async def test_the_service_on_sqlite_is_the_model(tmp_path: Path) -> None:
    async with running(tmp_path, policy=POLICY) as service:
        assert await compare(service, "SQLite") > times(100, 10_000)


async def test_the_service_on_postgresql_is_the_model(tmp_path: Path, postgres_database: str) -> None:
    async with running(tmp_path, await postgres_store(tmp_path, postgres_database), POLICY) as service:
        assert await compare(service, "PostgreSQL") > times(100, 10_000)
