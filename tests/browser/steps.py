"""Steps that several tests take with a page."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.shop import Shop

PATIENCE_S = 10


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true in the page; Playwright's own wait needs `unsafe-eval`, which no shop should grant."""
    end = time.monotonic() + PATIENCE_S
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(20)


def alter(page: Page, address: str, change: Callable[[Any], None]) -> None:
    """Change what the service answers at an address, to something that it would not say by itself."""

    def handle(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        change(body)
        route.fulfill(response=answer, json=body)

    page.route(address, handle)


def answer(page: Page, name: str = "Accept all") -> None:
    """Answer the first layer and wait until the service has recorded it."""
    page.get_by_role("button", name=name).click()
    until(page, "consent.get()?.visitor_id")


def answered(page: Page, shop: Shop, name: str = "Accept all") -> None:
    """Visit a new shop and answer."""
    page.goto(shop.show())
    answer(page, name)


def open_centre(page: Page, address: str) -> None:
    """Go from the first layer to the preference centre."""
    page.goto(address)
    page.get_by_role("button", name="Customize").click()
    expect(page.get_by_role("dialog", name="Choose by purpose")).to_be_visible()


def reopen_centre(page: Page) -> None:
    """Come back by the button that stays on the page."""
    page.get_by_role("button", name="Privacy choices").click()
    expect(page.get_by_role("dialog", name="Choose by purpose")).to_be_visible()
