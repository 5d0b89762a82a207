"""A repeated request under one `Idempotency-Key` is one event (contract §4, §8; EVD-13)."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from tests.support.service import Running, code, submission

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


async def events_of(service: Running) -> int:
    """Count the entries of the evidence log."""
    return (await service.services.store.log.head("default")).size


async def test_the_first_answer_is_given_again(any_service: Running) -> None:
    async with any_service.browser() as browser:
        await browser.put("/v1/consent", json=submission())
        first = await browser.put("/v1/consent", json=submission("reject_all"), headers={"Idempotency-Key": "again"})
        second = await browser.put("/v1/consent", json=submission("reject_all"), headers={"Idempotency-Key": '"again"'})

    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert await events_of(any_service) == 2


async def test_a_replay_says_nothing_about_a_changed_status(browser: httpx.AsyncClient, visitor: str) -> None:
    """TSR-10: the first answer says `Tk: U`, its repetition changed nothing."""
    first = await browser.delete("/v1/consent", headers={"Idempotency-Key": KEY})
    second = await browser.delete("/v1/consent", headers={"Idempotency-Key": KEY})

    assert (first.headers.get("tk"), second.headers.get("tk")) == ("U", None)


async def test_a_key_stands_for_one_request_only(browser: httpx.AsyncClient, visitor: str) -> None:
    first = await browser.put("/v1/consent", json=submission("reject_all"), headers={"Idempotency-Key": KEY})
    other = await browser.put("/v1/consent", json=submission(), headers={"Idempotency-Key": KEY})
    withdrawn = await browser.delete("/v1/consent", headers={"Idempotency-Key": KEY})

    assert first.status_code == 200
    assert (other.status_code, code(other)) == (422, "idempotency-key-reused")
    assert withdrawn.status_code == 422


async def test_a_key_of_one_visitor_says_nothing_about_another(
    service: Running, browser: httpx.AsyncClient, visitor: str
) -> None:
    async with service.browser() as second:
        await second.put("/v1/consent", json=submission())
        mine = await browser.put("/v1/consent", json=submission("reject_all"), headers={"Idempotency-Key": KEY})
        theirs = await second.put("/v1/consent", json=submission("reject_all"), headers={"Idempotency-Key": KEY})

    assert "idempotency-replayed" not in theirs.headers
    assert mine.json()["visitor_id"] != theirs.json()["visitor_id"]


@pytest.mark.parametrize("key", ["x" * 256, "", " ", '"', '""', '"a"b"', "ümlaut", "a b"])
async def test_a_key_that_is_none_is_refused(browser: httpx.AsyncClient, visitor: str, key: str) -> None:
    answer = await browser.put("/v1/consent", json=submission(), headers={b"Idempotency-Key": key.encode("latin-1")})

    assert (answer.status_code, code(answer)) == (422, "invalid-input")


async def test_a_key_may_have_255_characters(browser: httpx.AsyncClient, visitor: str) -> None:
    answer = await browser.put("/v1/consent", json=submission(), headers={"Idempotency-Key": "x" * 255})

    assert answer.status_code == 200


@pytest.mark.parametrize(("method", "body"), [("PUT", submission()), ("DELETE", None)])
async def test_a_strangers_key_must_be_hard_to_guess(
    browser: httpx.AsyncClient, method: str, body: dict[str, object] | None
) -> None:
    """It is all that proves who asks."""
    answer = await browser.request(method, "/v1/consent", json=body, headers={"Idempotency-Key": "x" * 19})

    assert (answer.status_code, code(answer)) == (422, "idempotency-key-too-short")
    assert "set-cookie" not in answer.headers


async def test_a_stranger_whose_answer_was_lost_becomes_the_same_visitor(any_service: Running) -> None:
    """For ten minutes; after that the key makes a new one."""
    asked = {"Idempotency-Key": KEY}
    async with (
        any_service.browser(**asked) as lost,
        any_service.browser(**asked) as again,
        any_service.browser(**asked) as late,
    ):
        first = await lost.put("/v1/consent", json=submission())
        any_service.clock.forward(timedelta(minutes=9, seconds=59))
        second = await again.put("/v1/consent", json=submission())
        any_service.clock.forward(timedelta(seconds=2))
        third = await late.put("/v1/consent", json=submission())

    assert (first.status_code, second.status_code, third.status_code) == (201, 201, 201)
    assert second.json() == first.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert again.cookies["consent_visitor"] == lost.cookies["consent_visitor"]
    assert third.json()["visitor_id"] != first.json()["visitor_id"]
    assert await events_of(any_service) == 2


async def test_a_strangers_key_with_another_body_is_refused_and_names_nobody(service: Running) -> None:
    async with service.browser(idempotency_key=KEY) as first, service.browser(idempotency_key=KEY) as second:
        await first.put("/v1/consent", json=submission())
        answer = await second.put("/v1/consent", json=submission("reject_all"))

    assert (answer.status_code, code(answer)) == (422, "idempotency-key-reused")
    assert "set-cookie" not in answer.headers


async def test_a_hundred_at_once_are_one_event(any_service: Running) -> None:
    """B3: whoever does not get the answer is told that it is still under way."""
    async with any_service.browser() as browser:
        await browser.put("/v1/consent", json=submission())
        body, key = submission("reject_all"), {"Idempotency-Key": KEY}
        any_service.services.limits._visitor_writes = 1_000
        answers = await asyncio.gather(*(browser.put("/v1/consent", json=body, headers=key) for _ in range(100)))
        after = await browser.put("/v1/consent", json=body, headers=key)

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert {code(answer) for answer in answers if answer.status_code == 409} <= {"idempotency-in-progress"}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert after.headers["idempotency-replayed"] == "true"
    assert await events_of(any_service) == 2


async def test_a_hundred_strangers_with_one_key_are_one_visitor(any_service: Running) -> None:
    """B3."""
    async with any_service.client() as client:
        asked = {"Idempotency-Key": str(uuid4())}
        answers = await asyncio.gather(
            *(client.put("/v1/consent", json=submission(), headers=asked) for _ in range(100))
        )

    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert await events_of(any_service) == 1


async def test_the_shop_may_repeat_the_minting_of_a_visitor(shop: httpx.AsyncClient) -> None:
    first = await shop.post("/v1/visitors", headers={"Idempotency-Key": KEY})
    second = await shop.post("/v1/visitors", headers={"Idempotency-Key": KEY})

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["idempotency-replayed"] == "true"


async def test_a_refused_request_does_not_use_up_its_key(
    service: Running, browser: httpx.AsyncClient, visitor: str
) -> None:
    key = {"Idempotency-Key": KEY}
    stale = await browser.put("/v1/consent", json=submission(), headers=key | {"If-Match": '"9"'})
    taken = await browser.put("/v1/consent", json=submission(), headers=key | {"If-Match": '"1"'})

    assert (stale.status_code, taken.status_code) == (412, 200)
    assert await events_of(service) == 2
