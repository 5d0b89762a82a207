"""One suite over every way in: the framework, the hot paths over ASGI, and the shortcut of our own server.

Whoever asks cannot tell which one answered: status, fields and body are the same.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from consent_service.domain.vocabulary import Scope
from consent_service.main import ConsentApp
from consent_service.server.limits import ServerLimits
from consent_service.server.process import _config
from consent_service.server.requests import GuardedState
from consent_service.storage import reader, writer
from tests.support.builders import document
from tests.support.service import STRANGER, Running, choices, memory_store, running, submission

WAYS = ("framework", "asgi", "server")
DECISIONS = "/v1/visitors/{}/decisions"
_OF_EACH_ANSWER = frozenset({"x-request-id", "date"})


@dataclass
class Shop:
    """One of the shop's servers, by one way in."""

    client: httpx.AsyncClient
    service: Running

    async def ask(self, method: str, path: str, **request: Any) -> tuple[int, dict[str, str], Any]:
        """Give status, fields and body of an answer, without what is fresh in every one."""
        answer = await self.client.request(method, path, **request)
        fields = {name: value for name, value in answer.headers.items() if name not in _OF_EACH_ANSWER}
        body = answer.json()
        for fresh in ("instance", "receipt", "visitor_id"):
            body.pop(fresh, None)
        fields.pop("content-length", None)
        return answer.status_code, fields, body


def core(service: Running) -> tuple[ConsentApp, dict[str, Any]]:
    """Give the application and its state, without what the tests wrap around it."""
    app = service.app.__closure__[0].cell_contents  # type: ignore[attr-defined]
    return app, {"services": service.services}


@asynccontextmanager
async def by_framework(app: ConsentApp, state: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Leave out every hot path."""

    async def ordinary(scope: Any, receive: Any, send: Any) -> None:
        await app.ordinary({**scope, "state": dict(state)}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(ordinary), base_url="http://consent.example") as client:
        yield client


@asynccontextmanager
async def by_asgi(app: ConsentApp, state: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Go through the hot paths as under any other server."""

    async def front(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://consent.example") as client:
        yield client


@asynccontextmanager
async def by_server(app: ConsentApp, state: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    """Speak HTTP to our own server, with its shortcut."""
    config = _config(app, ServerLimits())
    protocol: Callable[[], asyncio.Protocol] = partial(
        config.http_protocol_class, config=config, server_state=GuardedState(), app_state=state
    )
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Host": "consent.example"}
        ) as client:
            yield client


_BY = {"framework": by_framework, "asgi": by_asgi, "server": by_server}


@asynccontextmanager
async def shop(way: str, service: Running) -> AsyncIterator[Shop]:
    """Connect by one way."""
    key = await service.key(Scope.MANAGE)
    async with _BY[way](*core(service)) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield Shop(client, service)


async def minted(service: Running, action: str = "accept_all", **members: object) -> str:
    """Make a visitor who has answered."""
    async with service.browser() as browser:
        answer = await browser.put("/v1/consent", json=submission(action, **members))
    found: str = answer.json()["visitor_id"]
    return found


@asynccontextmanager
async def twins(way: str, tmp_path: Path) -> AsyncIterator[tuple[Shop, Shop]]:
    """Give two services that have lived alike, one asked by this way and one by the framework."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with (
        running(tmp_path / "one", memory_store(tmp_path / "one")) as one,
        running(tmp_path / "two", memory_store(tmp_path / "two")) as two,
        shop(way, one) as asked,
        shop("framework", two) as expected,
    ):
        yield asked, expected


READS: list[tuple[str, str, dict[str, str]]] = [
    ("accept_all", "?region=FR", {}),
    ("accept_all", "", {}),
    ("accept_all", "?region=us-ca", {}),
    ("accept_all", "?region=nonsense", {}),
    ("accept_all", "?region=FR&more=1", {}),
    ("reject_all", "?region=DE", {}),
    ("dismiss", "?region=FR", {}),
    ("accept_all", "?region=FR", {"DNT": "1"}),
    ("accept_all", "?region=FR", {"DNT": "0"}),
    ("accept_all", "?region=US-CA", {"Sec-GPC": "1"}),
    ("accept_all", "?region=US-CA", {"Sec-GPC": "true"}),
    ("reject_all", "?region=US-TX", {"Sec-GPC": "1", "DNT": "1"}),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("action", "query", "fields"), READS)
async def test_every_way_decides_alike(
    way: str, action: str, query: str, fields: dict[str, str], tmp_path: Path
) -> None:
    """Issue 4 item 1; twice, because the first one may store a signal."""
    async with twins(way, tmp_path) as (asked, expected):
        found = [await asked.ask("GET", DECISIONS.format(await minted(asked.service, action)) + query, headers=fields)]
        wanted = [
            await expected.ask("GET", DECISIONS.format(await minted(expected.service, action)) + query, headers=fields)
        ]
        found.append(await asked.ask("GET", DECISIONS.format(STRANGER) + query, headers=fields))
        wanted.append(await expected.ask("GET", DECISIONS.format(STRANGER) + query, headers=fields))
    assert found == wanted
    assert found[0][0] == 200


@pytest.mark.parametrize("way", WAYS)
async def test_a_signal_that_is_news_is_stored_by_every_way(way: str, service: Running) -> None:
    """SIG-16: once, before the answer."""
    visitor = await minted(service)
    async with shop(way, service) as asked:
        first = await asked.ask("GET", DECISIONS.format(visitor) + "?region=US-CA", headers={"Sec-GPC": "1"})
        second = await asked.ask("GET", DECISIONS.format(visitor) + "?region=US-CA", headers={"Sec-GPC": "1"})
        silent = await asked.ask("GET", DECISIONS.format(visitor) + "?region=US-CA")
        history = await asked.ask("GET", f"/v1/visitors/{visitor}/history")
    assert [answer[2]["categories"]["advertising"]["reason"] for answer in (first, second, silent)] == ["gpc"] * 3
    assert [event["event_type"] for event in history[2]["events"]] == ["given", "signal"]


REFUSED: list[tuple[str, str, dict[str, str]]] = [
    ("GET", DECISIONS.format(STRANGER), {"Authorization": ""}),
    ("GET", DECISIONS.format(STRANGER), {"Authorization": "Bearer cs_decide_unknown"}),
    ("GET", DECISIONS.format(STRANGER), {"Authorization": "Basic eDp5"}),
    ("GET", DECISIONS.format("short"), {}),
    ("GET", DECISIONS.format(STRANGER) + "/more", {}),
    ("POST", DECISIONS.format(STRANGER), {}),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("method", "path", "fields"), REFUSED)
async def test_every_way_refuses_alike(
    way: str, method: str, path: str, fields: dict[str, str], tmp_path: Path
) -> None:
    async with twins(way, tmp_path) as (asked, expected):
        found = await asked.ask(method, path, headers=fields)
        assert found == await expected.ask(method, path, headers=fields)
    assert found[0] in {401, 404, 405, 422}


@pytest.mark.parametrize("way", WAYS)
async def test_a_key_of_the_wrong_scope_is_refused_by_every_way(way: str, service: Running) -> None:
    """Contract §2."""
    audit = {"Authorization": f"Bearer {await service.key(Scope.AUDIT)}"}
    async with shop(way, service) as asked:
        read = await asked.ask("GET", DECISIONS.format(STRANGER), headers=audit)
        write = await asked.ask("PUT", f"/v1/visitors/{STRANGER}/consent", json=submission(), headers=audit)
    assert (read[0], read[2]["code"], write[0], write[2]["code"]) == (403, "forbidden", 403, "forbidden")


WRITES: list[tuple[dict[str, Any], dict[str, str]]] = [
    (submission(), {}),
    (submission("reject_all"), {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}),
    (submission("custom", choices=choices("statistical")), {"DNT": "1"}),
    (submission(gpc=True), {"Sec-GPC": "1"}),
    (submission("dismiss"), {}),
    (submission(channel="email"), {}),
    (submission(method="import", decided_at="2026-11-23T00:00:00Z"), {}),
    (submission(method="import", decided_at="2020-01-01T00:00:00Z"), {}),
    (submission(), {"If-Match": '"1"'}),
    (submission(), {"If-Match": '"9"'}),
    (submission(), {"Idempotency-Key": '"'}),
    (submission(policy_version="unknown"), {}),
    (submission("custom"), {}),
    (submission(more=1), {}),
    ({}, {}),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("body", "fields"), WRITES)
async def test_every_way_writes_alike(way: str, body: dict[str, Any], fields: dict[str, str], tmp_path: Path) -> None:
    """The same write twice: replayed under a key, recorded again without one."""
    async with twins(way, tmp_path) as (asked, expected):
        one = f"/v1/visitors/{await minted(asked.service)}/consent"
        two = f"/v1/visitors/{await minted(expected.service)}/consent"
        found = [await asked.ask("PUT", one, json=body, headers=fields) for _ in range(2)]
        assert found == [await expected.ask("PUT", two, json=body, headers=fields) for _ in range(2)]


@pytest.mark.parametrize("way", WAYS)
async def test_a_visitor_never_minted_is_unknown_to_every_way(way: str, service: Running) -> None:
    """Contract §5."""
    async with shop(way, service) as asked:
        status, fields, body = await asked.ask("PUT", f"/v1/visitors/{STRANGER}/consent", json=submission())
    assert (status, fields["content-type"], body["code"]) == (404, "application/problem+json", "not-found")


@pytest.mark.parametrize("way", WAYS)
async def test_more_than_may_wait_are_told_to_come_back_later(
    way: str, service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 4 item 2: queues are bounded; a write is turned away, a decision denies."""
    visitor = await minted(service)
    monkeypatch.setattr(reader, "MAX_WAITING", 0)
    monkeypatch.setattr(writer, "MAX_WAITING", 0)
    async with shop(way, service) as asked:
        status, fields, body = await asked.ask("PUT", f"/v1/visitors/{visitor}/consent", json=submission())
        read = await asked.ask("GET", DECISIONS.format(visitor))
        many = await asked.ask(
            "POST", "/v1/decisions", json={"requests": [{"visitor_id": visitor, "categories": ["advertising"]}]}
        )
    assert (status, fields["retry-after"], body["code"]) == (503, "1", "store-unavailable")
    assert (read[0], read[2]["degraded"], read[2]["categories"]["advertising"]["allow"]) == (200, True, False)
    assert (many[0], many[2]["degraded"]) == (200, True)


BATCHES: list[dict[str, Any]] = [
    {"requests": [{"visitor_id": STRANGER, "region": "FR", "trackers": ["session", "_ga", "_ga_X", "nobody_knows"]}]},
    {
        "requests": [
            {"visitor_id": STRANGER, "dnt": "1", "categories": ["advertising", "statistical"]},
            {"trackers": ["_ga"]},
        ]
    },
    {"visitor_id": STRANGER, "trackers": ["session"], "gpc": True},
    {"requests": []},
    {"requests": [{"visitor_id": STRANGER}]},
    {"requests": [{"visitor_id": "short", "trackers": ["_ga"]}]},
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body", BATCHES)
@pytest.mark.parametrize("fields", [{}, {"Sec-GPC": "1"}])
async def test_every_way_decides_a_batch_alike(
    way: str, body: dict[str, Any], fields: dict[str, str], tmp_path: Path
) -> None:
    async with twins(way, tmp_path) as (asked, expected):
        found = await asked.ask("POST", "/v1/decisions", json=body, headers=fields)
        assert found == await expected.ask("POST", "/v1/decisions", json=body, headers=fields)


def asked_about(visitors: list[str | None]) -> dict[str, Any]:
    """Ask about several visitors, in one region and another, by trackers and categories."""
    names = ["session", "_ga", "_fbp", "_ga_100%d", "nobody_knows", "é"]
    first = [{"visitor_id": visitor, "region": "FR", "trackers": names} for visitor in visitors]
    second = [{"visitor_id": visitor, "trackers": ["_ga"], "categories": ["advertising"]} for visitor in visitors]
    return {"requests": first + second}


WRITERS: list[dict[str, Any]] = [
    {},
    {"separators": (",", ":")},
    {"ensure_ascii": False},
    {"indent": 2},
    {"sort_keys": True},
]


async def everybody(service: Running) -> list[str]:
    """Mint visitors who have said different things, two of them the same."""
    some = [await minted(service, action) for action in ("accept_all", "reject_all", "dismiss")]
    service.clock.forward(timedelta(seconds=7))
    return [*some, await minted(service), await minted(service, "custom", choices=choices("advertising")), STRANGER]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("query", ["", "?region=US-CA"])
@pytest.mark.parametrize("writer", WRITERS)
async def test_every_way_answers_a_batch_with_the_same_bytes(
    way: str, query: str, writer: dict[str, Any], service: Running
) -> None:
    """TRK-07, P6: at first, from what is remembered, and after some of the choices have lapsed."""
    body = json.dumps(asked_about([*await everybody(service), None]), **writer).encode()
    fields = {"Content-Type": "application/json"}
    async with shop(way, service) as asked, shop("framework", service) as expected:
        for months in (0, 0, 4, 400):
            service.clock.forward(timedelta(days=30 * months))
            found = await asked.client.post("/v1/decisions" + query, content=body, headers=fields)
            wanted = await expected.client.post("/v1/decisions" + query, content=body, headers=fields)
            assert (found.status_code, found.content) == (200, wanted.content)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("writer", WRITERS)
async def test_every_way_answers_one_question_with_the_same_bytes(
    way: str, writer: dict[str, Any], service: Running
) -> None:
    body = json.dumps({"visitor_id": await minted(service), "trackers": ["_ga", "x"]}, **writer).encode()
    fields = {"Content-Type": "application/json"}
    async with shop(way, service) as asked, shop("framework", service) as expected:
        found = [await asked.client.post("/v1/decisions", content=body, headers=fields) for _ in range(2)]
        wanted = await expected.client.post("/v1/decisions", content=body, headers=fields)
    assert [answer.content for answer in found] == [wanted.content] * 2
    assert wanted.json()["decisions"][0]["reason"] == "granted"


@pytest.mark.parametrize("way", WAYS)
async def test_a_batch_follows_a_login_a_withdrawal_and_another_policy(way: str, service: Running) -> None:
    """Nothing that was remembered outlives what it was decided by."""
    visitor = await minted(service)
    body = {"requests": [{"visitor_id": visitor, "region": "FR", "trackers": ["_ga", "_fbp"]}]}
    async with shop(way, service) as asked, shop("framework", service) as expected:
        answers = []
        for method, path, change in (
            ("GET", "/consent", None),
            ("PUT", "/account", {"account_ref": "customer-1"}),
            ("DELETE", "/account", None),
            ("DELETE", "/consent", None),
        ):
            await asked.ask(method, f"/v1/visitors/{visitor}{path}", json=change)
            answers.append(await asked.ask("POST", "/v1/decisions", json=body))
            assert answers[-1] == await expected.ask("POST", "/v1/decisions", json=body)
        await service.publish(version="v2", trackers=document()["trackers"][:1])
        answers.append(await asked.ask("POST", "/v1/decisions", json=body))
    reasons = [[d["reason"] for d in answer[2]["results"][0]["decisions"]] for answer in answers]
    assert reasons[0] == reasons[1] == ["granted", "granted"]
    assert reasons[3:] == [["withdrawn", "withdrawn"], ["unregistered", "unregistered"]]


BODIES = [
    (
        b'{"requests": [{"visitor_id": "ZZZZZZZZZZZZZZZZZZZZZA", "trackers": ["a"], "trackers": ["b"]}]}',
        "application/json",
    ),
    (b'{"requests": [{"visitor_id": "ZZZZZZZZZZZZZZZZZZZZZA", "trackers": ["\\ud800"]}]}', "application/json"),
    (b'{"requests": [{"visitor_id": "ZZZZZZZZZZZZZZZZZZZZZA", "trackers": [NaN]}]}', "application/json"),
    (b'{"requests": [{"visitor_id": "ZZZZZZZZZZZZZZZZZZZZZAA", "trackers": ["a"]}]}', "application/json"),
    (b'{"requests": [', "application/json"),
    (b"\xff", "application/json"),
    (b'{"requests": NaN}', "application/json"),
    (b"{}", "text/plain"),
    (b"{}", "application/json; charset=utf-8"),
    (b" " * 1_100_000, "application/json"),
]


@pytest.mark.parametrize("way", ["framework", "asgi"])
@pytest.mark.parametrize(("body", "media_type"), BODIES)
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/decisions"), ("PUT", f"/v1/visitors/{STRANGER}/consent")])
async def test_hostile_bodies_are_refused_by_every_way_alike(
    way: str, method: str, path: str, body: bytes, media_type: str, tmp_path: Path
) -> None:
    """C2; that the server cuts such bodies off itself is tested in tests/server."""
    fields = {"Content-Type": media_type}
    async with twins(way, tmp_path) as (asked, expected):
        found = await asked.ask(method, path, content=body, headers=fields)
        assert found == await expected.ask(method, path, content=body, headers=fields)
    assert 400 <= found[0] < 500
