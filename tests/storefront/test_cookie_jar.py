"""The whole story over HTTP: what the shop's visitor finds in the cookie jar, whatever the shop tries."""

import pytest

from consent_client import CATEGORIES
from examples.storefront.cookies import TRACKING
from tests.storefront.demo import Browser, Demo

OWN = {"consent_visitor", "consent_state"}
NEEDED = {"session", "cart", "lang"}
TRACKERS = {cookie.name for cookie in TRACKING}
UNREGISTERED = {"checkout_experiment"}
ADVERTISING = {"_fbp", "_gcl_au"}
EACH_CATEGORY = {
    "advertising": ADVERTISING,
    "analytical_performance": {"_ga", "_ga_LANTERN01"},
    "functionality": {"returning_visitor"},
    "personalization": {"localization"},
    "statistical": {"_shopify_y"},
    "social_media": set(),
    "technical": set(),
}


def shop_around(browser: Browser) -> None:
    """Do what shoppers do: look, put something into the cart, choose a language."""
    browser.look()
    browser.look("/products/teapot")
    browser.send("/cart", slug="teapot")
    browser.send("/language", lang="de", back="/cart")


def test_before_an_answer_only_what_was_asked_for_is_stored(browser: Browser) -> None:
    """CON-01."""
    shop_around(browser)
    assert browser.jar == NEEDED


def test_after_a_refusal_the_shop_works_and_stores_nothing_more(browser: Browser) -> None:
    """CON-16."""
    browser.choose("reject_all")
    shop_around(browser)
    assert browser.jar == NEEDED | OWN
    assert "Teekanne Glut" in browser.look("/cart").text


def test_after_an_agreement_everything_registered_is_stored_and_no_longer_than_the_choice(browser: Browser) -> None:
    """TRK-05, TRK-08."""
    browser.choose("accept_all")
    shop_around(browser)
    assert browser.jar == NEEDED | OWN | TRACKERS - UNREGISTERED
    assert 0 < browser.seconds_left("_ga") <= 184 * 86_400


@pytest.mark.parametrize("category", sorted(EACH_CATEGORY))
def test_each_category_brings_its_own_cookies_and_no_others(browser: Browser, category: str) -> None:
    """CON-15."""
    choices = {name: name in {category, "strictly_necessary"} for name in CATEGORIES}
    browser.choose("custom", choices=choices)
    browser.look()
    assert browser.jar - OWN - {"session"} == EACH_CATEGORY[category]


def test_a_withdrawal_empties_the_jar_with_the_next_page(browser: Browser) -> None:
    """CON-12, CON-14: what no script could delete, being HttpOnly, goes too."""
    browser.choose("accept_all")
    browser.look()
    assert {"returning_visitor", "_ga"} <= browser.jar
    browser.withdraw()
    browser.look()
    assert browser.jar == {"session"} | OWN
    assert "you withdrew your consent" in browser.panel("kept-out")["_ga"]


def test_a_signal_stops_sale_and_sharing_over_an_agreement_and_leaves_the_rest(demo: Demo) -> None:
    """SIG-12, SIG-13."""
    browser = demo.browser(Sec_GPC="1")
    browser.choose("accept_all")
    page = browser.look()
    assert browser.jar & TRACKERS == TRACKERS - UNREGISTERED - ADVERTISING
    assert "/pixel.gif" not in page.text
    assert "Global Privacy Control" in browser.panel("kept-out")["meta_pixel"]


def test_a_signal_takes_back_what_was_set_before_it(browser: Browser) -> None:
    """SIG-12: with the same response."""
    browser.choose("accept_all")
    browser.look()
    assert browser.jar >= ADVERTISING
    browser.look(**{"Sec-GPC": "1"})
    assert not browser.jar & ADVERTISING


def test_do_not_track_is_shown_and_keeps_what_this_policy_says_it_keeps(demo: Demo) -> None:
    """The sample policy's mode is `record`: without an answer nothing is set, and an answer holds (contract §5)."""
    browser = demo.browser(DNT="1")
    browser.look()
    assert browser.jar == {"session"}
    assert "DNT: 1" in browser.look("/jar").text
    browser.choose("accept_all")
    browser.look()
    assert "_ga" in browser.jar


def test_the_page_says_why_each_tracker_was_kept_out(browser: Browser) -> None:
    browser.choose("reject_all")
    browser.look("/products/teapot")
    kept_out = browser.panel("kept-out")
    assert set(kept_out) == TRACKERS | {"meta_pixel", "google_analytics", "facebook_like", "youtube_video"}
    assert "you refused" in kept_out["_fbp"]
    assert "no policy names it" in kept_out["checkout_experiment"]
    assert browser.panel("third-party") == {}


def test_pages_differ_by_consent_and_say_so_to_caches(browser: Browser) -> None:
    before = browser.look().headers
    browser.choose("accept_all")
    after = browser.look().headers
    assert {"Cookie", "DNT", "Sec-GPC"} <= set(before["vary"].split(", "))
    assert (before["consent-vector"], after["consent-vector"]) == ("00000100", "11111111")


def test_the_shop_can_prove_what_was_kept_from_leaking(browser: Browser) -> None:
    browser.look()
    counted = browser.look("/metrics").text
    assert 'consent_audit_total{outcome="removed",tracker="_ga",reason="no_record"}' in counted
    assert 'consent_audit_total{outcome="removed",tracker="checkout_experiment",reason="unregistered"}' in counted
