"""The two cookies of contract §3: who gets them, what they look like and what a forged one is worth."""

from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.service import ADDRESS, STRANGER, Running, memory_store, running, submission

VISITOR, STATE = "consent_visitor", "consent_state"


def cookies_of(answer: httpx.Response) -> dict[str, Morsel[str]]:
    """Read all Set-Cookie fields of an answer."""
    jar: SimpleCookie = SimpleCookie()
    for field in answer.headers.get_list("set-cookie"):
        jar.load(field)
    return dict(jar.items())


async def test_the_proof_of_possession_is_out_of_reach_of_page_script(browser: httpx.AsyncClient) -> None:
    """IDN-03: set by the server, first-party, 390 days."""
    answer = await browser.put("/v1/consent", json=submission())
    cookie = cookies_of(answer)[VISITOR]

    assert cookie.value.split(".")[:2] == ["v1", answer.json()["visitor_id"]]
    assert (cookie["max-age"], cookie["path"], cookie["domain"]) == ("33696000", "/", "")
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")


async def test_the_state_may_be_read_by_page_script_and_lives_as_long_as_the_consent(
    browser: httpx.AsyncClient,
) -> None:
    answer = await browser.put("/v1/consent", json=submission())
    cookie = cookies_of(answer)[STATE]

    assert cookie.value.split(".")[0] == "11111111"
    assert cookie["max-age"] == str(181 * 86_400)
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == ("", True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")


async def test_reading_refreshes_the_state_of_a_known_visitor_alone(browser: httpx.AsyncClient, visitor: str) -> None:
    known = await browser.get("/v1/consent")
    browser.cookies.clear()
    unknown = await browser.get("/v1/consent")

    assert set(cookies_of(known)) == {STATE}
    assert cookies_of(unknown) == {}


@pytest.mark.parametrize(
    "path", ["/v1/consent", "/v1/banner", "/v1/banner?state=0", "/.well-known/dnt/", "/livez", "/docs"]
)
async def test_a_first_visit_sets_no_cookie(browser: httpx.AsyncClient, path: str) -> None:
    assert "set-cookie" not in (await browser.get(path)).headers


@pytest.mark.parametrize(
    "forged",
    [
        STRANGER,
        f"v1.{STRANGER}",
        f"v1.{STRANGER}.{'A' * 43}",
        f"v2.{STRANGER}.{'A' * 43}",
        f"v1.{'A' * 500}.{'A' * 43}",
        f'"v1.{STRANGER}.{"A" * 43}"',
        "",
    ],
)
async def test_a_client_chosen_id_is_never_adopted(service: Running, forged: str) -> None:
    """IDN-01: a cookie whose proof is not ours counts as none."""
    async with service.browser(None) as browser:
        answer = await browser.put("/v1/consent", json=submission(), headers={"Cookie": f"{VISITOR}={forged}"})

    assert answer.status_code == 201
    assert answer.json()["visitor_id"] != STRANGER
    assert cookies_of(answer)[VISITOR].value.split(".")[1] == answer.json()["visitor_id"]


async def test_the_proof_of_one_visitor_does_not_open_another(
    service: Running, browser: httpx.AsyncClient, visitor: str
) -> None:
    proof = browser.cookies[VISITOR].split(".")[2]
    async with service.browser() as thief:
        answer = await thief.get("/v1/consent", headers={"Cookie": f"{VISITOR}=v1.{STRANGER}.{proof}"})

    assert answer.json()["visitor_id"] is None


async def test_visitor_ids_are_random_and_say_nothing_about_the_caller(service: Running) -> None:
    """IDN-01: 128 bits, 22 characters, different for the same address and browser."""
    async with service.shop() as shop:
        ids = [(await shop.post("/v1/visitors")).json()["visitor_id"] for _ in range(50)]

    assert len(set(ids)) == 50
    assert {len(found) for found in ids} == {22}


@pytest.mark.parametrize(
    ("settings", "secure"),
    [
        ({}, True),
        ({"dev": True}, True),
        ({"insecure_cookies": True}, False),
        ({"public_url": "http://127.0.0.1:8080"}, True),
    ],
)
async def test_secure_is_left_off_by_its_own_setting_only(
    tmp_path: Path, settings: dict[str, Any], secure: bool
) -> None:
    async with running(tmp_path, memory_store(tmp_path), **settings) as service, service.browser() as browser:
        answer = await browser.put("/v1/consent", json=submission())

    assert [bool(cookie["secure"]) for cookie in cookies_of(answer).values()] == [secure, secure]


async def test_an_erased_visitors_cookie_counts_as_none(browser: httpx.AsyncClient, visitor: str) -> None:
    """IDN-09: the answer takes both cookies away, and an old copy of them opens nothing."""
    proof = browser.cookies[VISITOR]
    erased = await browser.delete("/v1/consent/data")
    again = await browser.put("/v1/consent", json=submission(), headers={"Cookie": f"{VISITOR}={proof}"})

    assert erased.status_code == 204
    assert {cookie["max-age"] for cookie in cookies_of(erased).values()} == {"0"}
    assert set(cookies_of(erased)) == {VISITOR, STATE}
    assert (again.status_code, again.json()["visitor_id"] == visitor) == (201, False)


async def test_closing_the_banner_leaves_no_state_to_read(browser: httpx.AsyncClient) -> None:
    answer = await browser.put("/v1/consent", json=submission("dismiss"))

    assert set(cookies_of(answer)) == {VISITOR}


async def test_cookies_reach_a_page_that_the_service_itself_is_proxied_under(service: Running) -> None:
    async with service.browser(ADDRESS) as browser:
        answer = await browser.put("/v1/consent", json=submission())

    assert answer.status_code == 201
