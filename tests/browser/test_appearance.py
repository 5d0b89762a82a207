"""Readable for everyone: axe, keyboard, small screens, large text, right to left, dark, still (issue 6 items 4 and 7).

Writes a picture of every state to var/artefacts/browser/ for people to look at.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.conftest import ARTEFACTS
from tests.browser.shop import Shop
from tests.browser.steps import answer, until
from tests.support.chromium import FLAGS, find_chromium

STATES = ["question", "answered", "centre", "details", "own-data", "erase", "gpc", "apart"]
DIRECTIONS = {"ltr": ("en", "Accept all", "Customize"), "rtl": ("ar", "قبول الكل", "تخصيص")}
RULES = {"resultTypes": ["violations"]}
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
OVERFLOW = """() => [...document.querySelectorAll('.chx, .chx *')].filter((e) => {
  const r = e.getBoundingClientRect();
  return r.width && (r.left < -0.5 || r.right > innerWidth + 0.5 || e.scrollWidth > e.clientWidth + 1 && e.clientWidth
    && getComputedStyle(e).display !== 'inline');
}).map((e) => e.outerHTML.slice(0, 80))"""


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong with the whole page, ours and the shop's."""
    found: list[dict[str, Any]] = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def bring_to(page: Page, shop: Shop, state: str, direction: str = "ltr") -> None:
    """Bring a new visitor's page into a state."""
    lang, accept, customize = DIRECTIONS[direction]
    shop.region = "CN" if state == "apart" else "FR"
    page.goto(shop.show(lang=lang, direction=direction))
    expect(page.get_by_role("dialog")).to_be_visible()
    if state in {"answered", "details", "own-data", "erase", "gpc"}:
        answer(page, accept)
        expect(page.locator(".chx-way")).to_be_visible()
    if state in {"centre", "apart"}:
        page.get_by_role("button", name=customize).click()
    elif state not in {"question", "answered"}:
        page.locator(".chx-way").click()
    if state == "apart":
        page.locator(".chx-signal").last.evaluate("e => e.scrollIntoView()")
    if state == "details":
        page.locator(".chx-list summary").nth(2).click()
        page.locator(".chx-list > li").nth(2).evaluate("e => e.scrollIntoView()")
    elif state in {"own-data", "erase"}:
        page.locator(".chx-tools button").first.click()
        expect(page.locator(".chx-history li")).not_to_have_count(0)
        page.locator(".chx-tools button").last.click(click_count=1 if state == "erase" else 0)
        page.locator(".chx-scroll").evaluate("e => e.scrollTo(0, e.scrollHeight)")
    page.wait_for_timeout(350)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_any_state(open_page, shop: Shop, state: str, direction: str, scheme: str) -> None:
    page = open_page(gpc=state == "gpc", color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    bring_to(page, shop, state, direction)
    assert violations(page) == []


@pytest.mark.parametrize(("scheme", "direction"), [("light", "ltr"), ("dark", "ltr"), ("light", "rtl")])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("state", STATES)
def test_nothing_is_cut_off_and_pictures_are_taken(
    open_page, shop: Shop, state: str, size: dict[str, int], scheme: str, direction: str
) -> None:
    page = open_page(gpc=state == "gpc", color_scheme=scheme, viewport=size, reduced_motion="reduce")
    bring_to(page, shop, state, direction)
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{state}-{size['width']}-{scheme}-{direction}.png")
    assert page.evaluate(OVERFLOW) == []


@pytest.mark.parametrize("lang", ["en", "de", "fr", "es"])
@pytest.mark.parametrize("state", ["question", "centre"])
def test_everything_fits_on_a_screen_of_320_pixels(open_page, shop: Shop, state: str, lang: str) -> None:
    """WCAG 1.4.10 Reflow."""
    page = open_page(viewport={"width": 320, "height": 568}, reduced_motion="reduce")
    page.goto(shop.show(lang=lang))
    layer = page.get_by_role("dialog").first
    expect(layer).to_be_visible()
    layer.locator("button.chx-button").last.click(click_count=1 if state == "centre" else 0)
    page.wait_for_timeout(350)
    page.screenshot(path=ARTEFACTS / f"{state}-320-{lang}.png")
    assert page.evaluate(OVERFLOW) == []
    page.get_by_role("dialog").last.locator("button.chx-button").last.scroll_into_view_if_needed()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
def large_text(playwright: Playwright) -> Iterator[Browser]:
    """Start a browser whose reader has set the text to 200 %."""
    args = [*FLAGS, "--blink-settings=defaultFontSize=32"]
    started = playwright.chromium.launch(executable_path=find_chromium(), args=args)
    yield started
    started.close()


@pytest.mark.parametrize("state", ["question", "centre", "own-data"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_text_of_200_percent_is_read_without_loss(
    open_page, large_text: Browser, shop: Shop, state: str, size: dict[str, int]
) -> None:
    """WCAG 1.4.4 Resize Text."""
    page = open_page(context=large_text.new_context(viewport=size, reduced_motion="reduce"))
    bring_to(page, shop, state)
    page.screenshot(path=ARTEFACTS / f"{state}-{size['width']}-text200.png")
    assert page.locator(".chx").last.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") == 32
    assert page.evaluate(OVERFLOW) == []
    page.get_by_role("dialog").last.locator("button.chx-button").last.scroll_into_view_if_needed()


@pytest.mark.parametrize("width", [320, 360, 480, 640, 1280])
def test_the_three_answers_are_of_one_size_where_large_text_breaks_their_words(
    open_page, large_text: Browser, shop: Shop, width: int
) -> None:
    """CON-05."""
    size = {"width": width, "height": 740}
    page = open_page(context=large_text.new_context(viewport=size, reduced_motion="reduce"))
    page.goto(shop.show(lang="de"))
    buttons = page.get_by_role("dialog").locator("button.chx-button")
    expect(buttons).to_have_count(3)
    sizes = buttons.evaluate_all("all => all.map((e) => [e.offsetWidth, e.offsetHeight].join())")
    assert len(set(sizes)) == 1


def test_the_whole_way_can_be_gone_by_keyboard(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Customize")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Choose by purpose")).to_be_visible()
    page.get_by_role("checkbox", name="Statistics").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save choices").focus()
    page.keyboard.press("Enter")
    until(page, "consent.allows('statistical')")
    expect(page.get_by_role("button", name="Privacy choices")).to_be_focused()


def test_focus_can_be_seen(page: Page, shop: Shop) -> None:
    """WCAG 2.4.7."""
    page.goto(shop.show())
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outline = page.evaluate(
        "(s => [s.outlineStyle, parseFloat(s.outlineWidth) >= 2])(getComputedStyle(document.activeElement))"
    )
    assert outline == ["solid", True]


@pytest.mark.parametrize(("motion", "name"), [("reduce", "none"), ("no-preference", "chx")])
def test_nothing_moves_for_whoever_asked_for_stillness(open_page, shop: Shop, motion: str, name: str) -> None:
    page = open_page(reduced_motion=motion)
    page.goto(shop.show())
    layer = page.get_by_role("dialog")
    expect(layer).to_be_visible()
    assert layer.evaluate("e => getComputedStyle(e).animationName") == name


def test_in_forced_colours_the_switches_are_the_system_s_own_boxes(open_page, shop: Shop) -> None:
    page = open_page(forced_colors="active")
    bring_to(page, shop, "centre")
    assert page.locator(".chx-list input").first.evaluate("e => getComputedStyle(e).appearance") == "auto"


def test_it_is_not_printed(page: Page, shop: Shop) -> None:
    bring_to(page, shop, "question")
    page.emulate_media(media="print")
    expect(page.locator(".chx-layer")).to_be_hidden()


@pytest.mark.parametrize(
    ("tag", "scheme", "background"),
    [
        ("", "light", "rgb(255, 255, 255)"),
        ("", "dark", "rgb(23, 28, 34)"),
        ('data-theme="dark"', "light", "rgb(23, 28, 34)"),
        ('data-theme="light"', "dark", "rgb(255, 255, 255)"),
    ],
)
def test_the_theme_follows_the_tag_then_the_browser(
    open_page, shop: Shop, tag: str, scheme: str, background: str
) -> None:
    page = open_page(color_scheme=scheme)
    page.goto(shop.show(tag=tag))
    layer = page.get_by_role("dialog")
    expect(layer).to_be_visible()
    assert layer.evaluate("e => getComputedStyle(e).backgroundColor") == background


def test_a_shop_themes_by_custom_properties(page: Page, shop: Shop) -> None:
    shop.pages["/theme.css"] = ":root { --choices-accent: rgb(120, 0, 60); --choices-radius: 2px; }"
    page.route("**/theme.css", lambda route: route.fulfill(body=shop.pages["/theme.css"], content_type="text/css"))
    page.goto(shop.show(head='<link rel="stylesheet" href="/theme.css">'))
    look = page.get_by_role("button", name="Accept all").evaluate("e => getComputedStyle(e).backgroundColor")
    assert look == "rgb(120, 0, 60)"


def test_the_shop_s_own_styles_do_not_reach_in(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    button = page.get_by_role("button", name="Accept all")
    assert button.evaluate("e => getComputedStyle(e).textTransform") == "none"
    assert page.get_by_role("dialog").evaluate("e => getComputedStyle(e).fontFamily").startswith("system-ui")


def test_no_name_of_ours_is_one_that_filter_lists_hide(page: Page, shop: Shop) -> None:
    """Lists hide by such words in ids and classes; whoever blocks the question would have refused nothing."""
    page.goto(shop.show())
    page.get_by_role("button", name="Customize").click()
    expect(page.get_by_role("dialog").last).to_be_visible()
    names = page.evaluate("[...document.querySelectorAll('.chx, .chx *')].flatMap((e) => [e.id, ...e.classList])")
    words = ("cookie", "consent", "gdpr", "ccpa", "cmp", "banner", "notice", "privacy", "popup", "modal", "overlay")
    assert [name for name in names if any(word in name.lower() for word in words)] == []
