"""What a visitor sees first, and how it goes away (issue 6 items 2 and 4; CON-05, CON-07, CON-09)."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.shop import Shop
from tests.browser.steps import alter, until

NAMES = ["Accept all", "Reject all", "Customize"]
EVENTS = """
for (const name of ["ready", "change", "open", "close"])
  document.addEventListener("consent:" + name, (event) => marks.push(name));
"""


def test_a_new_visitor_is_asked_in_a_dialog_that_claims_no_modality(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    layer = page.get_by_role("dialog", name="Your privacy choices")
    expect(layer).to_be_visible()
    expect(layer).not_to_have_attribute("aria-modal", "true")
    assert layer.evaluate("e => getComputedStyle(e).position") == "fixed"
    assert layer.evaluate("e => e.getRootNode() === document")


def test_the_three_answers_are_equal_in_size_and_weight(page: Page, shop: Shop) -> None:
    """CON-05 and 11 CCR 7004(a)(2): no answer is made easier than another."""
    page.goto(shop.show())
    buttons = page.get_by_role("dialog").locator("button.chx-button")
    expect(buttons).to_have_count(3)
    looks = buttons.evaluate_all(
        """all => all.map((e) => { const s = getComputedStyle(e), r = e.getBoundingClientRect();
        return [Math.round(r.width), Math.round(r.height), s.color, s.backgroundColor, s.fontSize, s.fontWeight,
                s.borderColor, s.opacity, s.boxShadow].join() })"""
    )
    assert len(looks) == 3
    assert len(set(looks)) == 1


def test_the_answers_bear_exactly_the_words_of_the_policy(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    expect(page.get_by_role("dialog").locator("button.chx-button")).to_have_text(NAMES)


@pytest.mark.parametrize("name", ["Accept all", "Reject all"])
def test_one_click_answers_and_the_layer_leaves_the_document_without_a_reload(
    page: Page, shop: Shop, name: str
) -> None:
    """CON-05: rejecting is one call of the same shape as accepting."""
    page.goto(shop.show())
    page.evaluate("window.kept = 1")
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("window.kept") == 1
    assert page.locator(".chx-layer").count() == 0


def test_accepting_and_rejecting_send_the_same_members(page: Page, shop: Shop) -> None:
    """CON-05, CON-18: no extra field, and the version of the text that was read."""
    page.goto(shop.show())
    page.get_by_role("button", name="Reject all").click()
    until(page, "consent.get().categories.advertising.choice === 'denied'")
    body = shop.writes()[0].json
    assert body == {
        "action": "reject_all", "policy_version": "2026-11-22", "locale": "en", "method": "banner", "gpc": False,
        "dnt": None,
    }  # fmt: skip


def test_nothing_on_the_page_moves_when_the_layer_comes_and_goes(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    page.get_by_role("button", name="Accept all").click()
    expect(page.get_by_role("button", name="Privacy choices")).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifts") == 0


def test_the_page_stays_usable_while_the_question_is_open(page: Page, shop: Shop) -> None:
    page.goto(shop.show("<p id=end>The end</p>" + "<p>More</p>" * 80))
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Add to cart").click()
    page.mouse.wheel(0, 600)
    until(page, "scrollY > 100")
    assert page.evaluate("getComputedStyle(document.body).overflow") == "visible"


def test_the_question_comes_first_in_tab_order_and_takes_no_focus(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("document.activeElement === document.body")
    page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('[role=dialog]')")


@pytest.mark.parametrize("how", ["close", "escape"])
def test_closing_is_recorded_as_deferred_and_grants_nothing(page: Page, shop: Shop, how: str) -> None:
    """CON-07: closing is not consent."""
    page.goto(shop.show())
    expect(page.get_by_role("dialog")).to_be_visible()
    ways = {
        "close": lambda: page.get_by_role("button", name="Close").click(),
        "escape": lambda: page.keyboard.press("Escape"),
    }
    ways[how]()
    expect(page.get_by_role("dialog")).to_have_count(0)
    until(page, "consent.get().visitor_id")
    assert shop.writes()[0].json["action"] == "dismiss"
    assert page.evaluate("consent.allows('advertising')") is False


def test_escape_in_a_field_of_the_page_is_no_answer(page: Page, shop: Shop) -> None:
    page.goto(shop.show('<input id="search" aria-label="Search">'))
    expect(page.get_by_role("dialog")).to_be_visible()
    page.locator("#search").focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert shop.writes() == []


@pytest.mark.parametrize("name", ["Accept all", "Reject all", "Close"])
def test_whoever_has_answered_is_not_asked_again_but_can_come_back(page: Page, shop: Shop, name: str) -> None:
    """CON-09."""
    page.goto(shop.show())
    page.get_by_role("button", name=name).click()
    until(page, "consent.get().visitor_id")
    page.reload()
    expect(page.get_by_role("button", name="Privacy choices")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_where_no_question_is_due_only_the_way_back_is_shown(page: Page, shop: Shop) -> None:
    shop.region = "US-TX"
    page.goto(shop.show())
    expect(page.get_by_role("button", name="Privacy choices")).to_be_visible()
    assert page.locator(".chx").count() == 1


def test_a_way_back_of_the_page_s_own_replaces_ours(page: Page, shop: Shop) -> None:
    shop.region = "US-TX"
    page.goto(shop.show('<footer><a href="/privacy" data-consent-open>Privacy choices</a></footer>'))
    page.evaluate("consent.ready")
    page.get_by_role("link", name="Privacy choices").click()
    expect(page.get_by_role("dialog", name="Choose by purpose")).to_be_visible()
    assert page.url == shop.url + "/"
    assert page.locator(".chx-way").count() == 0


def test_the_page_hears_of_every_step_in_order(page: Page, shop: Shop) -> None:
    page.add_init_script(EVENTS)
    page.goto(shop.show())
    page.get_by_role("button", name="Accept all").click()
    until(page, "marks.includes('change')")
    assert page.evaluate("marks") == ["ready", "open", "close", "change"]


def test_another_tab_follows_the_answer(page: Page, shop: Shop, open_page) -> None:
    page.goto(shop.show())
    other = open_page(context=page.context)
    other.goto(shop.url + "/")
    expect(other.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Accept all").click()
    expect(other.get_by_role("dialog")).to_have_count(0)
    assert other.evaluate("consent.allows('advertising')") is True


@pytest.mark.parametrize(
    ("lang", "accept", "back"),
    [
        ("de", "Alle akzeptieren", "Datenschutz-Auswahl"),
        ("fr", "Tout accepter", "Choix de confidentialité"),
        ("ar", "قبول الكل", "خيارات الخصوصية"),
    ],
)
def test_the_question_is_asked_in_the_language_of_the_page(
    page: Page, shop: Shop, lang: str, accept: str, back: str
) -> None:
    page.goto(shop.show(lang=lang))
    expect(page.get_by_role("dialog")).to_have_attribute("lang", lang)
    page.get_by_role("button", name=accept).click()
    expect(page.locator(".chx-way")).to_have_text(back)


def test_the_tag_names_the_language_before_the_page_does(page: Page, shop: Shop) -> None:
    page.goto(shop.show(lang="en", tag='data-lang="de"'))
    expect(page.get_by_role("button", name="Alle akzeptieren")).to_be_visible()


def test_text_of_the_policy_is_never_read_as_markup(page: Page, shop: Shop) -> None:
    body = "<img src=x onerror='window.hacked=1'><b>bold</b>"
    title = "<script>window.hacked=1</script>"
    alter(page, "**/v1/banner*", lambda banner: banner["texts"].update(body=body, title=title))
    page.goto(shop.show())
    expect(page.get_by_role("dialog")).to_contain_text("<b>bold</b>")
    assert page.evaluate("window.hacked") is None
