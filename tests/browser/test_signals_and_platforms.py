"""GPC in the page (SIG-19, SIG-25), and what the ad platforms are told (rules.md §2.2, §2.3)."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.policy import CATEGORIES
from tests.browser.shop import Shop
from tests.browser.steps import answer, reopen_centre, until

TYPES = (
    "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage",
    "personalization_storage", "security_storage",
)  # fmt: skip
LAST = "Object.fromEntries(Object.entries(dataLayer.filter((a) => a[0] === 'consent').at(-1)))"


def test_an_honoured_signal_is_shown_on_the_page_and_in_the_centre(open_page, shop: Shop) -> None:
    """SIG-19, 11 CCR 7025(c)(6): as a text, and as a control that is off."""
    page = open_page(gpc=True)
    shop.region = "US-CA"
    page.goto(shop.show())
    expect(page.get_by_role("button", name="Privacy choices")).to_contain_text("Opt-Out Request Honored")
    expect(page.get_by_role("dialog")).to_have_count(0)
    reopen_centre(page)
    expect(page.locator(".chx-signal .chx-honored")).to_have_text("Opt-Out Request Honored")
    box = page.get_by_role("checkbox", name="Sale and sharing of my data")
    expect(box).not_to_be_checked()
    expect(box).to_be_disabled()
    expect(page.locator(".chx-signal label")).to_contain_text("Opted out")


def test_an_honoured_signal_is_shown_beside_a_way_back_of_the_page_s_own(open_page, shop: Shop) -> None:
    """SIG-19."""
    page = open_page(gpc=True)
    shop.region = "US-CA"
    page.goto(shop.show('<a href="/privacy" data-consent-open>Privacy choices</a>'))
    expect(page.locator(".chx-way")).to_contain_text("Opt-Out Request Honored")


def test_without_the_signal_nothing_is_said_of_it(page: Page, shop: Shop) -> None:
    shop.region = "US-CA"
    page.goto(shop.show())
    reopen_centre(page)
    expect(page.get_by_text("Opt-Out Request Honored")).to_have_count(0)


def test_the_signal_is_sent_as_page_script_sees_it(open_page, shop: Shop) -> None:
    """SIG-25."""
    page = open_page(gpc=True)
    page.add_init_script('Object.defineProperty(Navigator.prototype, "doNotTrack", { get: () => "1" })')
    page.goto(shop.show())
    answer(page, "Accept all")
    assert (shop.writes()[0].json["gpc"], shop.writes()[0].json["dnt"]) == (True, "1")


def test_a_signal_that_a_proxy_took_away_still_stops_selling(page: Page, shop: Shop) -> None:
    """SIG-12, SIG-25: the browser shows it to page script, and that is enough here."""
    page.add_init_script('Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true })')
    shop.region = "US-CA"
    page.goto(shop.show())
    page.evaluate("consent.ready")
    assert page.evaluate("consent.allows('advertising')") is False
    assert page.evaluate("consent.allows('functionality')") is True


def grant(page: Page, names: set[str]) -> None:
    page.evaluate(
        "choices => consent.update(choices)",
        {name: name in names for name in CATEGORIES} | {"strictly_necessary": True},
    )


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (set(), "ddddddg"),
        (set(CATEGORIES), "ggggggg"),
        ({"statistical"}, "ddddddg"),
        ({"statistical", "analytical_performance"}, "dddgddg"),
        ({"personalization"}, "dddddgg"),
        ({"functionality"}, "ddddgdg"),
        ({"advertising"}, "gggdddg"),
        ({"social_media"}, "ddddddg"),
    ],
)
def test_google_is_told_what_the_table_says(page: Page, shop: Shop, granted: set[str], expected: str) -> None:
    """OUT-01: the truth table of rules.md §2.2."""
    page.goto(shop.show(tag='data-google="basic"'))
    grant(page, granted)
    said = page.evaluate(LAST)
    assert (said["0"], said["1"]) == ("consent", "update")
    assert tuple(said["2"]) == TYPES
    assert "".join(said["2"][name][0] for name in TYPES) == expected


def test_under_gpc_no_ad_type_is_granted(open_page, shop: Shop) -> None:
    """OUT-01, row "all + Sec-GPC: 1"."""
    page = open_page(gpc=True)
    page.goto(shop.show(tag='data-google="basic"'))
    grant(page, set(CATEGORIES))
    said = page.evaluate(LAST)["2"]
    assert "".join(said[name][0] for name in TYPES) == "dddgggg"


@pytest.mark.parametrize(("mode", "wait", "redaction"), [("basic", None, 0), ("advanced", 500, 1)])
def test_google_hears_denied_before_anything_is_known(
    page: Page, shop: Shop, mode: str, wait: int | None, redaction: int
) -> None:
    """OUT-02: the default comes first, with everything but security denied."""
    page.route("**/v1/banner*", lambda route: route.abort())
    page.goto(shop.show(tag=f'data-google="{mode}"'))
    said = json.loads(page.evaluate("JSON.stringify(dataLayer.map((a) => Array.from(a)))"))
    assert said[0][:2] == ["consent", "default"]
    assert "".join(said[0][2][name][0] for name in TYPES) == "ddddddg"
    assert said[0][2].get("wait_for_update") == wait
    assert said.count(["set", "ads_data_redaction", True]) == redaction


def test_microsoft_is_told_with_its_own_spelling(page: Page, shop: Shop) -> None:
    """OUT-03: capital S in Clarity's keys."""
    page.goto(shop.show(tag="data-uet data-clarity"))
    page.evaluate("consent.update({ advertising: true })")
    assert page.evaluate("uetq") == [
        "consent", "default", {"ad_storage": "denied"}, "consent", "update", {"ad_storage": "denied"},
        "consent", "update", {"ad_storage": "granted"},
    ]  # fmt: skip
    calls = json.loads(page.evaluate("JSON.stringify(clarity.q.map((a) => Array.from(a)))"))
    assert calls[0] == ["consentv2", {"ad_Storage": "denied", "analytics_Storage": "denied"}]
    assert calls[-1] == ["consentv2", {"ad_Storage": "granted", "analytics_Storage": "denied"}]


@pytest.mark.parametrize(
    ("granted", "word"),
    [
        ({"advertising"}, "revoke"),
        ({"social_media"}, "revoke"),
        ({"advertising", "social_media"}, "grant"),
        (set(), "revoke"),
    ],
)
def test_meta_is_granted_only_with_advertising_and_social_media(
    page: Page, shop: Shop, granted: set[str], word: str
) -> None:
    """OUT-04."""
    page.add_init_script("window.fbq = (...args) => marks.push(args)")
    page.goto(shop.show(tag="data-meta"))
    grant(page, granted)
    consents = [call for call in page.evaluate("marks") if call[0] == "consent"]
    assert consents[0] == ["consent", "revoke"]
    assert consents[-1] == ["consent", word]


def test_under_gpc_meta_is_revoked_and_told_to_limit_its_use(open_page, shop: Shop) -> None:
    """OUT-04."""
    page = open_page(gpc=True)
    page.add_init_script("window.fbq = (...args) => marks.push(args)")
    page.goto(shop.show(tag="data-meta"))
    grant(page, set(CATEGORIES))
    assert page.evaluate("marks.slice(-2)") == [["consent", "revoke"], ["dataProcessingOptions", ["LDU"], 0, 0]]


def test_platforms_hear_nothing_unless_the_tag_asks_so(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    answer(page)
    until(page, "consent.allows('advertising')")
    assert page.evaluate("[typeof dataLayer, typeof uetq, typeof clarity, typeof fbq]") == ["undefined"] * 4
