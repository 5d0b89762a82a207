"""What lies in the browser before and after every answer (issue 6 item 7; contract §3; CON-14)."""

from playwright.sync_api import Page

from tests.browser.shop import Shop
from tests.browser.steps import alter, answer, answered, until

OURS = {"consent_visitor", "consent_state"}
TRACK = """
document.cookie = "_fbp=1; path=/"; document.cookie = "_ga=1; path=/"; document.cookie = "_ga_X1=1; path=/";
document.cookie = "basket=1; path=/"; localStorage.setItem("kept", "1");
"""


def jar(page: Page) -> set[str]:
    return {cookie["name"] for cookie in page.context.cookies()}


def trackers(shop: Shop) -> str:
    shop.pages["/track.js"] = TRACK
    return '<script type="text/plain" data-consent="advertising analytical_performance" src="/track.js"></script>'


def test_a_visit_leaves_nothing_before_an_answer(page: Page, shop: Shop) -> None:
    page.goto(shop.show(trackers(shop)))
    page.evaluate("consent.ready")
    page.wait_for_timeout(200)
    assert jar(page) == set()
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_refusal_leaves_the_choice_and_nothing_else(page: Page, shop: Shop) -> None:
    page.goto(shop.show(trackers(shop)))
    answer(page, "Reject all")
    assert jar(page) == OURS
    assert page.evaluate("Object.keys(localStorage)") == ["choices:changed"]


def test_a_grant_lets_the_page_s_trackers_set_theirs(page: Page, shop: Shop) -> None:
    page.goto(shop.show(trackers(shop)))
    answer(page, "Accept all")
    until(page, "document.cookie.includes('_fbp')")
    assert jar(page) == OURS | {"_fbp", "_ga", "_ga_X1", "basket"}


def test_a_withdrawal_removes_what_it_had_allowed_and_only_that(page: Page, shop: Shop) -> None:
    """CON-14: by name, by the names a trailing `*` means, and whatever path or domain they were set for."""
    page.goto(shop.show(trackers(shop)))
    answer(page, "Accept all")
    until(page, "document.cookie.includes('_fbp')")
    page.evaluate("consent.withdraw()")
    assert jar(page) == OURS | {"basket"}
    assert page.evaluate("localStorage.getItem('kept')") == "1"


def test_cookies_of_a_deeper_path_are_removed_too(page: Page, shop: Shop) -> None:
    page.goto(shop.show(path="/women/coats/"))
    answer(page, "Accept all")
    page.evaluate("document.cookie = '_fbp=1; path=/women/'; document.cookie = '_gcl_au=1; path=/women/coats'")
    page.evaluate("consent.withdraw()")
    assert jar(page) == OURS


def test_storage_and_databases_are_removed_too(page: Page, shop: Shop) -> None:
    kinds = {"ls_*": "local_storage", "ss": "session_storage", "db": "indexed_db"}
    entry = {"category": "advertising", "domain": "", "path": ""}
    cleanup = [{"name": name, "kind": kind} | entry for name, kind in kinds.items()]
    answered(page, shop)
    alter(page, "**/v1/consent", lambda body: body.update(cleanup=cleanup))
    page.evaluate(
        "async () => { localStorage.ls_1 = localStorage.other = sessionStorage.ss = 1;"
        " await new Promise((done) => { indexedDB.open('db').onsuccess = ({ target }) => { target.result.close(); done() } }) }"
    )
    page.evaluate("consent.withdraw()")
    page.wait_for_timeout(200)
    assert page.evaluate("[localStorage.ls_1, localStorage.other, sessionStorage.ss ?? null]") == [None, "1", None]
    assert page.evaluate("indexedDB.databases()") == []


def test_under_gpc_no_selling_tracker_is_released_whatever_was_accepted(open_page, shop: Shop) -> None:
    """SIG-12."""
    page = open_page(gpc=True)
    page.goto(shop.show(trackers(shop)))
    answer(page, "Accept all")
    page.wait_for_timeout(200)
    assert jar(page) == OURS
