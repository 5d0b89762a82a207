"""The page behind a mail's withdrawal link, in a real browser (TRK-04)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Route

from tests.support.service import Running, memory_store, running, submission

DONE = "Your consent has been withdrawn."


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    """Run the service on a store in memory."""
    async with running(tmp_path, memory_store(tmp_path)) as started:
        yield started


@pytest.fixture
async def reader(service: Running) -> str:
    """Mint a visitor who accepted everything, in mails as well."""
    async with service.shop() as shop:
        visitor: str = (await shop.post("/v1/visitors")).json()["visitor_id"]
        await shop.put(f"/v1/visitors/{visitor}/consent", json=submission())
        await shop.put(f"/v1/visitors/{visitor}/consent", json=submission(channel="email"))
    return visitor


def served(client: httpx.AsyncClient, faults: list[str]) -> Callable[[Route], Awaitable[None]]:
    """Answer the browser's requests from the service, header fields and all; a request to another host is a fault."""

    async def answer(route: Route) -> None:
        asked = route.request
        if urlsplit(asked.url).hostname != "consent.example":
            faults.append(asked.url)
        reply = await client.request(
            asked.method, asked.url, content=asked.post_data_buffer, headers=await asked.all_headers()
        )
        await route.fulfill(status=reply.status_code, headers=dict(reply.headers), body=reply.content)

    return answer


async def open_page(service: Running, page: Page, visitor: str) -> list[str]:
    """Open a reader's link; gives the list that faults of the page go to."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    await page.route("**/*", served(service.client(), faults))
    await page.goto(service.services.withdrawal_links.url("default", visitor))
    return faults


async def reasons(service: Running, visitor: str) -> tuple[str, str]:
    """Give the reasons for the pixel in mails and for statistics on the web."""
    asked = {"visitor_id": visitor, "trackers": ["mail_open_individual"], "categories": ["statistical"]}
    async with service.shop() as shop:
        mail, web = (await shop.post("/v1/decisions", json=asked)).json()["decisions"]
    return mail["reason"], web["reason"]


@pytest.mark.parametrize(
    ("button", "after"),
    [
        ("Stop tracking in mails", ("withdrawn", "granted")),
        ("Withdraw all consent, on the web site as well", ("withdrawn", "withdrawn")),
    ],
)
async def test_a_reader_withdraws_with_one_press_of_a_button(
    service: Running, chromium_page: Page, reader: str, button: str, after: tuple[str, str]
) -> None:
    """TRK-04: by keyboard, under the page's own strict policy, without a script or a request to another host."""
    faults = await open_page(service, chromium_page, reader)
    opened = await reasons(service, reader)
    await chromium_page.get_by_role("button", name=button).focus()
    await chromium_page.keyboard.press("Enter")
    await chromium_page.get_by_role("status").wait_for()

    assert DONE in await chromium_page.inner_text("main")
    assert (opened, await reasons(service, reader), faults) == (("granted", "granted"), after, [])
    assert await chromium_page.context.cookies() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_has_no_barriers(service: Running, chromium_page: Page, reader: str, scheme: str) -> None:
    """TRK-04: axe finds none, in either colour scheme, on a narrow phone."""
    await chromium_page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    await chromium_page.set_viewport_size({"width": 320, "height": 640})
    await open_page(service, chromium_page, reader)
    overflow = await chromium_page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = await Axe().run(chromium_page)

    assert (found.violations_count, overflow <= 0) == (0, True), found.generate_report()
