"""A visitor who comes for the first time."""

import httpx

from tests.support.service import Running, code, submission


async def test_a_stranger_reads_the_state_of_an_unknown_visitor_and_gets_no_cookie(browser: httpx.AsyncClient) -> None:
    """CON-01: everything but what is strictly necessary is denied, and the banner should ask."""
    answer = await browser.get("/v1/consent")

    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    body = answer.json()
    assert body["visitor_id"] is None
    assert body["revision"] == 0
    assert body["prompt"] is True
    assert body["categories"]["advertising"] == {
        "choice": None, "allow": False, "reason": "no_record", "decided_at": None, "expires_at": None,
    }  # fmt: skip
    assert {name for name, entry in body["categories"].items() if entry["allow"]} == {"strictly_necessary"}


async def test_the_first_answer_makes_the_visitor(browser: httpx.AsyncClient) -> None:
    first = await browser.put("/v1/consent", json=submission())
    second = await browser.put("/v1/consent", json=submission("reject_all"))

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["visitor_id"] == second.json()["visitor_id"]
    assert second.json()["revision"] == 2


async def test_a_first_answer_on_the_revision_that_was_read_is_taken(browser: httpx.AsyncClient) -> None:
    read = await browser.get("/v1/consent")
    answer = await browser.put("/v1/consent", json=submission(), headers={"If-Match": read.headers["etag"]})

    assert read.headers["etag"] == '"0"'
    assert answer.status_code == 201


async def test_a_strangers_withdrawal_is_kept_like_anybodys(browser: httpx.AsyncClient) -> None:
    """CON-06: one call, no body, no credential."""
    answer = await browser.delete("/v1/consent")
    read = await browser.get("/v1/consent")

    assert answer.status_code == 200
    assert read.json()["categories"]["advertising"]["reason"] == "refused"


async def test_a_page_that_does_not_say_which_policy_was_shown_is_refused(service: Running) -> None:
    """CON-18."""
    async with service.browser() as page:
        answer = await page.put("/v1/consent", json={"action": "accept_all"})

    assert (answer.status_code, code(answer)) == (422, "validation-failed")
    assert answer.json()["missing"] == ["policy_version"]
