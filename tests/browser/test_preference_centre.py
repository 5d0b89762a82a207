"""The preference centre: eight real checkboxes, what stands behind them, and the visitor's own data (issue 6 item 2)."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.policy import CATEGORIES
from tests.browser.shop import Fault, Shop
from tests.browser.steps import alter, answered, open_centre, reopen_centre, until

GRANTED = "[...document.querySelectorAll('.chx-list input:checked')].map((e) => e.name)"


def test_only_what_is_strictly_necessary_is_ticked_for_a_new_visitor(page: Page, shop: Shop) -> None:
    """CON-02, Planet49: no box is ticked beforehand."""
    open_centre(page, shop.show())
    assert page.locator(".chx-list input[type=checkbox]").count() == 8
    assert page.evaluate(GRANTED) == ["strictly_necessary"]
    expect(page.get_by_role("checkbox", name="Strictly necessary")).to_be_disabled()


def test_the_boxes_stand_in_the_order_of_the_contract_and_bear_their_titles(page: Page, shop: Shop, service) -> None:
    open_centre(page, shop.show())
    names = page.locator(".chx-list input").evaluate_all("all => all.map((e) => e.name)")
    labels = page.locator(".chx-list label span").all_inner_texts()
    assert names == list(CATEGORIES)
    assert labels == [service.policy["categories"][name]["title"]["en"] for name in CATEGORIES]


def test_every_category_names_its_trackers_providers_and_durations(page: Page, shop: Shop) -> None:
    """CON-21, TRK-10."""
    open_centre(page, shop.show())
    row = page.locator(".chx-list > li").filter(has=page.get_by_role("checkbox", name="Analytics"))
    row.locator("summary").click()
    tracker = row.locator("details li").filter(has_text="_ga").first
    expect(tracker).to_contain_text("Google")
    expect(tracker).to_contain_text("United States")
    expect(tracker).to_contain_text("2 years")
    expect(tracker.get_by_role("link")).to_have_attribute("href", "https://business.safety.google/privacy/")


def test_each_box_is_named_by_its_title_and_described_by_what_it_is_for(page: Page, shop: Shop, service) -> None:
    """Contract §11."""
    open_centre(page, shop.show())
    categories = service.policy["categories"]
    boxes = [page.get_by_role("checkbox", name=one["title"]["en"], exact=True) for one in categories.values()]
    assert [box.count() for box in boxes] == [1] * 8
    expect(boxes[0]).to_have_accessible_description(categories["technical"]["description"]["en"])


def test_each_box_is_a_choice_of_its_own(page: Page, shop: Shop) -> None:
    """CON-03, CON-15: eight explicit booleans."""
    open_centre(page, shop.show())
    page.get_by_role("checkbox", name="Statistics").check()
    page.get_by_role("checkbox", name="Functionality").check()
    page.get_by_role("button", name="Save choices").click()
    until(page, "consent.allows('statistical')")
    body = shop.writes()[0].json
    granted = {name for name, choice in body["choices"].items() if choice}
    assert (body["action"], body["method"], len(body["choices"])) == ("custom", "preferences", 8)
    assert granted == {"statistical", "functionality", "strictly_necessary"}
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_later_visit_shows_the_boxes_as_they_were_chosen(page: Page, shop: Shop) -> None:
    open_centre(page, shop.show())
    page.get_by_role("checkbox", name="Personalization").check()
    page.get_by_role("button", name="Save choices").click()
    until(page, "consent.allows('personalization')")
    page.reload()
    reopen_centre(page)
    assert page.evaluate(GRANTED) == ["personalization", "strictly_necessary"]


@pytest.mark.parametrize("way", ["Escape", "Close"])
def test_leaving_the_centre_without_saving_answers_nothing(page: Page, shop: Shop, way: str) -> None:
    open_centre(page, shop.show())
    centre = page.get_by_role("dialog", name="Choose by purpose")
    {"Escape": lambda: page.keyboard.press("Escape"), "Close": centre.get_by_role("button", name="Close").click}[way]()
    expect(centre).to_have_count(0)
    expect(page.get_by_role("dialog", name="Your privacy choices")).to_be_visible()
    assert shop.writes() == []


def test_focus_stays_inside_and_returns_to_where_it_was(page: Page, shop: Shop) -> None:
    answered(page, shop)
    reopen_centre(page)
    inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate(inside)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Privacy choices")).to_be_focused()


def test_the_three_answers_of_the_centre_are_equal_too(page: Page, shop: Shop) -> None:
    open_centre(page, shop.show())
    looks = page.locator("dialog footer button").evaluate_all(
        "all => all.map((e) => { const s = getComputedStyle(e), r = e.getBoundingClientRect();"
        "return [Math.round(r.width), Math.round(r.height), s.color, s.backgroundColor, s.fontWeight].join() })"
    )
    assert len(looks) == 3
    assert len(set(looks)) == 1


def test_one_button_withdraws_everything(page: Page, shop: Shop) -> None:
    """CON-06, CON-12: one click, one call, no body."""
    answered(page, shop)
    assert page.evaluate("consent.allows('advertising')") is True
    reopen_centre(page)
    page.get_by_role("button", name="Withdraw all consent").click()
    expect(page.get_by_role("status")).to_have_text("Your consent has been withdrawn.")
    assert (shop.writes()[-1].method, shop.writes()[-1].body) == ("DELETE", b"")
    assert page.evaluate("consent.get().categories.advertising.reason") == "withdrawn"
    assert page.evaluate(GRANTED) == ["strictly_necessary"]


def test_the_visitor_reads_the_history(page: Page, shop: Shop) -> None:
    """CON-13: history shows both the grant and what ended it."""
    answered(page, shop)
    page.evaluate("consent.withdraw()")
    reopen_centre(page)
    page.get_by_role("button", name="Show history").click()
    rows = page.locator(".chx-history li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Advertising")
    expect(rows.last).to_contain_text("Nothing allowed")


@pytest.mark.parametrize(
    ("button", "file", "member"),
    [("Download receipt", "receipt.json", "version"), ("Download my data", "data.json", "events")],
)
def test_the_visitor_takes_receipt_and_data_home(
    page: Page, shop: Shop, tmp_path: Path, button: str, file: str, member: str
) -> None:
    answered(page, shop)
    reopen_centre(page)
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    assert download.value.suggested_filename == file
    download.value.save_as(tmp_path / file)
    assert member in json.loads((tmp_path / file).read_text())


def test_erasing_asks_in_the_page_and_can_be_called_off(page: Page, shop: Shop) -> None:
    answered(page, shop)
    reopen_centre(page)
    page.get_by_role("button", name="Erase my data").click()
    expect(page.get_by_role("group", name="Erase everything")).to_contain_text("This cannot be undone.")
    expect(page.get_by_role("button", name="Yes, erase")).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Erase my data")).to_be_focused()
    assert len(shop.writes()) == 1


def test_after_erasure_the_browser_is_a_new_visitor(page: Page, shop: Shop) -> None:
    """IDN-09."""
    answered(page, shop)
    reopen_centre(page)
    page.get_by_role("button", name="Erase my data").click()
    page.get_by_role("button", name="Yes, erase").click()
    expect(page.get_by_role("status")).to_have_text("Your data has been erased.")
    assert page.evaluate("consent.get().visitor_id") is None
    assert page.evaluate("consent.allows('advertising')") is False
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length") == 0


def test_a_tool_that_fails_says_so(page: Page, shop: Shop) -> None:
    answered(page, shop)
    reopen_centre(page)
    shop.faults.append(("GET", Fault(503)))
    page.get_by_role("button", name="Show history").click()
    expect(page.get_by_role("status")).to_have_text("That did not work. Please try again.")


def test_a_link_of_the_policy_that_is_no_web_address_is_only_text(page: Page, shop: Shop) -> None:

    def change(banner: dict[str, Any]) -> None:
        banner["categories"][-1]["trackers"][0]["privacy_policy"] = "javascript:alert(1)"

    alter(page, "**/v1/banner*", change)
    open_centre(page, shop.show())
    page.locator(".chx-list summary").last.click()
    assert page.locator("dialog a[href^=javascript]").count() == 0


def test_what_a_law_wants_agreed_apart_is_asked_apart(page: Page, shop: Shop) -> None:
    """REG-08: a bundle is not enough; its boxes start empty too."""
    shop.region = "CN"
    open_centre(page, shop.show())
    box = page.get_by_role("checkbox", name="shared with the providers")
    expect(box).not_to_be_checked()
    box.check()
    page.get_by_role("button", name="Save choices").click()
    until(page, "consent.get().visitor_id")
    assert shop.writes()[0].json["separate_consents"] == ["third_party_sharing"]
    reopen_centre(page)
    expect(box).not_to_be_checked()
    page.get_by_role("button", name="Save choices").click()
    until(page, "consent.get().revision === 2")
    assert shop.writes()[1].json["separate_consents"] == []


def test_the_centre_speaks_the_visitor_s_language(page: Page, shop: Shop) -> None:
    page.goto(shop.show(lang="de"))
    page.get_by_role("button", name="Anpassen").click()
    expect(page.get_by_role("dialog").last).to_contain_text("Immer aktiv")
    assert "/static/words/de.json" in [one.target for one in shop.seen]


def test_without_its_words_and_style_the_centre_still_works(page: Page, shop: Shop) -> None:
    page.route("**/static/words/*", lambda route: route.abort())
    page.route("**/static/centre.css", lambda route: route.abort())
    open_centre(page, shop.show())
    page.get_by_role("checkbox", name="Statistics").check()
    page.get_by_role("button", name="Save choices").click()
    until(page, "consent.allows('statistical')")
