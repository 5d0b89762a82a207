"""The newcomer's story in a real Chromium: refuse, look at the jar; agree, look again; withdraw."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.storefront.demo import Demo

ARTEFACTS = Path(__file__).parents[2] / "var" / "artefacts" / "storefront"
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
NEEDED = {"session", "consent_visitor", "consent_state"}
REGISTERED = {"_ga", "_ga_LANTERN01", "_shopify_y", "returning_visitor", "localization", "_fbp", "_gcl_au"}
SET_BY_THE_SCRIPT = {"_gid"}

Visit = Callable[[str], Awaitable[Page]]


@pytest.fixture(params=SIZES)
async def size(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def context(chromium: Browser, size: str) -> BrowserContext:
    """Open a new visitor's browser of a size; it closes with Chromium."""
    return await chromium.new_context(locale="en-US", viewport=SIZES[size], reduced_motion="reduce")


@pytest.fixture
async def page(context: BrowserContext, demo: Demo) -> Page:
    """Open the shop, and wait for the notice."""
    page = await context.new_page()
    await page.goto(demo.shop)
    await expect(page.get_by_role("button", name="Reject all")).to_be_visible(timeout=30_000)
    return page


async def jar(context: BrowserContext) -> set[str]:
    return {cookie["name"] for cookie in await context.cookies() if cookie["domain"] == "127.0.0.1"}


async def answered(page: Page, name: str) -> None:
    """Answer the notice and wait until the service has recorded it."""
    async with page.expect_response(lambda response: response.request.method in {"PUT", "DELETE"}):
        await page.get_by_role("button", name=name).click()
    await page.evaluate("consent.ready")


async def picture(page: Page, size: str, name: str, *, whole: bool = True) -> None:
    """Keep a picture of the page for whoever wants to look."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=ARTEFACTS / f"{name}-{size}.png", full_page=whole)


async def test_a_visitor_who_refuses_finds_an_honest_jar(
    page: Page, context: BrowserContext, demo: Demo, size: str
) -> None:
    hosts: set[str] = set()
    context.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    await picture(page, size, "notice", whole=False)
    await answered(page, "Reject all")
    await page.goto(f"{demo.shop}/products/teapot")
    await expect(page.get_by_text("It waits for your consent")).to_be_visible()
    await picture(page, size, "product-held")
    await page.get_by_role("button", name="Add to cart").click()
    await expect(page.get_by_role("row", name="Ember teapot")).to_be_visible()
    await picture(page, size, "cart")
    await page.get_by_role("link", name="What happened here").first.click()
    await expect(page.get_by_text("It does not know that you exist")).to_be_visible()
    await picture(page, size, "jar-refused")
    await picture(page, size, "jar-refused-top", whole=False)
    assert await jar(context) == NEEDED | {"cart"}
    assert hosts == {demo.shop.split("/")[2], demo.service.split("/")[2]}


async def test_a_visitor_who_agrees_and_withdraws_sees_it_come_and_go(
    page: Page, context: BrowserContext, demo: Demo, size: str
) -> None:
    await answered(page, "Accept all")
    await page.goto(f"{demo.shop}/products/teapot")
    await expect(page.frame_locator("iframe[title='How it is made']").get_by_role("img")).to_be_visible()
    await picture(page, size, "product-playing")
    await page.goto(f"{demo.shop}/jar")
    await expect(page.locator("#third-party").get_by_text("youtube_video")).to_be_visible()
    await picture(page, size, "jar-agreed")
    assert await jar(context) == NEEDED | REGISTERED | SET_BY_THE_SCRIPT

    await page.get_by_role("link", name="Privacy choices").click()
    await answered(page, "Withdraw all consent")
    await page.goto(f"{demo.shop}/products/mug")
    await expect(page.get_by_text("It waits for your consent")).to_be_visible()
    await page.goto(f"{demo.shop}/jar")
    await picture(page, size, "jar-withdrawn")
    assert await jar(context) == NEEDED


async def test_what_waits_starts_with_the_answer_and_without_a_reload(
    page: Page, context: BrowserContext, demo: Demo
) -> None:
    """Contract §11."""
    await page.goto(f"{demo.shop}/products/fern")
    await expect(page.get_by_role("button", name="Accept all")).to_be_visible()
    assert await page.locator("iframe[src]").count() == 0
    await page.evaluate("window.same = true")
    await answered(page, "Accept all")
    await expect(page.frame_locator("iframe[title='Like']").get_by_role("button")).to_be_visible()
    assert await page.evaluate("window.same") is True


async def test_the_shops_other_pages_are_there_to_look_at(page: Page, demo: Demo, size: str) -> None:
    await answered(page, "Reject all")
    await picture(page, size, "home")
    await page.get_by_placeholder("E-mail address").fill("you@shop.example")
    await page.get_by_label("You may see whether I open it").check()
    await page.get_by_role("button", name="Subscribe").click()
    await expect(page.get_by_role("heading", name="The lanterns are lit")).to_be_visible()
    await picture(page, size, "mail")
    await page.get_by_role("link", name="Stop measuring").click()
    await picture(page, size, "mail-withdrawal")
    await page.locator("button[value=email]").click()
    await expect(page.get_by_role("status")).to_be_visible()
    await page.goto(f"{demo.shop}/newsletter/mail")
    await expect(page.get_by_role("listitem").filter(has_text="mail_open_individual")).to_contain_text("denied")
    await page.goto(f"{demo.shop}/login")
    await picture(page, size, "login")
    await page.get_by_role("button", name="DE", exact=True).click()
    await expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()


async def faults(page: Page, address: str) -> list[str]:
    """Open a page, and say what is wrong with it: by axe's rules, and by scrolling sideways."""
    await page.goto(address)
    found = (await Axe().run(page)).response
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert found["passes"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]] + ["too wide"] * wide


async def test_every_page_is_accessible_and_fits_the_screen(page: Page, demo: Demo) -> None:
    await answered(page, "Reject all")
    paths = ["/", "/products/lantern", "/cart", "/login", "/jar", "/newsletter/mail", "/products/none"]
    assert {path: await faults(page, demo.shop + path) for path in paths} == {path: [] for path in paths}
