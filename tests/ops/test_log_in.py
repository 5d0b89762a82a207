"""Who sees the dashboard: staff with a key, for a working day, from pages of this service, and their own site only."""

from datetime import timedelta
from http.cookies import SimpleCookie

import httpx
import pytest

from consent_service.domain.vocabulary import Scope
from tests.ops.conftest import SAME_ORIGIN, log_in
from tests.support.service import BOOTSTRAP, Running, code

PAGES = ["/ops", "/ops/evidence", "/ops/trackers", "/ops/policies", "/ops/keys"]
TABLES = ["/ops/consent-rates.csv", "/ops/trackers.csv"]


@pytest.mark.parametrize("path", PAGES)
async def test_a_stranger_is_sent_to_the_log_in(service: Running, path: str) -> None:
    async with service.client() as stranger:
        answer = await stranger.get(path)
    assert (answer.status_code, answer.headers["location"], answer.content) == (303, "/ops/login", b"")


@pytest.mark.parametrize("path", TABLES)
async def test_a_stranger_gets_no_table(service: Running, path: str) -> None:
    async with service.client() as stranger:
        answer = await stranger.get(path)
    assert (answer.status_code, code(answer)) == (401, "unauthenticated")


@pytest.mark.parametrize("path", [*PAGES[:-1], *TABLES])
async def test_one_who_is_logged_in_sees_every_page(auditor: httpx.AsyncClient, path: str) -> None:
    assert (await auditor.get(path)).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, *TABLES])
async def test_a_bearer_key_needs_no_session(service: Running, path: str) -> None:
    async with service.shop(await service.key(Scope.ADMIN)) as staff:
        answer = await staff.get(path)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("scope", [Scope.DECIDE, Scope.MANAGE])
async def test_a_storefronts_key_opens_nothing(service: Running, scope: Scope) -> None:
    key = await service.key(scope)
    async with service.client(SAME_ORIGIN) as client:
        answer = await client.post("/ops/login", data={"key": key})
    async with service.shop(key) as shop:
        refused = await shop.get("/ops")
    assert (answer.status_code, refused.status_code) == (401, 403)
    assert "set-cookie" not in answer.headers
    assert key not in answer.text


async def test_the_session_is_a_cookie_that_no_script_and_no_other_site_can_use(service: Running) -> None:
    async with service.client(SAME_ORIGIN) as client:
        answer = await client.post("/ops/login", data={"key": BOOTSTRAP})
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert (morsel["httponly"], morsel["secure"], morsel["samesite"].lower()) == (True, True, "strict")
    assert (morsel["path"], morsel["max-age"]) == ("/ops", "28800")
    assert BOOTSTRAP not in morsel.value


async def test_a_session_ends_after_a_working_day(service: Running, auditor: httpx.AsyncClient) -> None:
    service.clock.forward(timedelta(hours=7, minutes=59))
    before = await auditor.get("/ops")
    service.clock.forward(timedelta(minutes=1))
    assert (before.status_code, (await auditor.get("/ops")).status_code) == (200, 303)


async def test_a_session_ends_with_its_key(service: Running, auditor: httpx.AsyncClient) -> None:
    (entry,) = await service.services.keys.list("default")
    await service.services.keys.revoke("default", entry.id)
    assert (await auditor.get("/ops")).status_code == 303


@pytest.mark.parametrize("place", [0, 3, 12, -60, -1])
async def test_a_session_that_was_tampered_with_is_none(
    service: Running, auditor: httpx.AsyncClient, place: int
) -> None:
    value = auditor.cookies["consent_staff"]
    forged = [*value]
    forged[place] = "A" if forged[place] != "A" else "B"
    async with service.client({"Cookie": f"consent_staff={''.join(forged)}"}) as forger:
        assert (await forger.get("/ops")).status_code == 303


async def test_a_session_cannot_be_made_longer(service: Running, auditor: httpx.AsyncClient) -> None:
    start, site, key_id, ends, signature = auditor.cookies["consent_staff"].split(".")
    longer = ".".join((start, site, key_id, str(int(ends) + 3_600), signature))
    async with service.client({"Cookie": f"consent_staff={longer}"}) as forger:
        assert (await forger.get("/ops")).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
async def test_a_form_of_another_site_is_refused(service: Running, headers: dict[str, str]) -> None:
    async with service.client(headers) as client:
        answer = await client.post("/ops/login", data={"key": BOOTSTRAP})
    assert (answer.status_code, code(answer)) == (403, "forbidden")
    assert "set-cookie" not in answer.headers


async def test_a_browser_without_fetch_metadata_is_known_by_its_origin(service: Running) -> None:
    async with service.client({"Origin": service.address}) as client:
        assert (await client.post("/ops/login", data={"key": BOOTSTRAP})).status_code == 303


async def test_logging_out_needs_the_sessions_own_token(service: Running, auditor: httpx.AsyncClient) -> None:
    refused = await auditor.post("/ops/logout", data={"token": "made-up"})
    token = (await auditor.get("/ops")).text.partition('name="token" value="')[2].partition('"')[0]
    done = await auditor.post("/ops/logout", data={"token": token})
    assert (refused.status_code, done.status_code) == (403, 303)
    assert "consent_staff" not in auditor.cookies


async def test_a_large_form_is_refused(service: Running) -> None:
    async with service.client(SAME_ORIGIN) as client:
        assert (await client.post("/ops/login", data={"key": "x" * 5_000})).status_code == 403


async def test_log_ins_from_one_address_are_limited(service: Running) -> None:
    service.services.limits._address_writes = 3
    async with service.client(SAME_ORIGIN) as client:
        answers = [await client.post("/ops/login", data={"key": "guess"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]


async def test_keys_are_listed_to_who_may_make_them_and_without_the_keys(service: Running) -> None:
    async with log_in(service, Scope.ADMIN) as admin, log_in(service) as auditor:
        shown, refused = await admin.get("/ops/keys"), await auditor.get("/ops/keys")
        menu = (await auditor.get("/ops")).text
    secrets = list(service.keys.values())
    assert (shown.status_code, refused.status_code) == (200, 403)
    assert [secret for secret in secrets if secret in shown.text] == []
    assert "/ops/keys" not in menu


async def test_a_key_sees_its_own_site_only(service: Running) -> None:
    await service.publish(site="other", origins=["https://other.example"], version="others-version")
    await service.key(Scope.DECIDE, "other")
    async with log_in(service, Scope.ADMIN) as staff:
        texts = [(await staff.get(path)).text for path in [*PAGES, *TABLES]]
    assert [text for text in texts if "other" in text.replace("others", "")] == []
