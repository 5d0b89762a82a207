"""Decisions from the signed `consent_state` cookie: what makes one count, and what never does."""

import base64
import json
import time
from collections.abc import Callable

import pytest

from consent_client import AsyncConsentClient, ConsentClient
from consent_client.testing.authority import FakeAuthority
from consent_client.testing.reasons import recorded_reason
from consent_client.testing.sample import everywhere, tracker
from consent_client.tokens import parse_token

ANALYTICS = "analytical_performance"


def test_a_valid_state_answers_without_a_request(authority: FakeAuthority, client: ConsentClient) -> None:
    visitor = authority.visitor_who_granted(ANALYTICS)
    cookie = authority.state_cookie(visitor)
    local = client.from_state(cookie, {})
    assert local.allows("_ga")
    assert local.allows("_ga_ABC123")
    assert local.allows(ANALYTICS)
    assert local["session"].reason == "exempt"
    assert local["_fbp"].reason == "refused"
    assert local["nobody_knows_it"].reason == "unregistered"
    assert local.visitor_id == visitor.visitor_id
    fetched = len(authority.calls)
    assert client.from_state(cookie, {}).allows("_ga")
    assert client.from_state(authority.state_cookie(authority.visitor_who_granted()), {}).allows("_fbp")
    assert len(authority.calls) == fetched == 2


async def test_the_asynchronous_client_decides_alike(
    authority: FakeAuthority, async_client: AsyncConsentClient
) -> None:
    cookie = authority.state_cookie(authority.visitor_who_granted(ANALYTICS))
    assert (await async_client.from_state(cookie)).allows("_ga")
    assert (await async_client.from_state(cookie)).allows("_ga")
    assert not (await async_client.from_state(None)).allows("_ga")


def flip(text: str, place: int) -> str:
    """Change one character."""
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


def with_header(cookie: str, header: dict[str, object]) -> str:
    """Put another protected header in."""
    vector, _, payload, signature = cookie.split(".")
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{vector}.{encoded}.{payload}.{signature}"


FORGERIES: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "vector alone": lambda cookie: cookie[:8],
    "vector changed": lambda cookie: "0" + cookie[1:],
    "no vector": lambda cookie: cookie[9:],
    "claims changed": lambda cookie: flip(cookie, len(cookie) - 120),
    "signature changed": lambda cookie: flip(cookie, len(cookie) - 10),
    "truncated": lambda cookie: cookie[:-20],
    "signature left out": lambda cookie: cookie.rpartition(".")[0] + ".",
    "something behind": lambda cookie: cookie + "A",
    "newline behind": lambda cookie: cookie + "\n",
    "oversized": lambda cookie: cookie[:9] + "A" * 5000 + cookie[9:],
    "algorithm none": lambda cookie: with_header(cookie, {"alg": "none", "kid": "x"}),
    "algorithm HS256": lambda cookie: with_header(cookie, {"alg": "HS256", "kid": "x"}),
    "no key id": lambda cookie: with_header(cookie, {"alg": "EdDSA"}),
    "a key id that is no text": lambda cookie: with_header(cookie, {"alg": "EdDSA", "kid": ["x"]}),
    "nested deeply": lambda _: f"00000000.{'W1tb' * 600}.AAAA.{'A' * 86}",
    "control characters": lambda cookie: cookie.replace(".", "\x00"),
    "not ASCII": lambda cookie: "é" * len(cookie),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_state_allows_nothing_that_needs_consent(
    authority: FakeAuthority, client: ConsentClient, forge: Callable[[str], str]
) -> None:
    genuine = authority.state_cookie(authority.visitor_who_granted())
    assert client.from_state(genuine).allows("_ga")
    local = client.from_state(forge(genuine))
    assert not local.allows("_ga")
    assert not local.allows("advertising")
    assert local.allows("session")
    assert local.visitor_id is None


WRONG_CLAIMS: dict[str, dict[str, object]] = {
    "another site": {"aud": "other"},
    "a list of sites": {"aud": ["default"]},
    "no site": {"aud": None},
    "expired": {"exp": time.time() - 1},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "9999999999"},
    "an end that is no finite number": {"exp": float("nan")},
    "a truth for an end": {"exp": True},
    "from the future": {"iat": time.time() + 3600},
    "another vector": {"cat": "00000000"},
    "a vector that is a number": {"cat": 11111111},
    "no visitor": {"sub": None},
    "an id that is none": {"sub": "a"},
    "a version that is none": {"pv": 1},
    "a signal that is no truth": {"gpc": 0},
    "an opt-out that is no truth": {"sso": "false"},
    "a regime that is no text": {"rg": None},
    "a DNT that is a number": {"dnt": 0},
}


@pytest.mark.parametrize("claims", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_signed_state_that_does_not_fit_allows_nothing(
    authority: FakeAuthority, client: ConsentClient, claims: dict[str, object]
) -> None:
    cookie = authority.state_cookie(authority.visitor_who_granted(), claims=claims)
    local = client.from_state(cookie)
    assert not local.allows("_ga")
    assert local.visitor_id is None


def test_an_oversized_state_counts_for_nothing_however_well_it_is_signed(
    authority: FakeAuthority, client: ConsentClient
) -> None:
    visitor = authority.visitor_who_granted()
    assert client.from_state(authority.state_cookie(visitor, claims={"more": "x" * 2000})).allows("_ga")
    assert not client.from_state(authority.state_cookie(visitor, claims={"more": "x" * 3000})).allows("_ga")


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": "EdDSA", "crit": ["exp"]}, {}])
def test_no_other_algorithm_and_no_critical_extension_is_accepted(
    authority: FakeAuthority, header: dict[str, object]
) -> None:
    """RFC 8725 §3.1: not even the signature is looked at."""
    genuine = authority.state_cookie(authority.visitor_who_granted())
    assert parse_token(genuine) is not None
    assert parse_token(with_header(genuine, {"kid": "x", **header})) is None


def test_another_issuer_is_refused_where_one_is_pinned(authority: FakeAuthority) -> None:
    cookie = authority.state_cookie(authority.visitor_who_granted())
    assert authority.client(issuer=authority.issuer).from_state(cookie).allows("_ga")
    assert not authority.client(issuer="https://else.test").from_state(cookie).allows("_ga")


def test_a_state_signed_by_another_authority_is_refused(authority: FakeAuthority, client: ConsentClient) -> None:
    other = FakeAuthority(source=recorded_reason)
    assert not client.from_state(other.state_cookie(other.visitor_who_granted())).allows("_ga")


def test_a_checkpoint_key_signs_no_tokens(authority: FakeAuthority) -> None:
    """Contract §6.1: a log key carries `vkey` and signs nothing else."""
    authority.log_key = "consent.test+00000000+AA"
    cookie = authority.state_cookie(authority.visitor_who_granted())
    assert not authority.client().from_state(cookie).allows("_ga")


def test_decisions_end_with_the_state(authority: FakeAuthority, client: ConsentClient) -> None:
    cookie = authority.state_cookie(authority.visitor_who_granted(), lives=900)
    local = client.from_state(cookie)
    client.core.wall = lambda: time.time() + 901
    assert not client.from_state(cookie).allows("_ga")
    held = type(local)(local.state, local.signals, local.table, client.core.wall)
    assert not held.allows("_ga")
    assert held.allows("session")


def test_an_unknown_key_is_looked_up_once(authority: FakeAuthority, client: ConsentClient) -> None:
    visitor = authority.visitor_who_granted()
    assert client.from_state(authority.state_cookie(visitor)).allows("_ga")
    authority.rotate_key()
    for _ in range(50):
        assert not client.from_state(authority.state_cookie(visitor)).allows("_ga")
    assert authority.calls.count(("GET", "/.well-known/jwks.json")) == 1
    client.core.clock = lambda: time.monotonic() + 11
    assert client.from_state(authority.state_cookie(visitor)).allows("_ga")
    assert authority.calls.count(("GET", "/.well-known/jwks.json")) == 2


def test_forged_key_ids_do_not_make_every_request_fetch(authority: FakeAuthority, client: ConsentClient) -> None:
    genuine = authority.state_cookie(authority.visitor_who_granted())
    client.from_state(genuine)
    for number in range(200):
        client.from_state(with_header(genuine, {"alg": "EdDSA", "kid": f"forged{number}"}))
    assert len(authority.calls) == 2


def test_the_memory_of_states_is_bounded(authority: FakeAuthority, client: ConsentClient) -> None:
    cookie = authority.state_cookie(authority.visitor_who_granted())
    client.core.states._size = 5
    for number in range(20):
        client.from_state(cookie, {"DNT": "1" + "x" * number})
        client.from_state(authority.state_cookie(authority.visitor_who_granted()))
    assert len(client.core.states) == 5


def test_a_new_policy_is_noticed_by_the_state(authority: FakeAuthority, client: ConsentClient) -> None:
    visitor = authority.visitor_who_granted()
    assert client.from_state(authority.state_cookie(visitor)).allows("_ga")
    authority.rules.policy_version = "2026-07-01"
    client.core.clock = lambda: time.monotonic() + 11
    assert client.from_state(authority.state_cookie(visitor)).allows("_ga")
    assert authority.calls.count(("GET", "/v1/trackers")) == 2


def test_a_state_of_another_policy_version_is_left_to_the_service(
    authority: FakeAuthority, client: ConsentClient
) -> None:
    local = client.from_state(authority.state_cookie(authority.visitor_who_granted(), claims={"pv": "2020-01-01"}))
    assert local["_ga"].reason == "unavailable"
    assert local.allows("session")


def test_the_table_is_revalidated_by_etag_and_kept_while_the_service_is_away(
    authority: FakeAuthority, client: ConsentClient
) -> None:
    cookie = authority.state_cookie(authority.visitor_who_granted(), lives=9000)
    table = client.from_state(cookie).table
    client.core.clock = lambda: time.monotonic() + 301
    assert client.from_state(cookie).table is table
    assert authority.calls.count(("GET", "/v1/trackers")) == 2
    authority.away = True
    client.core.clock = lambda: time.monotonic() + 7200
    assert client.from_state(cookie).allows("_ga")


def test_exemptions_that_hang_on_region_or_login_are_left_to_the_service(authority: FakeAuthority) -> None:
    authority.trackers = [
        tracker("here", "statistical", exempt={"basis": "audience_measurement", "regions": ["FR"]}),
        tracker("share", "social_media", exempt=everywhere("social_share_member")),
        tracker("ui", "functionality", exempt=everywhere("ui_customisation")),
    ]
    refused = authority.state_cookie(authority.visitor_who_granted("technical"))
    local = authority.client().from_state(refused)
    assert [local[name].reason for name in ("here", "share", "ui")] == ["unavailable"] * 3
    granted = authority.client().from_state(authority.state_cookie(authority.visitor_who_granted()))
    assert [granted[name].reason for name in ("here", "ui")] == ["granted", "exempt"]


def test_of_several_entries_of_a_name_all_must_allow(authority: FakeAuthority) -> None:
    authority.trackers = [tracker("both", "functionality", "P1D"), tracker("both", "advertising", "P1D")]
    client = authority.client()
    assert not client.from_state(authority.state_cookie(authority.visitor_who_granted("functionality"))).allows("both")
    assert client.from_state(authority.state_cookie(authority.visitor_who_granted())).allows("both")


def test_the_longest_pattern_speaks_for_a_name(authority: FakeAuthority) -> None:
    authority.trackers = [
        tracker("x*", "advertising"),
        tracker("x_pref*", "functionality"),
        tracker("x_pref_session", "strictly_necessary"),
    ]
    local = authority.client().from_state(authority.state_cookie(authority.visitor_who_granted("functionality")))
    allowed = {name: local.allows(name) for name in ("x", "x1", "x_pref", "x_pref_lang", "x_pref_session", "y")}
    assert allowed == {
        "x": False, "x1": False, "x_pref": True, "x_pref_lang": True, "x_pref_session": True, "y": False,
    }  # fmt: skip


def test_a_local_lifetime_ends_with_the_state(authority: FakeAuthority, client: ConsentClient) -> None:
    """TRK-08: what is left of the choice is not in the state, so no more than the state's rest is certain."""
    local = client.from_state(authority.state_cookie(authority.visitor_who_granted(), lives=600))
    assert local["_ga"].max_age in range(595, 601)
    assert local["cart"].max_age == 7 * 86_400
    assert local["session"].max_age is None
