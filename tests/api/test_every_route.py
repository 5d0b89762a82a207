"""Every route of the API document × no key, wrong scope, other site, other visitor, other page (C3, C5).

The cases are made from the document and the application's own list of routes, so that a new route cannot be forgotten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.routing import Route as Served

from consent_service.api.documentation import openapi_document
from consent_service.config import Settings
from consent_service.domain.vocabulary import Scope
from consent_service.main import create_app
from tests.support.service import ORIGIN, STRANGER, Running, submission

APP = create_app(Settings.model_construct())
DOCUMENT = openapi_document(APP)
NOTHING = "00000000-0000-4000-8000-000000000000"
EVIL = "https://evil.example"
_IMPLIED = {"decide": {Scope.DECIDE, Scope.MANAGE}, "audit": {Scope.AUDIT, Scope.ADMIN}}
"""`manage` may decide, and `admin` may see what an auditor sees; else no scope includes another (contract §2)."""


class Operation(NamedTuple):
    """One operation of the document."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def tag(self) -> str:
        """Give its plane."""
        (found,) = self.spec["tags"]
        return str(found)

    @property
    def scopes(self) -> set[Scope]:
        """Give the scopes that open it, by what its description says."""
        text = self.spec["description"]
        named = re.findall(r"[Ss]cope `(\w+)`(?: or `(\w+)`)?", text)
        found = {Scope(name) for pair in named for name in pair if name}
        return set(Scope) if "Any scope" in text else found.union(*(_IMPLIED.get(scope, set()) for scope in found))

    def target(self, ids: dict[str, str]) -> str:
        """Give the path, with ids and with a value for each parameter that must be there."""
        filled = re.sub(r"\{(\w+)\}", lambda part: ids[part[1]], self.path)
        parameters = self.spec.get("parameters", [])
        needed = [p["name"] for p in parameters if p["in"] == "query" and p.get("required")]
        return filled + ("?" + "&".join(f"{name}=1" for name in needed) if needed else "")

    def body(self, ids: dict[str, str]) -> Any:
        """Give the document's example of the request, about the visitor of `ids`; None where it takes no body."""
        content = self.spec.get("requestBody", {}).get("content", {}).get("application/json", {})
        return _about(content.get("example"), ids["visitor_id"])

    async def ask(self, client: httpx.AsyncClient, ids: dict[str, str], **fields: str) -> httpx.Response:
        """Call it."""
        return await client.request(self.method, self.target(ids), json=self.body(ids), headers=fields)


def _about(body: Any, visitor_id: str) -> Any:
    if isinstance(body, dict):
        return {name: visitor_id if name == "visitor_id" else _about(value, visitor_id) for name, value in body.items()}
    return [_about(item, visitor_id) for item in body] if isinstance(body, list) else body


def operations(*tags: str) -> Iterator[Any]:
    """Go through the operations of some planes, each under its name."""
    for path, methods in DOCUMENT["paths"].items():
        for method, spec in methods.items():
            if spec["tags"][0] in tags:
                yield pytest.param(Operation(method.upper(), path, spec), id=spec["operationId"])


WITH_KEY = list(operations("storefront", "operations"))
BROWSER = list(operations("browser"))
UNKNOWN = {
    "visitor_id": STRANGER,
    "key_id": NOTHING,
    "webhook_id": NOTHING,
    "version": "never-published",
    "format": "google",
    "name": "adpc",
}


def test_every_operation_belongs_to_a_plane_that_is_tested_here() -> None:
    """A public one has no secret to keep; whoever adds one names it here."""
    public = {parameter.id for parameter in operations("public")}
    assert public == {
        "dnt_policy", "gpc", "jwks", "livez", "readyz", "security_txt", "tracking_status", "tracking_status_by_id", "version",
    }  # fmt: skip
    assert len(public) + len(WITH_KEY) + len(BROWSER) == sum(map(len, DOCUMENT["paths"].values()))


def test_what_is_served_beside_the_document_is_known() -> None:
    """A hidden route is named here, with the tests that guard it."""
    hidden = {route.path for route in APP.routes if isinstance(route, Served) and route.path not in DOCUMENT["paths"]}
    guarded_elsewhere = {
        "/withdraw/{token}",  # test_withdrawal_links.py: the token is the credential
        "/metrics",  # test_metrics.py: loopback, or a setting
        "/docs", "/openapi.json",  # test_openapi.py: no data
    }  # fmt: skip
    assert {path for path in hidden if not path.startswith(("/docs", "/static", "/ops"))} <= guarded_elsewhere


@pytest.mark.parametrize("operation", WITH_KEY)
async def test_without_a_key_a_route_says_nothing(service: Running, operation: Operation) -> None:
    """C3."""
    async with service.client() as nobody:
        answers = [
            await operation.ask(nobody, UNKNOWN),
            await nobody.request(operation.method, operation.target(UNKNOWN)),
            await operation.ask(nobody, UNKNOWN, Authorization="Bearer cs_admin_" + "A" * 43),
            await operation.ask(nobody, UNKNOWN, Cookie="consent_visitor=v1.x.y"),
        ]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert len({answer.json()["code"] for answer in answers}) == 1


@pytest.mark.parametrize("operation", WITH_KEY)
async def test_a_route_opens_to_the_scopes_that_it_names_and_to_no_other(
    service: Running, operation: Operation
) -> None:
    """C3."""
    opened: set[Scope] = set()
    async with service.client() as client:
        answers = {
            scope: await operation.ask(client, UNKNOWN, Authorization=f"Bearer {await service.key(scope)}")
            for scope in Scope
        }
    opened = {scope for scope, answer in answers.items() if answer.status_code != 403}
    assert opened == operation.scopes != set()
    assert {answer.status_code for answer in answers.values()} & {401, 500} == set()


@dataclass
class Neighbour:
    """What the site `default` holds, and a caller of the site `other` with every scope in turn."""

    service: Running
    ids: dict[str, str]
    cookie: str
    secrets: list[str]

    async def events(self) -> int:
        """Give the length of the default site's log."""
        return (await self.service.services.store.log.head("default")).size


@pytest.fixture
async def neighbour(two_sites: Running) -> Neighbour:
    """Let a visitor of `default` accept everything there, and the shop make a key, an endpoint and an account."""
    async with two_sites.browser() as browser, two_sites.shop() as shop:
        visitor = (await browser.put("/v1/consent", json=submission())).json()["visitor_id"]
        key = (await shop.post("/v1/keys", json={"scope": "audit", "name": "canary-key"})).json()
        hook = (await shop.post("/v1/webhooks", json={"url": "https://canary.example/hook"})).json()
        cookie = browser.cookies["consent_visitor"]
    ids = UNKNOWN | {"visitor_id": visitor, "key_id": key["id"], "webhook_id": hook["id"], "version": "v1"}
    secrets = [cookie, key["id"], key["key"], "canary-key", hook["id"], hook["secret"], "canary.example"]
    return Neighbour(two_sites, ids, cookie, secrets)


def without_ids(answer: httpx.Response, ids: dict[str, str]) -> tuple[int, str]:
    """Give an answer without the ids that were asked for and without its own."""
    # A withdrawal link bears a proof that differs for each id, known or not.
    text = re.sub(r"urn:uuid:[0-9a-f-]{36}|/withdraw/[\w.-]+", "", answer.text)
    for name in ("visitor_id", "key_id", "webhook_id"):
        text = text.replace(ids[name], name)
    return answer.status_code, text


@pytest.mark.parametrize("operation", [p for p in WITH_KEY if "{" in p.values[0].path or p.id == "decide"])
async def test_what_belongs_to_another_site_is_answered_like_what_never_was(
    neighbour: Neighbour, operation: Operation
) -> None:
    """C3: unknown and foreign ids answer identically, and nothing of the other site changes."""
    before = await neighbour.events()
    async with neighbour.service.shop(await neighbour.service.key(min(operation.scopes), "other")) as stranger:
        foreign = await operation.ask(stranger, neighbour.ids | {"version": "never-published"})
        unknown = await operation.ask(stranger, UNKNOWN)
    assert without_ids(foreign, neighbour.ids) == without_ids(unknown, UNKNOWN)
    assert [secret for secret in neighbour.secrets if secret in foreign.text.replace(neighbour.ids["key_id"], "")] == []
    assert await neighbour.events() == before


@pytest.mark.parametrize("operation", WITH_KEY)
async def test_no_answer_to_another_site_names_anything_of_this_one(neighbour: Neighbour, operation: Operation) -> None:
    """C3: lists, exports and reports too."""
    before = await neighbour.events()
    async with neighbour.service.shop(await neighbour.service.key(min(operation.scopes), "other")) as stranger:
        answer = await operation.ask(stranger, UNKNOWN)
    hidden = [neighbour.ids["visitor_id"], *neighbour.secrets]
    assert [secret for secret in hidden if secret in answer.text] == []
    assert await neighbour.events() == before


@pytest.mark.parametrize("operation", BROWSER)
async def test_a_visitor_cannot_pass_for_another(neighbour: Neighbour, operation: Operation) -> None:
    """C3: another's id with one's own proof, with none, or as another form of cookie, is no cookie at all."""
    before = await neighbour.events()
    victim = neighbour.ids["visitor_id"]
    async with neighbour.service.browser() as own:
        mine = (await own.put("/v1/consent", json=submission("reject_all"))).cookies["consent_visitor"]
    proof = mine.rpartition(".")[2]
    forged = [
        f"v1.{victim}.{proof}",
        f"v1.{victim}.",
        f"v1.{victim}",
        victim,
        neighbour.cookie[:-1] + "-",
        f"v2.{victim}.{proof}",
    ]
    async with neighbour.service.browser() as page:
        plain = await operation.ask(page, UNKNOWN)
        page.cookies.clear()
        answers = [await operation.ask(page, UNKNOWN, Cookie=f"consent_visitor={cookie}") for cookie in forged]
        page.cookies.clear()
    history = await neighbour.service.services.store.log.visitor_events("default", victim, -1, 10)
    assert {answer.status_code for answer in answers} == {plain.status_code}
    assert [answer for answer in answers if victim in answer.text] == []
    assert len(history) == before


def refusal(operation: Operation, origin: str | None, fetch_site: str | None, media_type: str) -> int | None:
    """Say what a page with this Origin, Sec-Fetch-Site and content type is refused with; None where it is served."""
    if "requestBody" in operation.spec and media_type != "application/json":
        return 415
    own = origin == ORIGIN or (origin is None and fetch_site != "cross-site")
    return None if own else 403


TABLE = [
    (origin, fetch_site, media_type)
    for origin in (None, ORIGIN, EVIL, "null")
    for fetch_site in (None, "same-origin", "same-site", "cross-site")
    for media_type in ("application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data")
]


@pytest.mark.parametrize("operation", BROWSER)
async def test_a_page_is_served_by_its_origin_and_content_type(service: Running, operation: Operation) -> None:
    """C5, SVC-08: Origin × Sec-Fetch-Site × content type, on every route that a browser may call."""
    expected = [refusal(operation, *case) for case in TABLE]
    found: list[int | None] = []
    async with service.client() as page:
        for origin, fetch_site, media_type in TABLE:
            named = {"Origin": origin, "Sec-Fetch-Site": fetch_site, "Content-Type": media_type}
            headers = {name: value for name, value in named.items() if value is not None}
            answer = await page.request(operation.method, operation.target(UNKNOWN), content=b"{}", headers=headers)
            page.cookies.clear()
            found.append(answer.status_code if answer.status_code in {403, 415} else None)
    assert list(zip(TABLE, found, strict=True)) == list(zip(TABLE, expected, strict=True))
