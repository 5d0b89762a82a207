"""DNT and Sec-GPC of a request, on top of a signed state."""

import pytest

from consent_client import ConsentClient
from consent_client.signals import Signals
from consent_client.testing.authority import FakeAuthority, Rules
from consent_client.testing.reasons import recorded_reason

GPC = Signals(gpc=True)

SIGNAL_CASES = [
    # request, recorded, DNT mode, GPC mode, region, tracker, reason
    (GPC, Signals(), "respect", "honor", "FR", "_fbp", "gpc"),
    (GPC, Signals(), "respect", "honor", "FR", "_ga", "granted"),
    (GPC, Signals(), "respect", "honor", "FR", "ad_frequency", "granted"),
    (GPC, Signals(), "respect", "honor_where_law_requires", "FR", "_fbp", "unavailable"),
    (Signals(), GPC, "respect", "honor", "FR", "_fbp", "gpc"),
    (Signals(), GPC, "respect", "honor", "FR", "ad_frequency", "unavailable"),
    (Signals("1"), Signals(), "record", "honor", "FR", "_ga", "granted"),
    (Signals("1"), Signals(), "respect", "honor", "FR", "_ga", "granted"),
    (Signals("1"), Signals(), "respect", "honor", "US-TX", "_ga", "unavailable"),
    (Signals("1"), Signals(), "strict", "honor", "FR", "_ga", "dnt"),
    (Signals("1"), Signals(), "strict", "honor", "FR", "lang", "granted"),
    (Signals("1"), Signals(), "strict", "honor", "FR", "session", "exempt"),
    (Signals("0"), Signals("1"), "strict", "honor", "FR", "_ga", "unavailable"),
    (Signals("0"), Signals(), "strict", "honor", "FR", "_ga", "granted"),
]


@pytest.mark.parametrize(
    ("request_signals", "recorded", "dnt_mode", "gpc_mode", "region", "name", "reason"), SIGNAL_CASES
)
def test_the_requests_signals_come_on_top_and_never_allow_more(
    request_signals: Signals, recorded: Signals, dnt_mode: str, gpc_mode: str, region: str, name: str, reason: str
) -> None:
    """SIG-06, SIG-11, SIG-12, SIG-13."""
    authority = FakeAuthority(rules=Rules(dnt_mode=dnt_mode, gpc_mode=gpc_mode), source=recorded_reason)
    visitor = authority.visitor_who_granted()
    cookie = authority.state_cookie(visitor, region=region, signals=recorded)
    headers = {"Dnt": request_signals.dnt or "", "SEC-gpc": "1" if request_signals.gpc else "0"}
    assert authority.client().from_state(cookie, headers)[name].reason == reason


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-gpc": "1"},
        {"Sec-GPC": "0, 1"},
        [("SEC-GPC", "0"), ("sec-gpc", "1")],
        [(b"sec-gpc", b"1"), (b"accept", b"*/*")],
    ],
)
def test_signals_are_read_in_whatever_form_a_framework_holds_headers(
    authority: FakeAuthority, client: ConsentClient, headers: dict[str, str] | list[tuple[str | bytes, str | bytes]]
) -> None:
    """SIG-10."""
    cookie = authority.state_cookie(authority.visitor_who_granted())
    assert client.from_state(cookie, headers)["_fbp"].reason == "gpc"


@pytest.mark.parametrize("value", ["", " ", "0", "true", "?1", "11", "1;q=1"])
def test_gpc_is_on_only_where_it_is_exactly_one(authority: FakeAuthority, client: ConsentClient, value: str) -> None:
    """SIG-09."""
    cookie = authority.state_cookie(authority.visitor_who_granted())
    assert client.from_state(cookie, {"Sec-GPC": value}).allows("_fbp")


@pytest.mark.parametrize(
    ("text", "dnt"),
    [
        ("1", "1"),
        ("0", "0"),
        ("1xyz", "1"),
        ("0, 1", "1"),
        ("2", None),
        ("null", None),
        ("", None),
        ("1,", None),
        ("yes", None),
    ],
)
def test_dnt_is_read_by_its_grammar(
    authority: FakeAuthority, client: ConsentClient, text: str, dnt: str | None
) -> None:
    """SIG-01, SIG-02, SIG-03, SIG-04."""
    cookie = authority.state_cookie(authority.visitor_who_granted())
    assert client.from_state(cookie, {"DNT": text}).signals.dnt == dnt
