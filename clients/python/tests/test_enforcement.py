"""What leaves the shop: the same cases over ASGI, WSGI and both of Django's ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest

from consent_client.consent import Consent
from consent_client.setcookie import parse_set_cookie

if TYPE_CHECKING:
    from conftest import Shop

Fields = list[tuple[str, str]]
Page = Callable[[Consent], Fields]


def sets(*lines: str) -> Page:
    """Make a page that sets cookies."""
    return lambda _: [("Content-Type", "text/html"), *(("Set-Cookie", line) for line in lines)]


def test_before_a_choice_only_what_is_exempt_is_set(shop: Shop) -> None:
    """CON-01: nothing before a choice, and nothing of the middleware's own."""
    answered = shop.get(sets("session=1; HttpOnly", "_ga=1; Max-Age=60", "_fbp=1", "unheard_of=1"))
    assert answered.kept == {"session": "session=1; HttpOnly"}
    assert answered.expired == set()


def test_a_page_that_sets_nothing_gets_no_cookie(shop: Shop) -> None:
    assert shop.get(sets()).all("set-cookie") == []


def test_a_granted_cookie_is_set_and_a_refused_one_is_not(shop: Shop) -> None:
    visitor = shop.authority.visitor_who_granted("analytical_performance")
    answered = shop.get(sets("_ga=1", "_fbp=1", "lang=de"), shop.authority.cookies(visitor))
    assert set(answered.kept) == {"_ga"}
    assert shop.audit.counts() == {("removed", "_fbp", "refused"): 1, ("removed", "lang", "refused"): 1}


def test_the_signed_state_spares_asking(shop: Shop) -> None:
    shop.authority.trackers = [entry for entry in shop.authority.trackers if entry["name"] != "matomo"]
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted())
    assert set(shop.get(sets("_ga=1", "_fbp=1", "x=1"), cookies).kept) == {"_ga", "_fbp"}
    assert ("POST", "/v1/decisions") not in shop.authority.calls


def test_without_a_signed_state_the_visitor_cookie_names_the_visitor(shop: Shop) -> None:
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted("analytical_performance"))
    del cookies["consent_state"]
    assert set(shop.get(sets("_ga=1", "_fbp=1"), cookies).kept) == {"_ga"}


@pytest.mark.parametrize(
    "cookie", ["", "v1..x", "v1.short.mac", "v2." + "A" * 22 + ".m", "v1." + "A" * 22 + ".m m", "x" * 9000]
)
def test_a_visitor_cookie_of_another_form_names_nobody(shop: Shop, cookie: str) -> None:
    assert shop.get(sets("_ga=1"), {"consent_visitor": cookie}).kept == {}


def test_a_lifetime_is_cut_to_what_is_left_of_the_choice(shop: Shop) -> None:
    """TRK-08: the service knows what is left of the choice, the state does not."""
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted())
    answered = shop.get(sets("_ga=1; Path=/; Max-Age=99999999", "lang=de; Max-Age=60"), cookies)
    _, _, max_age = answered.kept["_ga"].rpartition("Max-Age=")
    assert 179 * 86_400 < int(max_age) <= 180 * 86_400
    assert parse_set_cookie(answered.kept["lang"], 0).lifetime == 60


def test_what_is_declared_for_the_session_stays_no_longer(shop: Shop) -> None:
    answered = shop.get(sets("session=1; Max-Age=999; Path=/"))
    assert parse_set_cookie(answered.kept["session"], 0).lifetime is None


def test_without_the_service_a_cookie_lives_no_longer_than_the_state(shop: Shop) -> None:
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted(), lives=600)
    shop.get(sets(), cookies)
    shop.authority.away = True
    answered = shop.get(sets("_ga=1; Max-Age=99999999", "_fbp=1"), cookies)
    assert set(answered.kept) == {"_ga", "_fbp"}
    assert 590 <= (parse_set_cookie(answered.kept["_ga"], 0).lifetime or 0) <= 600


def test_a_deletion_always_passes(shop: Shop) -> None:
    answered = shop.get(sets("_ga=; Max-Age=0", "unheard_of=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"))
    assert answered.expired == {"_ga", "unheard_of"}


def test_the_services_own_cookies_pass(shop: Shop) -> None:
    answered = shop.get(sets("consent_visitor=v; HttpOnly", "consent_state=s"))
    assert set(answered.kept) == {"consent_visitor", "consent_state"}


def test_what_the_browser_holds_and_may_not_keep_is_expired(shop: Shop) -> None:
    """CON-14: HttpOnly cookies included, which page script cannot reach."""
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted("functionality"))
    held = {"_ga": "1", "_ga_ABC": "1", "stats": "1", "lang": "de", "session": "s", "unheard_of": "1"}
    answered = shop.get(sets("_ga=2"), {**cookies, **held})
    assert answered.expired == {"_ga", "_ga_ABC", "stats"}
    assert answered.kept == {}
    domains = [line for line in answered.all("set-cookie") if line.startswith("_ga=;")]
    assert len(domains) == 3


def test_an_outage_expires_nothing(shop: Shop) -> None:
    shop.get(sets())
    shop.authority.away = True
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted())
    del cookies["consent_state"]
    answered = shop.get(sets("_ga=2", "session=1"), {**cookies, "_ga": "1"})
    assert answered.expired == set()
    assert set(answered.kept) == {"session"}


def test_gpc_of_this_request_counts_at_once_and_reaches_the_service(shop: Shop) -> None:
    """SIG-12, SIG-20: the middleware forwards a signal that is not on record yet."""
    visitor = shop.authority.visitor_who_granted()
    cookies = shop.authority.cookies(visitor)
    answered = shop.get(sets("_fbp=1", "_ga=1"), cookies, sec_gpc="1")
    assert set(answered.kept) == {"_ga"}
    assert visitor.gpc
    shop.get(sets("_fbp=1"), cookies, sec_gpc="1")
    assert shop.authority.calls.count(("POST", "/v1/decisions")) == 1


def test_dnt_is_forwarded(shop: Shop) -> None:
    """SIG-07."""
    shop.options = {"region_header": "X-Region"}
    assert shop.get(sets("_ga=1"), x_region="US-TX").kept == {"_ga": "_ga=1"}
    assert shop.get(sets("_ga=1"), x_region="US-TX", dnt="1").kept == {}


@pytest.mark.parametrize("region", ["", "Texas", "US-TX; FR", "ÜS"])
def test_an_unreadable_region_gets_the_strictest_rules(shop: Shop, region: str) -> None:
    """REG-01."""
    shop.options = {"region_header": "X-Region"}
    assert shop.get(sets("_ga=1"), x_region=region).kept == {}


def test_an_exemption_of_a_region_holds_there(shop: Shop) -> None:
    shop.options = {"region_header": "X-Region"}
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted("technical"))
    assert set(shop.get(sets("matomo=1"), cookies, x_region="fr").kept) == {"matomo"}
    assert shop.get(sets("matomo=1"), cookies, x_region="de").kept == {}


def test_report_only_counts_and_changes_nothing(shop: Shop) -> None:
    shop.options = {"report_only": True}
    lines = ["_ga=1; Max-Age=99999999", "session=1; Max-Age=5", "unheard_of=1"]
    answered = shop.get(sets(*lines), {"stats": "1"})
    assert list(answered.kept.values()) == lines
    assert answered.all("vary") == []
    assert answered.expired == set()
    assert shop.audit.counts() == {
        ("would_remove", "_ga", "no_record"): 1,
        ("would_shorten", "session", "exempt"): 1,
        ("would_remove", "unheard_of", "unregistered"): 1,
        ("would_expire", "stats", "no_record"): 1,
    }
    assert shop.audit.unregistered() == ["unheard_of"]


def test_always_ask_sees_a_withdrawal_with_the_next_request(shop: Shop) -> None:
    """CON-12."""
    shop.options = {"always_ask": True}
    visitor = shop.authority.visitor_who_granted()
    cookies = shop.authority.cookies(visitor)
    assert set(shop.get(sets("_ga=1"), cookies).kept) == {"_ga"}
    visitor.refuse()
    assert shop.get(sets("_ga=1"), cookies).kept == {}
    shop.authority.away = True
    assert shop.get(sets("_ga=1"), cookies).kept == {}


def test_a_page_that_depends_on_consent_says_so_to_caches(shop: Shop) -> None:
    """SIG-23."""
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted("functionality"))

    def page(consent: Consent) -> Fields:
        assert consent.allows("lang")
        return [("Content-Type", "text/html"), ("Vary", "Accept-Encoding, cookie")]

    answered = shop.get(page, cookies)
    assert answered.all("vary") == ["Accept-Encoding, cookie, DNT, Sec-GPC"]
    assert answered.all("consent-vector") == ["00000101"]


def test_a_page_that_does_not_depend_on_consent_is_left_alone(shop: Shop) -> None:
    answered = shop.get(sets(), shop.authority.cookies(shop.authority.visitor_who_granted()))
    assert answered.fields == [("Content-Type", "text/html")]


def test_a_cache_may_key_on_the_vector_it_read_from_the_state(shop: Shop) -> None:
    shop.options = {"trust_vector": True}
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted("functionality"))
    right = shop.get(lambda c: [("Vary", c.vector and "Accept")], cookies, consent_vector="00000101")
    assert right.all("vary") == ["Accept, Consent-Vector, DNT, Sec-GPC"]
    planted = shop.get(lambda c: [("Vary", c.vector and "Accept")], cookies, consent_vector="11111111")
    assert planted.all("vary") == ["Accept, Cookie, DNT, Sec-GPC"]


def test_tags_are_written_only_where_allowed(shop: Shop) -> None:
    cookies = shop.authority.cookies(shop.authority.visitor_who_granted("analytical_performance"))
    written: list[Sequence[str]] = []

    def page(consent: Consent) -> Fields:
        written.append([consent.script("_ga", "/a.js", nonce="n0", async_=True), consent.pixel("fb_pixel", "/p.gif")])
        return []

    shop.get(page, cookies)
    assert written == [['<script src="/a.js" nonce="n0" async></script>', ""]]


def test_all_cookies_of_a_response_are_decided_in_one_call(shop: Shop) -> None:
    """TRK-07."""
    shop.get(sets(*(f"cookie{number}=1" for number in range(60)), "_ga=1"))
    assert shop.authority.calls.count(("POST", "/v1/decisions")) == 1


def test_visitors_without_an_id_are_decided_once_for_all_of_them(shop: Shop) -> None:
    for _ in range(20):
        shop.get(sets("_ga=1"))
    assert shop.authority.calls.count(("POST", "/v1/decisions")) == 1


def test_an_answer_is_never_remembered_for_another_visitor(shop: Shop) -> None:
    yes = shop.authority.cookies(shop.authority.visitor_who_granted())
    no = shop.authority.cookies(shop.authority.visitor_who_granted("technical"))
    seen = [set(shop.get(sets("_ga=1; Max-Age=9999999"), cookies).kept) for cookies in (yes, no, yes, no, {})]
    assert seen == [{"_ga"}, set(), {"_ga"}, set(), set()]
