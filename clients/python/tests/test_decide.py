"""What a shop asks, and what it is answered."""

import pytest

from consent_client import AsyncConsentClient, ConsentClient
from consent_client._http import httpx
from consent_client.testing.authority import FakeAuthority

ANALYTICS = "analytical_performance"


def test_a_granted_tracker_is_allowed_with_its_reason_and_lifetime(
    authority: FakeAuthority, client: ConsentClient
) -> None:
    visitor = authority.visitor_who_granted(ANALYTICS)
    answer = client.decide(visitor.visitor_id, ["_ga", "_fbp", "session", ANALYTICS])
    assert (answer["_ga"].allow, answer["_ga"].reason) == (True, "granted")
    assert 0 < (answer["_ga"].max_age or 0) <= 180 * 86_400
    assert not answer.allows("_fbp")
    assert answer["session"].reason == "exempt"
    assert answer.allows(ANALYTICS)
    assert list(answer) == ["_ga", "_fbp", "session", ANALYTICS]
    assert not answer.degraded


async def test_both_clients_answer_alike(authority: FakeAuthority, async_client: AsyncConsentClient) -> None:
    visitor = authority.visitor_who_granted(ANALYTICS)
    answer = await async_client.decide(visitor.visitor_id, ["_ga", "_fbp"])
    assert (answer.allows("_ga"), answer.allows("_fbp")) == (True, False)
    assert dict(answer.items()) == dict(authority.client().decide(visitor.visitor_id, ["_ga", "_fbp"]).items())


def test_one_name_may_be_asked_as_a_plain_text(authority: FakeAuthority, client: ConsentClient) -> None:
    assert client.decide(authority.visitor_who_granted().visitor_id, "_ga").allows("_ga")


def test_a_name_that_was_not_asked_is_denied(authority: FakeAuthority, client: ConsentClient) -> None:
    answer = client.decide(authority.visitor_who_granted().visitor_id, ["_ga"])
    assert not answer.allows("session")


def test_nothing_asked_makes_no_request(authority: FakeAuthority, client: ConsentClient) -> None:
    assert len(client.decide(authority.visitor().visitor_id, [])) == 0
    assert authority.calls == []


def test_gpc_denies_what_sells_over_a_grant(authority: FakeAuthority, client: ConsentClient) -> None:
    """SIG-12, SIG-13."""
    visitor = authority.visitor_who_granted()
    answer = client.decide(visitor.visitor_id, ["_fbp", "_ga"], gpc=True)
    assert answer["_fbp"].reason == "gpc"
    assert answer.allows("_ga")


@pytest.mark.parametrize("dnt", ["1", "1xyz", "0, 1"])
def test_a_forwarded_header_text_counts_as_the_header_would(
    authority: FakeAuthority, client: ConsentClient, dnt: str
) -> None:
    """SIG-02, SIG-04: decide takes the header as it came."""
    authority.rules.dnt_mode = "strict"
    assert client.decide(authority.visitor_who_granted().visitor_id, ["_ga"], dnt=dnt)["_ga"].reason == "dnt"


def test_a_visitor_without_id_is_answered_like_a_new_one(client: ConsentClient) -> None:
    assert client.decide(None, ["_ga"], region="FR")["_ga"].reason == "no_record"
    assert client.decide(None, ["_ga"], region="US-TX")["_ga"].reason == "region_default"


@pytest.mark.parametrize("visitor_id", ["", "short", "A" * 23, "../../v1/keys", "ä" * 22])
def test_what_is_no_visitor_id_is_denied_without_asking(
    authority: FakeAuthority, client: ConsentClient, visitor_id: str
) -> None:
    assert client.decide(visitor_id, ["_ga"])["_ga"].reason == "unavailable"
    assert authority.calls == []


def test_more_names_than_fit_one_visitor_are_asked_in_one_call_all_the_same(
    authority: FakeAuthority, client: ConsentClient
) -> None:
    names = [f"tracker{number}" for number in range(450)]
    answer = client.decide(authority.visitor_who_granted().visitor_id, [*names, "_ga"])
    assert len(answer) == 451
    assert answer.allows("_ga")
    assert authority.calls == [("POST", "/v1/decisions")]


@pytest.mark.parametrize("name", ["", "x" * 256, "a\nb", "\ud800", "\0"])
def test_a_name_that_the_service_would_refuse_costs_the_others_nothing(
    authority: FakeAuthority, client: ConsentClient, name: str
) -> None:
    answer = client.decide(authority.visitor_who_granted().visitor_id, [name, "_ga"])
    assert (answer.allows(name), answer.allows("_ga")) == (False, True)
    assert not client.decide(authority.visitor_who_granted().visitor_id, [name]).allows(name)
    assert authority.calls == [("POST", "/v1/decisions")]


def test_a_mailing_is_decided_in_few_calls_and_in_order(authority: FakeAuthority, client: ConsentClient) -> None:
    """TRK-03: e-mail is chosen apart from the web."""
    yes, no = authority.visitor(), authority.visitor_who_granted()
    yes.email["advertising"] = "granted"
    visitors = [yes, no] * 1250
    answers = client.decide_many({"visitor_id": v.visitor_id, "names": ["mail_open_individual"]} for v in visitors)
    assert [a.allows("mail_open_individual") for a in answers] == [True, False] * 1250
    assert authority.calls == [("POST", "/v1/decisions")] * 3


def test_a_batch_takes_the_contracts_own_members(authority: FakeAuthority, client: ConsentClient) -> None:
    visitor = authority.visitor_who_granted(ANALYTICS)
    request = {"visitor_id": visitor.visitor_id, "trackers": ["_ga"], "categories": ["advertising"], "region": "FR"}
    [answer, faulty] = client.decide_many([request, {"visitor_id": 5, "trackers": ["_ga"]}])
    assert (answer.allows("_ga"), answer.allows("advertising")) == (True, False)
    assert not faulty.allows("_ga")


GARBAGE = [
    b"",
    b"no json",
    b"[]",
    b"null",
    b"{}",
    b'{"decisions": 5}',
    b'{"decisions": [5, null, {}]}',
    b'{"decisions": [{"tracker": "_ga", "allow": "true", "reason": "granted"}]}',
    b'{"decisions": [{"tracker": "_ga", "allow": 1, "reason": "granted"}]}',
    b'{"decisions": [{"tracker": "_ga", "allow": true}]}',
    b'{"decisions": [{"tracker": "_ga", "allow": true, "reason": "refused"}]}',
    b'{"decisions": [{"tracker": "_ga", "allow": true, "reason": "because"}]}',
    b'{"decisions": [{"tracker": "_ga", "allow": false, "reason": "granted"}]}',
    b'{"decisions": [{"tracker": "other", "allow": true, "reason": "granted"}]}',
    b'{"decisions": [{"tracker": "_ga", "allow": true, "reason": "granted"},'
    b' {"tracker": "_ga", "allow": false, "reason": "refused"}]}',
    b'{"degraded": true, "decisions": [{"tracker": "_ga", "allow": true, "reason": "granted"}]}',
    b'{"decisions": [{"category": "_ga", "allow": true, "reason": "granted"}]}',
    b"[" * 100_000,
    b"\xff\xfe\x00",
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.parametrize("status", [200, 204, 302, 404, 500])
def test_garbage_denies_and_never_raises(body: bytes, status: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    client = ConsentClient("http://consent.test", "key", transport=transport)
    visitor_id = "B" * 22
    assert not client.decide(visitor_id, ["_ga"]).allows("_ga")
    assert not client.decide_many([{"visitor_id": visitor_id, "names": ["_ga"]}])[0].allows("_ga")
    assert not client.from_state("00000000.a.b." + "c" * 86).allows("_ga")


def test_a_batch_whose_rows_belong_to_somebody_else_is_denied() -> None:
    body = {
        "results": [{"visitor_id": "C" * 22, "decisions": [{"tracker": "_ga", "allow": True, "reason": "granted"}]}]
    }
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=body))
    client = ConsentClient("http://consent.test", "key", transport=transport)
    assert not client.decide_many([{"visitor_id": "B" * 22, "names": ["_ga"]}])[0].allows("_ga")


def test_without_the_service_only_what_is_known_to_be_exempt_everywhere_is_allowed(
    authority: FakeAuthority, client: ConsentClient
) -> None:
    """SVC-01."""
    visitor = authority.visitor_who_granted()
    authority.away = True
    assert client.decide(visitor.visitor_id, ["strictly_necessary"]).allows("strictly_necessary")
    assert not client.decide(visitor.visitor_id, ["session"]).allows("session")
    authority.away = False
    client.from_state(None)  # fetches the tracker table
    authority.away = True
    answer = client.decide(visitor.visitor_id, ["session", "cart", "matomo", "_ga", "unheard_of", "advertising"])
    assert {name for name, given in answer.items() if given.allow} == {"session", "cart"}
    assert answer.degraded
