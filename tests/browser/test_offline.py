"""A choice survives the service being away, and nothing is allowed that it has not recorded (issue 6 item 5)."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.policy import SUCCESSOR, document
from tests.browser.service import serving
from tests.browser.shop import Fault, Shop
from tests.browser.steps import answer, answered, reopen_centre, until

AWAY = Fault(0)
SETTLE_MS = 400


def keys(shop: Shop) -> list[str | None]:
    return [one.headers.get("Idempotency-Key") for one in shop.writes()]


@pytest.mark.parametrize("fault", [AWAY, Fault(503), Fault(500), Fault(429)], ids=["gone", "503", "500", "429"])
def test_a_choice_is_sent_again_with_the_same_key_and_body(page: Page, shop: Shop, fault: Fault) -> None:
    """EVD-13: a retry can never be a second choice."""
    shop.faults.append(("PUT", fault))
    page.goto(shop.show())
    answer(page, "Accept all")
    first, second = shop.writes()
    assert keys(shop)[0] == keys(shop)[1]
    assert len(str(keys(shop)[0])) == 36
    assert first.body == second.body


def test_a_grant_counts_only_once_it_is_recorded(page: Page, shop: Shop) -> None:
    shop.faults.append(("PUT", Fault(503, headers=[("Retry-After", "60")])))
    page.goto(shop.show())
    page.get_by_role("button", name="Accept all").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.wait_for_timeout(SETTLE_MS)
    assert page.evaluate("consent.allows('advertising')") is False


def test_a_refusal_counts_before_it_is_recorded(page: Page, shop: Shop) -> None:
    answered(page, shop)
    shop.faults.append(("DELETE", Fault(503, headers=[("Retry-After", "60")])))
    page.evaluate("void consent.withdraw()")
    assert page.evaluate("consent.allows('advertising')") is False
    assert page.evaluate("consent.allows('strictly_necessary')") is True


def test_a_choice_waits_for_the_next_page(page: Page, shop: Shop) -> None:
    shop.faults.append(("PUT", Fault(503, headers=[("Retry-After", "60")])))
    page.goto(shop.show())
    page.get_by_role("button", name="Accept all").click()
    page.wait_for_timeout(SETTLE_MS)
    page.reload()
    until(page, "consent.allows('advertising')")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(set(keys(shop))) == 1


def test_a_choice_is_sent_as_soon_as_the_network_is_back(page: Page, shop: Shop) -> None:
    page.goto(shop.show())
    expect(page.get_by_role("dialog")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("button", name="Reject all").click()
    page.wait_for_timeout(SETTLE_MS)
    assert shop.writes() == []
    page.context.set_offline(False)
    until(page, "consent.get().visitor_id")


def test_retry_after_is_waited_for(page: Page, shop: Shop) -> None:
    """SVC-04."""
    shop.faults.append(("PUT", Fault(429, headers=[("Retry-After", "60")])))
    page.clock.install()
    page.goto(shop.show())
    with page.expect_response("**/v1/consent"):
        page.get_by_role("button", name="Accept all").click()
    page.wait_for_timeout(SETTLE_MS)
    page.clock.fast_forward(50_000)
    page.wait_for_timeout(SETTLE_MS)
    assert len(shop.writes()) == 1
    # A jump, in which time does not pass for the request itself: it may take as long as this machine needs.
    page.clock.fast_forward(30_000)
    until(page, "consent.get().visitor_id")
    assert len(shop.writes()) == 2


def test_a_waiting_choice_is_not_asked_for_again(page: Page, shop: Shop) -> None:
    shop.faults += [("PUT", Fault(503, headers=[("Retry-After", "60")]))] * 2
    page.goto(shop.show())
    page.get_by_role("button", name="Accept all").click()
    page.wait_for_timeout(SETTLE_MS)
    page.reload()
    reopen_centre(page)
    expect(page.get_by_role("status")).to_have_text("Not saved yet. We keep trying.")
    assert page.get_by_role("dialog", name="Your privacy choices").count() == 0


def test_the_last_word_counts(page: Page, shop: Shop) -> None:
    shop.faults.append(("PUT", Fault(503, headers=[("Retry-After", "60")])))
    page.goto(shop.show())
    page.get_by_role("button", name="Accept all").click()
    page.wait_for_timeout(SETTLE_MS)
    page.evaluate("consent.withdraw()")
    assert [one.method for one in shop.writes()] == ["PUT", "DELETE"]
    page.reload()
    page.evaluate("consent.ready")
    assert page.evaluate("consent.allows('advertising')") is False


def test_while_the_service_is_away_the_page_works_and_nothing_is_allowed(page: Page, shop: Shop) -> None:
    shop.faults += [("GET", AWAY)] * 100
    page.goto(shop.show())
    page.get_by_role("button", name="Add to cart").click()
    page.wait_for_timeout(SETTLE_MS)
    assert page.evaluate("consent.allows('strictly_necessary')") is False
    assert page.evaluate("consent.get()") is None
    assert page.locator(".chx").count() == 0


def test_a_link_to_the_choices_leads_where_it_leads_while_the_service_is_away(page: Page, shop: Shop) -> None:
    shop.pages["/privacy"] = "<!doctype html><title>Privacy</title>"
    page.route("**/v1/**", lambda route: route.abort())
    page.goto(shop.show('<a href="/privacy" data-consent-open>Privacy choices</a>'))
    page.get_by_role("link", name="Privacy choices").click()
    page.wait_for_url("**/privacy")


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"categories":'])
def test_an_answer_that_is_no_banner_allows_nothing_and_is_asked_for_again(page: Page, shop: Shop, body: bytes) -> None:
    shop.faults.append(("GET", Fault(200, body=body)))
    page.goto(shop.show())
    until(page, "!!window.consent")
    assert page.evaluate("consent.allows('strictly_necessary')") is False
    expect(page.get_by_role("dialog")).to_be_visible()


def test_the_question_is_asked_once_the_service_is_back(page: Page, shop: Shop) -> None:
    shop.faults.append(("GET", Fault(503)))
    page.goto(shop.show())
    expect(page.get_by_role("dialog")).to_be_visible()


def test_whoever_answered_an_outdated_text_is_shown_the_new_one(page: Page, shop: Shop, tmp_path: Path) -> None:
    """CON-11, CON-18: a choice counts for the text that was read."""
    with serving(tmp_path, document()) as service:
        shop.backend = service.handle
        page.goto(shop.show())
        expect(page.get_by_role("dialog")).to_be_visible()
        service.ask("/v1/policies", document(version=SUCCESSOR))
        page.get_by_role("button", name="Accept all").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert page.evaluate("consent.allows('advertising')") is False
        answer(page, "Accept all")
    assert [one.json["policy_version"] for one in shop.writes()] == [service.policy["version"], SUCCESSOR]


def test_a_choice_that_the_service_refuses_for_good_is_not_sent_for_ever(page: Page, shop: Shop) -> None:
    shop.faults.append(("PUT", Fault(422, "policy-version-unknown")))
    page.goto(shop.show())
    page.get_by_role("button", name="Accept all").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("localStorage.getItem('choices:pending')") is None
    assert len(shop.writes()) == 1


def test_a_choice_made_on_the_way_out_arrives(page: Page, shop: Shop) -> None:
    """SVC-08."""
    shop.pages["/next"] = "<!doctype html><title>Next</title>"
    page.goto(shop.show())
    page.get_by_role("button", name="Reject all").click(no_wait_after=True)
    page.goto(shop.url + "/next")
    page.wait_for_timeout(SETTLE_MS)
    assert [one.method for one in shop.writes()] == ["PUT"]


def test_where_storage_is_blocked_a_choice_still_works(page: Page, shop: Shop) -> None:
    page.add_init_script('Object.defineProperty(window, "localStorage", { get() { throw new Error("blocked") } })')
    shop.faults.append(("PUT", Fault(503)))
    page.goto(shop.show())
    answer(page, "Accept all")
    assert len(set(keys(shop))) == 1


def test_a_grant_that_runs_out_while_the_page_is_open_no_longer_counts(page: Page, shop: Shop) -> None:
    """CON-10."""
    answered(page, shop)
    assert page.evaluate("consent.allows('advertising')") is True
    page.clock.set_fixed_time("2100-01-01T00:00:00Z")
    assert page.evaluate("consent.allows('advertising')") is False
    assert page.evaluate("consent.allows('strictly_necessary')") is True
