"""Recording, withdrawing, accounts and outputs: typed errors, and a write that is tried again is one write."""

import pytest

from consent_client import AsyncConsentClient, ConsentClient, ConsentError, Problem, Unavailable
from consent_client._http import httpx
from consent_client.testing.authority import FakeAuthority


def test_a_choice_is_recorded_and_withdrawn(authority: FakeAuthority, client: ConsentClient) -> None:
    visitor_id = client.new_visitor()
    recorded = client.record(visitor_id, "accept_all")
    assert recorded["revision"] == 1
    assert client.decide(visitor_id, ["_ga"]).allows("_ga")
    client.withdraw(visitor_id)
    assert client.decide(visitor_id, ["_ga"])["_ga"].reason == "withdrawn"
    assert client.consent(visitor_id)["visitor_id"] == visitor_id


async def test_the_asynchronous_client_does_all_of_it(
    authority: FakeAuthority, async_client: AsyncConsentClient
) -> None:
    authority.outputs["meta"] = {"consent": "revoke"}
    async with async_client as client:
        visitor_id = await client.new_visitor()
        await client.record(visitor_id, "custom", dict.fromkeys(authority.categories, True), locale="de")
        await client.link_account(visitor_id, "customer 7")
        assert authority.visitors[visitor_id].account_ref == "customer 7"
        await client.unlink_account(visitor_id)
        assert authority.visitors[visitor_id].account_ref is None
        assert (await client.decide_many([{"visitor_id": visitor_id, "names": ["_ga"]}]))[0].allows("_ga")
        assert await client.output(visitor_id, "meta", region="FR") == {"consent": "revoke"}
        assert visitor_id in str((await client.withdrawal_link(visitor_id))["url"])
        await client.withdraw(visitor_id)
        assert (await client.consent(visitor_id))["revision"] == 2


def test_accounts_and_outputs(authority: FakeAuthority, client: ConsentClient) -> None:
    authority.outputs["google"] = {"update": {}}
    visitor_id = client.new_visitor()
    client.link_account(visitor_id, "customer 7")
    assert authority.visitors[visitor_id].account_ref == "customer 7"
    client.unlink_account(visitor_id)
    assert authority.visitors[visitor_id].account_ref is None
    assert client.output(visitor_id, "google") == {"update": {}}


def test_mails_are_chosen_apart_from_the_web_and_bear_a_link(authority: FakeAuthority, client: ConsentClient) -> None:
    """TRK-03, TRK-04."""
    visitor_id = client.new_visitor()
    client.record(visitor_id, "accept_all", channel="email")
    asked = ["_ga", "mail_open_individual"]
    assert [client.decide(visitor_id, asked).allows(name) for name in asked] == [False, True]
    client.withdraw(visitor_id)
    assert client.decide(visitor_id, asked)["mail_open_individual"].reason == "withdrawn"
    link = client.withdrawal_link(visitor_id)
    assert link["headers"] == {
        "List-Unsubscribe": f"<{link['url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def test_a_refusal_is_a_problem(client: ConsentClient) -> None:
    with pytest.raises(Problem) as caught:
        client.record(client.new_visitor(), "accept_all", policy_version="never published")
    assert (caught.value.status, caught.value.code) == (422, "policy-version-unknown")
    with pytest.raises(Problem) as caught:
        client.consent("Z" * 22)
    assert caught.value.status == 404


def test_a_service_that_is_away_is_unavailable(authority: FakeAuthority, client: ConsentClient) -> None:
    authority.away = True
    with pytest.raises(Unavailable):
        client.withdraw("A" * 22)
    with pytest.raises(ConsentError):
        client.record("A" * 22, "accept_all")


def test_an_empty_visitor_id_never_becomes_a_path(client: ConsentClient) -> None:
    with pytest.raises(ValueError, match="visitor id"):
        client.withdraw("")


def test_a_write_tried_again_carries_the_same_idempotency_key() -> None:
    seen: list[str] = []

    def reset_once(request: "httpx.Request") -> "httpx.Response":
        seen.append(request.headers["idempotency-key"])
        if len(seen) == 1:
            raise httpx.ReadError("reset", request=request)
        return httpx.Response(200, json={"revision": 1})

    client = ConsentClient("http://consent.test", "key", transport=httpx.MockTransport(reset_once))
    assert client.withdraw("A" * 22) == {"revision": 1}
    client.withdraw("A" * 22)
    assert seen[0] == seen[1] != seen[2]
    assert len(seen[0]) == 36


def test_a_visitor_id_cannot_leave_its_place_in_the_path() -> None:
    paths: list[bytes] = []

    def note(request: "httpx.Request") -> "httpx.Response":
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={})

    client = ConsentClient("http://consent.test", "key", transport=httpx.MockTransport(note))
    client.consent("../keys?x=")
    assert paths == [b"/v1/visitors/..%2Fkeys%3Fx%3D/consent"]
