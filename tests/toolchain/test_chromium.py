"""The browser of the tests is real, starts anywhere, and reaches nothing but this machine."""

from pathlib import Path

import pytest
from _pytest.outcomes import Failed
from playwright.async_api import Error, Page

from tests.support.chromium import find_chromium
from tests.support.ports import free_port


async def test_chromium_renders_a_page(chromium_page: Page) -> None:
    await chromium_page.goto("data:text/html;charset=utf-8,<title>Shop</title><h1 lang=zh>同意</h1>")
    assert await chromium_page.title() == "Shop"
    assert await chromium_page.inner_text("h1") == "同意"


async def test_chromium_starts_without_cookies(chromium_page: Page) -> None:
    assert await chromium_page.context.cookies() == []


async def test_chromium_reaches_no_other_machine(chromium_page: Page) -> None:
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        await chromium_page.goto("https://www.wikipedia.org/")


async def test_a_shop_under_an_example_name_is_this_machine(chromium_page: Page) -> None:
    with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
        await chromium_page.goto(f"http://shop.example:{free_port()}/")


def test_a_missing_chromium_fails_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONSENT_TEST_CHROMIUM", str(tmp_path / "none"))
    with pytest.raises(Failed, match="apt-get install chromium"):
        find_chromium()
