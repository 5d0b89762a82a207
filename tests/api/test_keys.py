"""Making, listing and revoking keys (contract §6)."""

import re
from hashlib import sha256

import httpx
import pytest

from consent_service.domain.vocabulary import Scope
from tests.support.service import Running, code


@pytest.mark.parametrize("scope", ["decide", "manage", "audit", "admin"])
async def test_a_key_is_shown_once(shop: httpx.AsyncClient, scope: str) -> None:
    made = await shop.post("/v1/keys", json={"scope": scope, "name": "backend", "site": "default"})
    listed = await shop.get("/v1/keys")

    entry = made.json()
    assert made.status_code == 201
    assert set(entry) == {"id", "key", "scope", "name", "site", "created_at"}
    assert re.fullmatch(rf"cs_{scope}_[A-Za-z0-9_-]{{43}}", entry["key"])
    assert (entry["scope"], entry["name"], entry["site"], entry["created_at"]) == (
        scope,
        "backend",
        "default",
        "2026-11-24T09:00:00Z",
    )
    assert listed.json() == {"keys": [{name: value for name, value in entry.items() if name != "key"}]}
    assert entry["key"] not in listed.text


async def test_only_the_hash_of_a_key_is_stored(any_service: Running) -> None:
    async with any_service.shop() as shop:
        key = (await shop.post("/v1/keys", json={"scope": "audit", "name": "x"})).json()["key"]
    stored = (await any_service.services.store.catalog.load()).keys

    assert [entry.sha256 for entry in stored] == [sha256(key.encode()).digest()]
    assert key not in repr(stored)


async def test_a_key_works_at_once_and_ends_when_it_is_revoked(any_service: Running) -> None:
    async with any_service.shop() as shop:
        made = (await shop.post("/v1/keys", json={"scope": "audit", "name": "x"})).json()
        async with any_service.shop(made["key"]) as auditor:
            before = await auditor.get("/v1/policies")
            revoked = await shop.delete(f"/v1/keys/{made['id']}")
            after = await auditor.get("/v1/policies")
        again = await shop.delete(f"/v1/keys/{made['id']}")

    assert (before.status_code, revoked.status_code, after.status_code, again.status_code) == (200, 204, 401, 404)


async def test_an_admin_key_makes_keys_of_its_own_site_only(two_sites: Running) -> None:
    async with two_sites.shop(await two_sites.key(Scope.ADMIN)) as admin:
        own = await admin.post("/v1/keys", json={"scope": "decide", "name": "x"})
        other = await admin.post("/v1/keys", json={"scope": "decide", "name": "x", "site": "other"})

    assert (own.status_code, own.json()["site"]) == (201, "default")
    assert (other.status_code, code(other)) == (403, "forbidden")


async def test_the_bootstrap_key_makes_keys_of_any_site(two_sites: Running) -> None:
    async with two_sites.shop() as shop:
        made = await shop.post("/v1/keys", json={"scope": "admin", "name": "x", "site": "other"})
    async with two_sites.shop(made.json()["key"]) as admin:
        listed = await admin.get("/v1/keys")

    assert made.status_code == 201
    assert [entry["site"] for entry in listed.json()["keys"]] == ["other"]


async def test_a_site_neither_sees_nor_revokes_the_keys_of_another(two_sites: Running) -> None:
    key = await two_sites.key(Scope.AUDIT, "other")
    entry = two_sites.services.sites.key_known(key)
    assert entry is not None
    async with two_sites.shop(await two_sites.key(Scope.ADMIN)) as admin:
        listed = await admin.get("/v1/keys")
        revoked = await admin.delete(f"/v1/keys/{entry.id}")

    assert {found["site"] for found in listed.json()["keys"]} == {"default"}
    assert revoked.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"scope": "root", "name": "x"},
        {"scope": "decide"},
        {"scope": "decide", "name": ""},
        {"scope": "decide", "name": "x" * 101},
        {"scope": "decide", "name": "two\nlines"},
        {"scope": "decide", "name": "x", "site": "Not A Slug"},
        {"scope": "decide", "name": "x", "key": "cs_decide_mine"},
        {"scope": ["decide"], "name": "x"},
    ],
)
async def test_a_key_that_cannot_be_meant_is_refused(shop: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await shop.post("/v1/keys", json=body)

    assert answer.status_code == 422


@pytest.mark.parametrize("key_id", ["none", "bootstrap", "00000000-0000-4000-8000-000000000000"])
async def test_a_key_that_is_not_there_cannot_be_revoked(shop: httpx.AsyncClient, key_id: str) -> None:
    assert (await shop.delete(f"/v1/keys/{key_id}")).status_code == 404


@pytest.mark.parametrize("key_id", ["a%00b", "x" * 65, "a'b"])
async def test_what_cannot_be_the_id_of_a_key_is_refused(shop: httpx.AsyncClient, key_id: str) -> None:
    assert (await shop.delete(f"/v1/keys/{key_id}")).status_code == 422
