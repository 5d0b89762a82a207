"""Bodies over the limit are refused before they are read to the end (contract §8)."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.service import Running, code, submission

KIB = 1024
JSON = {"Content-Type": "application/json"}
SMALL = [
    ("PUT", "/v1/consent"),
    ("DELETE", "/v1/consent"),
    ("POST", "/v1/keys"),
    ("POST", "/v1/visitors"),
    ("DELETE", "/v1/consent/data"),
]


@pytest.mark.parametrize(("method", "path"), SMALL)
async def test_sixteen_kibibytes_are_the_most(service: Running, method: str, path: str) -> None:
    async with service.shop() as client:
        answer = await client.request(method, path, content=b" " * (16 * KIB + 1), headers=JSON)

    assert (answer.status_code, code(answer)) == (413, "body-too-large")


async def test_a_body_of_exactly_sixteen_kibibytes_is_read(browser: httpx.AsyncClient) -> None:
    answer = await browser.put("/v1/consent", content=b" " * (16 * KIB - 2) + b"{}", headers=JSON)

    assert (answer.status_code, code(answer)) == (422, "validation-failed")


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/policies"])
async def test_decisions_and_policies_may_have_a_mebibyte(shop: httpx.AsyncClient, path: str) -> None:
    most = await shop.post(path, content=b" " * (KIB * KIB - 2) + b"{}", headers=JSON)
    more = await shop.post(path, content=b" " * (KIB * KIB - 1) + b"{}", headers=JSON)

    assert (most.status_code, more.status_code, code(more)) == (422, 413, "body-too-large")


async def test_a_body_of_unknown_length_is_counted_as_it_comes(browser: httpx.AsyncClient) -> None:
    """No more than the limit is ever held: the sender of an endless body is stopped."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000_000:
            sent += KIB
            yield b" " * KIB

    answer = await browser.put("/v1/consent", content=endless(), headers=JSON)

    assert (answer.status_code, code(answer)) == (413, "body-too-large")


@pytest.mark.parametrize("length", ["17000", "9" * 50])
async def test_a_declared_length_is_believed_where_it_is_too_much(service: Running, length: str) -> None:
    async with service.client(JSON | {"Content-Length": length}) as client:
        answer = await client.put("/v1/consent", content=b"{}")

    assert answer.status_code == 413


async def test_a_refused_body_leaves_the_service_as_it_was(browser: httpx.AsyncClient, visitor: str) -> None:
    await browser.put("/v1/consent", content=b"x" * 100_000, headers=JSON)
    answer = await browser.put("/v1/consent", json=submission("reject_all"))

    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
