"""`window.consent` and its neighbours, as a shop's own scripts use them (contract §11)."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.shop import CONTENT, HEAD, Shop
from tests.browser.steps import answered, until

OWN_NAMES = "Object.getOwnPropertyNames(window)"


def test_ready_brings_the_consent_of_the_contract(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    consent = page.evaluate("consent.ready")
    assert (consent["site"], consent["prompt"], len(consent["categories"])) == ("default", True, 8)
    assert page.evaluate("consent.get()") == consent


def test_the_page_cannot_allow_itself_anything_by_changing_what_it_was_given(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    page.evaluate("consent.ready")
    page.evaluate(
        "() => { consent.get().categories.advertising.allow = true; try { consent.allows = () => true } catch {} }"
    )
    assert page.evaluate("consent.allows('advertising')") is False


def test_update_changes_what_it_names_and_keeps_the_rest(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    page.evaluate("consent.update({ functionality: true })")
    consent = page.evaluate("consent.update({ statistical: true })")
    granted = {name for name, state in consent["categories"].items() if state["allow"]}
    assert granted == {"strictly_necessary", "functionality", "statistical"}
    assert [one.json["method"] for one in shop.writes()] == ["api", "api"]


@pytest.mark.parametrize("choices", ["{ adverts: true }", "{ advertising: 1 }", "{ advertising: 'yes' }"])
def test_update_refuses_what_is_no_choice(page: Page, shop: Shop, choices: str) -> None:
    """CON-02: lax booleans forge consent."""
    page.goto(shop.show())
    error = page.evaluate(f"consent.update({choices}).catch((error) => error.name + ': ' + error.message)")
    assert error.startswith("TypeError: not a choice")
    assert shop.writes() == []


def test_withdraw_brings_the_recorded_consent(page: Page, shop: Shop) -> None:
    answered(page, shop)
    consent = page.evaluate("consent.withdraw()")
    assert consent["categories"]["advertising"]["reason"] == "withdrawn"


def test_open_shows_the_preference_centre_once(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    page.evaluate("Promise.all([consent.open(), consent.open()])")
    expect(page.get_by_role("dialog", name="Choose by purpose")).to_have_count(1)


def test_listeners_get_the_consent_with_the_event(page: Page, shop: Shop) -> None:
    page.add_init_script(
        "for (const name of ['ready', 'change']) document.addEventListener('consent:' + name,"
        " (event) => marks.push([name, event.detail.categories.statistical.allow]))"
    )
    page.goto(shop.show())
    page.evaluate("consent.update({ statistical: true })")
    assert page.evaluate("marks") == [["ready", False], ["change", True]]


def test_the_page_s_globals_stay_its_own(page: Page, shop: Shop) -> None:
    shop.pages["/bare"] = HEAD.format(lang="en", dir="ltr") + "</head><body></body></html>"
    page.goto(shop.url + "/bare")
    before = set(page.evaluate(OWN_NAMES))
    answered(page, shop)
    assert set(page.evaluate(OWN_NAMES)) - before == {"consent"}


def test_the_es_module_is_the_same_service(page: Page, shop: Shop) -> None:
    script = '<script type="module" src="/static/choices.mjs" data-lang="de"></script>'
    shop.pages["/use.js"] = 'import { consent } from "/static/choices.mjs"; marks.push(consent === window.consent);'
    use = '<script type="module" src="/use.js"></script>'
    shop.pages["/module"] = HEAD.format(lang="en", dir="ltr") + script + use + f"</head><body>{CONTENT}</body></html>"
    page.goto(shop.url + "/module")
    page.get_by_role("button", name="Alle ablehnen").click()
    until(page, "consent.get().visitor_id")
    assert page.evaluate("marks") == [True]


def test_a_second_tag_changes_nothing(page: Page, shop: Shop) -> None:
    page.goto(shop.show(head='<script src="/static/choices.js" defer></script>'))
    expect(page.get_by_role("dialog")).to_have_count(1)
    assert len([one for one in shop.seen if one.target.startswith("/v1/banner")]) == 1


def test_a_tag_without_defer_in_the_head_works_as_well(page: Page, shop: Shop) -> None:
    script = '<script src="/static/choices.js"></script>'
    shop.pages["/early"] = HEAD.format(lang="en", dir="ltr") + script + f"</head><body>{CONTENT}</body></html>"
    page.goto(shop.url + "/early")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_page_brought_back_by_the_browser_asks_anew(page: Page, shop: Shop) -> None:
    answered(page, shop)
    reads = len(shop.seen)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_timeout(300)
    assert [one.target for one in shop.seen[reads:]] == ["/v1/banner?lang=en"]
