"""What the browser tests share: a real Chromium, a shop with the service behind it, and pages that must stay clean."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser.policy import document
from tests.browser.service import Service, serving
from tests.browser.shop import Shop
from tests.support.chromium import FLAGS, find_chromium

ARTEFACTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
NOTES = """
window.marks = [];
window.shifts = 0;
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective + " " + event.blockedURI));
new PerformanceObserver((list) => { for (const entry of list.getEntries()) shifts += entry.value; })
  .observe({ type: "layout-shift", buffered: true });
"""
GPC = 'Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { get: () => true });'

type_of_opener = Callable[..., Page]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    # Started anew for each file: while it runs, no test of another directory could start an event loop of its own.
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
    yield started
    started.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve the sample policy; one service for all visitors of the test run, as for all visitors of a shop."""
    with serving(tmp_path_factory.mktemp("service"), document()) as started:
        yield started


@pytest.fixture
def shop(service: Service) -> Iterator[Shop]:
    """Open a shop on a host of its own, with the service behind it."""
    opened = Shop(service.handle)
    yield opened
    opened.close()


@pytest.fixture
def open_page(browser: Browser, shop: Shop) -> Iterator[type_of_opener]:
    """Open a page of a new visitor; afterwards it must have broken no policy, thrown nothing and asked no other host."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []
    asked: set[str] = set()

    allowed = {shop.url.split("/")[2], ""}

    def opener(
        *, gpc: bool = False, context: BrowserContext | None = None, hosts: Collection[str] = (), **options: Any
    ) -> Page:
        allowed.update(hosts, {shop.url.split("/")[2]})
        extra = {"extra_http_headers": {"Sec-GPC": "1"}} if gpc else {}
        opened = context or browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | extra | options))
        if context is None:
            contexts.append(opened)
            opened.add_init_script(NOTES + (GPC if gpc else ""))
            opened.on("request", lambda request: asked.add(request.url.split("/")[2]))
            opened.on("weberror", lambda error: errors.append(str(error.error)))
        return opened.new_page()

    yield opener
    violations = [
        one for context in contexts for page in context.pages for one in page.evaluate("window.violations ?? []")
    ]
    for context in contexts:
        context.close()
    assert violations == []
    assert errors == []
    assert asked <= allowed


@pytest.fixture
def page(open_page: type_of_opener) -> Page:
    return open_page()
