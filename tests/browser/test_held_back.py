"""What a page holds back runs after a grant: once, in order, and only then (contract §11)."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.shop import Shop
from tests.browser.steps import answer, until

MARK = "window.marks.push({name!r});"
SETTLE_MS = 300


def serve(shop: Shop, *names: str) -> None:
    """Put scripts on the host that note their names when they run."""
    for name in names:
        shop.pages[f"/{name}.js"] = MARK.format(name=name)


def held(words: str, attributes: str) -> str:
    return f'<script type="text/plain" data-consent="{words}" {attributes}></script>'


def test_nothing_runs_or_loads_before_an_answer_and_after_a_refusal(page: Page, shop: Shop) -> None:
    """CON-01, CON-16."""
    serve(shop, "a")
    body = (
        held("advertising", 'src="/a.js"') + '<img alt="" data-consent="social_media" data-consent-src="/pixel?held">'
    )
    page.goto(shop.show(body))
    page.get_by_role("button", name="Reject all").click()
    until(page, "consent.get().visitor_id")
    page.wait_for_timeout(SETTLE_MS)
    targets = [one.target for one in shop.seen]
    assert "/a.js" not in targets
    assert "/pixel?held" not in targets
    assert page.evaluate("marks") == []


def test_scripts_run_in_the_order_of_the_document_and_once(page: Page, shop: Shop) -> None:
    serve(shop, "a", "c")
    shop.policy = "default-src 'self'; script-src 'self' 'nonce-n1'"
    inline = '<script type="text/plain" data-consent="statistical" nonce="n1">marks.push("b")</script>'
    page.goto(shop.show(held("statistical", 'src="/a.js"') + inline + held("statistical", 'src="/c.js"')))
    answer(page)
    until(page, "marks.length === 3")
    page.evaluate("consent.update({ personalization: false })")
    page.wait_for_timeout(SETTLE_MS)
    assert page.evaluate("marks") == ["a", "b", "c"]


def test_a_slow_script_holds_up_the_ones_after_it_unless_it_is_async(page: Page, shop: Shop) -> None:
    serve(shop, "slow", "async", "after")
    page.route("**/slow.js", lambda route: (page.wait_for_timeout(SETTLE_MS), route.continue_()))
    page.route("**/async.js", lambda route: (page.wait_for_timeout(2 * SETTLE_MS), route.continue_()))
    body = held("statistical", 'async src="/async.js"') + held("statistical", 'src="/slow.js"')
    page.goto(shop.show(body + held("statistical", 'src="/after.js"')))
    answer(page)
    until(page, "marks.length === 3")
    assert page.evaluate("marks.indexOf('slow') < marks.indexOf('after')")


def test_a_script_that_cannot_be_loaded_does_not_stop_the_others(page: Page, shop: Shop) -> None:
    serve(shop, "b")
    page.goto(shop.show(held("statistical", 'src="/missing.js"') + held("statistical", 'src="/b.js"')))
    answer(page)
    until(page, "marks.includes('b')")


def test_an_inline_script_without_the_page_s_nonce_stays_blocked_by_the_page_s_own_policy(
    page: Page, shop: Shop
) -> None:
    shop.policy = "default-src 'self'; script-src 'self'"
    page.goto(shop.show('<script type="text/plain" data-consent="statistical">marks.push("inline")</script>'))
    answer(page)
    page.wait_for_timeout(SETTLE_MS)
    assert page.evaluate("marks") == []
    assert page.evaluate("violations.splice(0)") == ["script-src-elem inline"]


def test_a_module_runs_as_a_module(page: Page, shop: Shop) -> None:
    shop.pages["/m.js"] = "import './n.js'; marks.push(import.meta.url.split('/').pop())"
    serve(shop, "n")
    page.goto(shop.show(held("statistical", 'data-type="module" src="/m.js"')))
    answer(page)
    until(page, "marks.length === 2")
    assert page.evaluate("marks") == ["n", "m.js"]


@pytest.mark.parametrize(
    ("element", "attribute"),
    [
        ('<iframe title="Video" data-consent="social_media" data-consent-src="/pixel?x"></iframe>', "src"),
        ('<img alt="" data-consent="social_media" data-consent-src="/pixel?x">', "src"),
        ('<link rel="preload" as="image" data-consent="social_media" data-consent-src="/pixel?x">', "href"),
    ],
)
def test_frames_images_and_links_load_after_a_grant(page: Page, shop: Shop, element: str, attribute: str) -> None:
    page.goto(shop.show(element))
    answer(page)
    expect(page.locator(f'main ~ [{attribute}="/pixel?x"]')).to_have_count(1)
    page.wait_for_timeout(SETTLE_MS)
    assert [one.target for one in shop.seen].count("/pixel?x") == 1


def test_of_several_words_all_must_be_allowed(page: Page, shop: Shop) -> None:
    serve(shop, "both", "one")
    page.goto(shop.show(held("statistical advertising", 'src="/both.js"') + held("statistical", 'src="/one.js"')))
    page.evaluate("consent.update({ statistical: true })")
    until(page, "marks.includes('one')")
    page.wait_for_timeout(SETTLE_MS)
    assert page.evaluate("marks") == ["one"]
    page.evaluate("consent.update({ advertising: true })")
    until(page, "marks.includes('both')")


@pytest.mark.parametrize(
    ("name", "granted", "expected"),
    [
        ("_fbp", "advertising", True),
        ("_fbp", "statistical", False),
        ("_ga_ABC123", "analytical_performance", True),
        ("never_registered", "advertising", False),
        ("toString", "advertising", False),
        ("", "advertising", False),
    ],
)
def test_a_tracker_s_name_stands_for_its_category(
    page: Page, shop: Shop, name: str, granted: str, *, expected: bool
) -> None:
    """TRK-05: what is not registered is denied; a trailing `*` of the register matches the rest."""
    page.goto(shop.show())
    page.evaluate("name => consent.update({ [name]: true })", granted)
    assert page.evaluate("name => consent.allows(name)", name) is expected


def test_an_exempt_tracker_is_allowed_where_its_category_is_refused(page: Page, shop: Shop, service) -> None:
    exempt = next(one for one in service.policy["trackers"] if one["category"] == "technical" and "exempt" in one)
    page.goto(shop.show())
    page.get_by_role("button", name="Reject all").click()
    until(page, "consent.get().visitor_id")
    assert page.evaluate("consent.allows('technical')") is False
    assert page.evaluate("name => consent.allows(name)", exempt["name"]) is True


def test_elements_added_later_are_released_too(page: Page, shop: Shop) -> None:
    serve(shop, "late")
    page.goto(shop.show())
    answer(page)
    page.evaluate(
        """() => { const box = document.createElement("div"); const script = document.createElement("script");
        script.type = "text/plain"; script.dataset.consent = "statistical"; script.setAttribute("src", "/late.js");
        box.append(script); document.body.append(box); }"""
    )
    until(page, "marks.includes('late')")


def test_a_page_may_hold_scripts_in_its_head(page: Page, shop: Shop) -> None:
    serve(shop, "early")
    page.goto(shop.show(head=held("statistical", 'src="/early.js"')))
    answer(page)
    until(page, "marks.includes('early')")


def test_whoever_granted_before_has_everything_released_on_arrival(page: Page, shop: Shop) -> None:
    serve(shop, "a")
    page.goto(shop.show(held("statistical", 'src="/a.js"')))
    answer(page)
    page.reload()
    until(page, "marks.includes('a')")
