"""A real browser for tests: the system's Chromium, driven by Playwright, unable to reach any other machine."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MACOS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
_HELP = (
    "These tests need a real Chromium and found none. Debian, Ubuntu: apt-get install chromium; "
    "macOS: brew install --cask chromium; or name one in CONSENT_TEST_CHROMIUM."
)

# Root has no sandbox to offer; the rest keeps the browser from talking to its maker. Names under .example are this
# machine, so that a page can be a shop with a name of its own; every other name leads nowhere.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def find_chromium() -> Path:
    """Return the path of the system's Chromium, or fail the test with what to install."""
    given = os.environ.get("CONSENT_TEST_CHROMIUM")
    names = (given,) if given else (*_NAMES, *map(str, _MACOS))
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(_HELP, pytrace=False)
    return Path(found)


@pytest.fixture
async def chromium(tmp_path: Path) -> AsyncIterator[Browser]:
    """Start a headless browser for one test, with a fresh profile, and with a home of its own where HOME is unusable.

    It lives as long as the test's event loop: Playwright's objects belong to the loop that made them.
    """
    home = tmp_path / "chromium-home"
    home.mkdir()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), headless=True, args=FLAGS, env={**os.environ, "HOME": str(home)}
        )
        try:
            yield browser
        finally:
            await browser.close()


@pytest.fixture
async def chromium_context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    """Open a visitor's browser profile: no cookies, no storage, English."""
    context = await chromium.new_context(locale="en-US")
    try:
        yield context
    finally:
        await context.close()


@pytest.fixture
async def chromium_page(chromium_context: BrowserContext) -> Page:
    """Open an empty page in a fresh browser profile."""
    return await chromium_context.new_page()
