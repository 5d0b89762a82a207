"""The dashboard in a real browser: log in, look around, on a phone and on a desktop, in both colour schemes."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from tests.support.busy_shop import SETTINGS, visit
from tests.support.listening import listening
from tests.support.service import BOOTSTRAP, memory_store, running

PATHS = ["", "/evidence", "/trackers", "/policies", "/keys"]
DAYS = "?from=2026-11-24&to=2026-11-25"


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """Serve two days of a shop on this machine."""
    async with running(tmp_path, memory_store(tmp_path), insecure_cookies=True, **SETTINGS) as service:
        await visit(service, 2, 30)
        service.clock.forward(-timedelta(days=1))
        async with listening(service.app) as found:
            yield found


async def open_page(browser: Browser, width: int, scheme: Literal["light", "dark"]) -> Page:
    """Open a browser of this width and taste."""
    context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    return await context.new_page()


async def log_in(page: Page, address: str) -> None:
    """Log in by the form."""
    await page.goto(f"{address}/ops")
    await page.get_by_label("Key").fill(BOOTSTRAP)
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{address}/ops")


async def violations(page: Page) -> list[Any]:
    """Give what axe finds wrong with a page."""
    found = (await Axe().run(page)).response["violations"]
    return [(item["id"], [node["html"] for node in item["nodes"]][:3]) for item in found]


async def look_around(page: Page, address: str) -> tuple[dict[str, list[Any]], set[int]]:
    """Go through all pages; gives what axe finds on each, and how wide they are."""
    found, widths = {}, set()
    for path in PATHS:
        await page.goto(f"{address}/ops{path}{DAYS}")
        found[path] = await violations(page)
        widths.add(await page.evaluate("document.documentElement.scrollWidth"))
    return found, widths


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
async def test_every_page_is_accessible_fits_and_stays_on_its_host(
    chromium: Browser, address: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    """Axe finds nothing, no page is wider than its window, nothing is blocked by the policy or asked of another host."""
    page = await open_page(chromium, width, scheme)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(f"{address}/ops")
    assert await violations(page) == []
    await log_in(page, address)
    found, widths = await look_around(page, address)
    assert found == {path: [] for path in PATHS}
    assert widths == {width}
    assert complaints == []
    assert {url for url in asked if not url.startswith((address, "data:"))} == set()


async def test_a_keyboard_alone_logs_in_and_out(chromium: Browser, address: str) -> None:
    page = await open_page(chromium, 1280, "light")
    await page.goto(f"{address}/ops")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.type(BOOTSTRAP)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{address}/ops")
    await page.get_by_role("button", name="Log out").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{address}/ops/login")
    assert await page.get_by_role("heading", name="Log in").is_visible()


async def test_a_wrong_key_is_told_and_not_kept(chromium: Browser, address: str) -> None:
    page = await open_page(chromium, 390, "light")
    await page.goto(f"{address}/ops/login")
    await page.get_by_label("Key").fill("cs_audit_wrong")
    await page.get_by_role("button", name="Log in").click()
    alert = page.get_by_role("alert")
    assert "no living key" in await alert.inner_text()
    assert await page.get_by_label("Key").input_value() == ""
