"""Entity tags made of the revision, and what `If-Match` does with them (contract §4, SVC-11, SVC-12)."""

import asyncio

import httpx
import pytest

from tests.support.service import Running, code, submission


async def test_every_answer_about_a_visitor_carries_the_revision(
    browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str
) -> None:
    answers = [
        await browser.get("/v1/consent"),
        await browser.get("/v1/consent/history"),
        await browser.get("/v1/consent/receipt"),
        await browser.get("/v1/consent/export"),
        await shop.get(f"/v1/visitors/{visitor}/consent"),
        await shop.get(f"/v1/visitors/{visitor}/history"),
        await shop.get(f"/v1/visitors/{visitor}/receipt"),
        await shop.get(f"/v1/visitors/{visitor}/export"),
    ]

    assert [answer.headers.get("etag") for answer in answers] == ['"1"'] * 8


@pytest.mark.parametrize("tag", ['"1"', "*", '"7", "1"', '"7" , "1"'])
async def test_a_change_of_the_current_revision_is_taken(browser: httpx.AsyncClient, visitor: str, tag: str) -> None:
    answer = await browser.put("/v1/consent", json=submission("reject_all"), headers={"If-Match": tag})

    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')


@pytest.mark.parametrize("tag", ['"0"', '"2"', 'W/"1"', "1", '""', "nonsense", '"' + "9" * 40 + '"'])
@pytest.mark.parametrize(("method", "body"), [("PUT", submission("reject_all")), ("DELETE", None)])
async def test_a_change_of_another_revision_is_refused(
    browser: httpx.AsyncClient, visitor: str, method: str, body: dict[str, object] | None, tag: str
) -> None:
    answer = await browser.request(method, "/v1/consent", json=body, headers={"If-Match": tag})
    read = await browser.get("/v1/consent")

    assert (answer.status_code, code(answer)) == (412, "precondition-failed")
    assert "tk" not in answer.headers
    assert read.json()["revision"] == 1


async def test_a_stranger_has_nothing_that_any_revision_could_match(browser: httpx.AsyncClient) -> None:
    answer = await browser.put("/v1/consent", json=submission(), headers={"If-Match": "*"})

    assert answer.status_code == 412


async def test_the_state_is_never_answered_with_not_modified(browser: httpx.AsyncClient, visitor: str) -> None:
    answer = await browser.get("/v1/consent", headers={"If-None-Match": '"1"'})

    assert (answer.status_code, answer.json()["revision"]) == (200, 1)


async def test_of_fifty_changes_of_one_revision_one_wins(any_service: Running) -> None:
    """B3: each names the revision it has read; the others are told that it has passed."""
    async with any_service.browser() as browser:
        await browser.put("/v1/consent", json=submission())
        answers = await asyncio.gather(
            *(
                browser.put("/v1/consent", json=submission("reject_all"), headers={"If-Match": '"1"'})
                for _ in range(25)
            ),
            *(browser.delete("/v1/consent", headers={"If-Match": '"1"'}) for _ in range(25)),
        )
        read = await browser.get("/v1/consent")

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 49
    assert read.json()["revision"] == 2


async def test_the_shops_server_names_a_revision_too(shop: httpx.AsyncClient, visitor: str) -> None:
    path = f"/v1/visitors/{visitor}/restriction"
    stale = await shop.put(path, json={"restricted": True}, headers={"If-Match": '"9"'})
    current = await shop.put(path, json={"restricted": True}, headers={"If-Match": '"1"'})

    assert (stale.status_code, current.status_code, current.headers["etag"]) == (412, 200, '"2"')
