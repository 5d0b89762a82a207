"""Every route with no key, an unknown key, a revoked key and a key of every other scope (C3; contract §2)."""

from typing import NamedTuple

import httpx
import pytest

from consent_service.domain.vocabulary import Scope
from tests.support.builders import document
from tests.support.service import STRANGER, Running, code, submission

V = f"/v1/visitors/{STRANGER}"
DECIDE, MANAGE, AUDIT, ADMIN = Scope.DECIDE, Scope.MANAGE, Scope.AUDIT, Scope.ADMIN


class Route(NamedTuple):
    """One operation and the scopes that open it."""

    method: str
    path: str
    scopes: frozenset[Scope]
    body: object = None


def route(method: str, path: str, *scopes: Scope, body: object = None) -> Route:
    """Name an operation."""
    return Route(method, path, frozenset(scopes), body)


ROUTES = [
    route("GET", f"{V}/decisions", DECIDE, MANAGE),
    route("POST", "/v1/decisions", DECIDE, MANAGE, body={"trackers": ["_ga"]}),
    route("GET", f"{V}/withdrawal-link", DECIDE, MANAGE),
    route("POST", "/v1/visitors", MANAGE),
    route("GET", f"{V}/consent", MANAGE),
    route("PUT", f"{V}/consent", MANAGE, body=submission()),
    route("DELETE", f"{V}/consent", MANAGE),
    route("PUT", f"{V}/account", MANAGE, body={"account_ref": "x"}),
    route("DELETE", f"{V}/account", MANAGE),
    route("POST", f"{V}/opt-out", MANAGE),
    route("DELETE", f"{V}/opt-out", MANAGE),
    route("PUT", f"{V}/age-band", MANAGE, body={"age_band": "adult"}),
    route("PUT", f"{V}/restriction", MANAGE, body={"restricted": True}),
    route("PUT", f"{V}/objections", MANAGE, body={"categories": []}),
    route("GET", f"{V}/history", MANAGE),
    route("GET", f"{V}/receipt", MANAGE),
    route("GET", f"{V}/export", MANAGE),
    route("GET", f"{V}/proof", MANAGE),
    route("DELETE", V, MANAGE),
    route("POST", "/v1/policies", ADMIN, body=document()),
    route("GET", "/v1/policies", AUDIT, ADMIN),
    route("GET", "/v1/policies/v1", AUDIT, ADMIN),
    route("GET", "/v1/trackers", *Scope),
    route("GET", "/v1/evidence/checkpoint", AUDIT, ADMIN),
    route("GET", "/v1/evidence/events", AUDIT, ADMIN),
    route("GET", "/v1/evidence/proof/inclusion?seq=0", AUDIT, ADMIN),
    route("GET", "/v1/evidence/proof/consistency?from=1&to=1", AUDIT, ADMIN),
    route("GET", "/v1/evidence/export", AUDIT, ADMIN),
    route("POST", "/v1/keys", ADMIN, body={"scope": "decide", "name": "x"}),
    route("GET", "/v1/keys", ADMIN),
    route("DELETE", "/v1/keys/none", ADMIN),
    route("POST", "/v1/webhooks", ADMIN, body={"url": "https://crm.example/hooks"}),
    route("GET", "/v1/webhooks", ADMIN),
    route("DELETE", "/v1/webhooks/none", ADMIN),
    route("GET", "/v1/webhooks/none/dead-letters", ADMIN),
    route("POST", "/v1/webhooks/none/replay", ADMIN, body={"dead": True}),
]
NAMES = [f"{r.method} {r.path.replace(STRANGER, '{id}')}" for r in ROUTES]
UNKNOWN_KEYS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer cs_admin_" + "A" * 43,
    "Bearer bootstrap",
    "Basic Ym9vdHN0cmFwOng=",
    "Bearer " + "x" * 10_000,
    "bootstrap-0123456789-0123456789",
]


async def ask(client: httpx.AsyncClient, asked: Route, key: str) -> httpx.Response:
    """Call a route with a key."""
    headers = {"Authorization": f"Bearer {key}"}
    return await client.request(asked.method, asked.path, json=asked.body, headers=headers)


@pytest.mark.parametrize("asked", ROUTES, ids=NAMES)
async def test_without_a_key_there_is_no_answer(service: Running, asked: Route) -> None:
    """C3: also where the body is missing or broken, nothing is said about it."""
    async with service.client() as client:
        answer = await client.request(asked.method, asked.path, json=asked.body)
        bodyless = await client.request(asked.method, asked.path)
        broken = await client.request(asked.method, asked.path, content=b"{", headers={"Content-Type": "text/plain"})

    assert [a.status_code for a in (answer, bodyless, broken)] == [401] * 3
    assert code(answer) == "unauthenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer ")


@pytest.mark.parametrize("field", UNKNOWN_KEYS)
async def test_what_is_no_key_opens_nothing(service: Running, field: str) -> None:
    async with service.client() as client:
        answer = await client.get("/v1/keys", headers={"Authorization": field})

    assert (answer.status_code, code(answer)) == (401, "unauthenticated")


async def test_two_credentials_are_none(service: Running) -> None:
    key = await service.key(ADMIN)
    async with service.client() as client:
        answer = await client.get("/v1/keys", headers=[("Authorization", f"Bearer {key}")] * 2)

    assert answer.status_code == 401


@pytest.mark.parametrize("scope", list(Scope))
@pytest.mark.parametrize("asked", ROUTES, ids=NAMES)
async def test_a_scope_opens_what_is_its_own_and_nothing_else(service: Running, asked: Route, scope: Scope) -> None:
    """C3: scopes do not include one another, but `manage` may decide."""
    async with service.client() as client:
        answer = await ask(client, asked, await service.key(scope))

    assert (answer.status_code == 403) is (scope not in asked.scopes)
    assert answer.status_code not in {401, 500}


@pytest.mark.parametrize("asked", ROUTES, ids=NAMES)
async def test_a_revoked_key_opens_nothing(service: Running, asked: Route) -> None:
    key = await service.key(min(asked.scopes))
    entry = service.services.sites.key_known(key)
    assert entry is not None
    async with service.client() as client, service.shop() as shop:
        await shop.delete(f"/v1/keys/{entry.id}")
        answer = await ask(client, asked, key)

    assert answer.status_code == 401


async def test_a_refused_key_is_told_which_scope_is_needed(service: Running) -> None:
    async with service.shop(await service.key(DECIDE)) as shop:
        answer = await shop.get("/v1/keys")

    assert (answer.status_code, code(answer)) == (403, "forbidden")
    assert "admin" in answer.json()["detail"]
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_the_visitors_cookie_opens_no_route_of_the_shop(browser: httpx.AsyncClient, visitor: str) -> None:
    answers = [await browser.get(f"/v1/visitors/{visitor}/{path}") for path in ("consent", "decisions", "history")]

    assert [answer.status_code for answer in answers] == [401] * 3


async def test_a_key_is_no_visitor(shop: httpx.AsyncClient, visitor: str) -> None:
    answers = [await shop.get(f"/v1/consent/{path}") for path in ("history", "receipt", "export")]

    assert [answer.status_code for answer in answers] == [404] * 3
