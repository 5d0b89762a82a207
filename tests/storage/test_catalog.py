"""Policies and keys in every store: immutable versions, revoked keys, and a number that tells of each change."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from consent_service.domain.errors import PolicyVersionExists
from consent_service.domain.vocabulary import Scope
from consent_service.ports import ApiKey, Store, StoredPolicy
from consent_service.storage.postgres import PostgresStore
from tests.support.builders import NOW, SITE

POLICY = StoredPolicy(SITE, "v1", "a" * 64, NOW, NOW + timedelta(days=2), b'{"version":"v1"}')
LATER = replace(POLICY, version="v2", published_at=NOW + timedelta(days=1))
KEY = ApiKey("key-1", SITE, frozenset({Scope.DECIDE, Scope.MANAGE}), "shop", b"\x01" * 32, NOW)


async def test_an_empty_store_has_no_policy_and_no_key(store: Store) -> None:
    found = await store.catalog.load()
    assert (found.policies, found.keys) == ((), ())


async def test_what_was_published_is_read_back_as_it_was(store: Store) -> None:
    await store.catalog.add_policy(POLICY)
    await store.catalog.add_policy(LATER)
    await store.catalog.add_key(KEY)
    found = await store.catalog.load()
    assert (found.policies, found.keys) == ((POLICY, LATER), (KEY,))


async def test_a_published_version_never_changes(store: Store) -> None:
    """Contract §6: a version is immutable; another document under its name is refused."""
    await store.catalog.add_policy(POLICY)
    with pytest.raises(PolicyVersionExists):
        await store.catalog.add_policy(replace(POLICY, sha256="b" * 64, document=b"{}"))
    assert (await store.catalog.load()).policies == (POLICY,)


async def test_the_same_document_again_changes_nothing(store: Store) -> None:
    await store.catalog.add_policy(POLICY)
    epoch = await store.catalog.epoch()
    await store.catalog.add_policy(replace(POLICY, published_at=NOW + timedelta(days=5)))
    assert (await store.catalog.load()).policies == (POLICY,)
    assert await store.catalog.epoch() == epoch


async def test_a_version_of_one_site_is_none_of_another(store: Store) -> None:
    await store.catalog.add_policy(POLICY)
    await store.catalog.add_policy(replace(POLICY, site="other", sha256="b" * 64))
    assert {policy.site for policy in (await store.catalog.load()).policies} == {SITE, "other"}


async def test_processes_that_publish_the_same_version_at_once_all_succeed(postgres_store: PostgresStore) -> None:
    """Contract §9: of several starting at once none falls over the others' first policy."""
    await asyncio.gather(*(postgres_store.catalog.add_policy(POLICY) for _ in range(8)))
    assert (await postgres_store.catalog.load()).policies == (POLICY,)


async def test_every_change_advances_the_number_that_replicas_watch(store: Store) -> None:
    epochs = [await store.catalog.epoch()]
    await store.catalog.add_policy(POLICY)
    epochs.append(await store.catalog.epoch())
    await store.catalog.add_key(KEY)
    epochs.append(await store.catalog.epoch())
    await store.catalog.revoke_key(SITE, KEY.id, NOW)
    epochs.append(await store.catalog.epoch())
    assert epochs == sorted(set(epochs))
    assert (await store.catalog.load()).epoch == epochs[-1]


async def test_a_revoked_key_is_gone_and_cannot_be_revoked_again(store: Store) -> None:
    await store.catalog.add_key(KEY)
    assert await store.catalog.revoke_key(SITE, KEY.id, NOW)
    assert (await store.catalog.load()).keys == ()
    assert not await store.catalog.revoke_key(SITE, KEY.id, NOW)


async def test_a_site_cannot_revoke_the_key_of_another(store: Store) -> None:
    """Contract §2: what belongs to another site is not there."""
    await store.catalog.add_key(KEY)
    assert not await store.catalog.revoke_key("other", KEY.id, NOW)
    assert (await store.catalog.load()).keys == (KEY,)
    assert await store.catalog.revoke_key(None, KEY.id, NOW)
