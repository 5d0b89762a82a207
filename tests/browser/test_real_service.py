"""Banner and service, each as it is: what is recorded, what the shop's servers then decide, and pages of other origins."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import type_of_opener
from tests.browser.policy import CATEGORIES, document
from tests.browser.service import Service, serving
from tests.browser.shop import CONTENT, HEAD, Shop
from tests.browser.steps import answer, answered, reopen_centre, until
from tests.browser.test_build import ROOT

FETCH = (
    "async ([path, headers]) => { const r = await fetch(path, { headers }); return [r.status, r.headers.get('etag')] }"
)


def visitor(page: Page) -> str:
    found: str = page.evaluate("consent.get().visitor_id")
    return found


def history(service: Service, page: Page) -> list[dict[str, Any]]:
    """Give the visitor's events as the shop's staff sees them."""
    events: list[dict[str, Any]] = service.ask(f"/v1/visitors/{visitor(page)}/history")["events"]
    return events


def test_every_step_of_a_visitor_is_recorded_as_it_was_made(page: Page, shop: Shop, service: Service) -> None:
    """CON-13, CON-18: what, how, in which language and under which text."""
    page.goto(shop.show(lang="de"))
    answer(page, "Alle akzeptieren")
    page.evaluate("consent.update({ advertising: false })")
    page.evaluate("consent.withdraw()")
    events = history(service, page)
    assert [(one["event_type"], one["method"]) for one in events] == [
        ("given", "banner"), ("changed", "api"), ("withdrawn", "preferences"),
    ]  # fmt: skip
    assert {one["policy_version"] for one in events} == {service.policy["version"]}
    assert {one["region"] for one in events} == {"FR"}
    assert events[0]["locale"] == "de"
    assert events[1]["choices"] == dict.fromkeys(CATEGORIES, True) | {"advertising": False}


def test_the_readable_cookie_holds_the_choices_of_all_eight(page: Page, shop: Shop) -> None:
    """Contract §3: one character for each category, and a signed token that a read renews."""
    page.goto(shop.show())
    page.evaluate("consent.update({ statistical: true })")
    cookies = {one["name"]: one for one in page.context.cookies()}
    assert page.evaluate("document.cookie.match(/consent_state=([01]{8})\\./)[1]") == "00010100"
    assert [cookies["consent_visitor"][name] for name in ("httpOnly", "secure", "sameSite")] == [True, True, "Lax"]
    assert [cookies["consent_state"][name] for name in ("httpOnly", "secure", "sameSite")] == [False, True, "Lax"]


@pytest.mark.parametrize(
    ("region", "gpc", "script"),
    [
        ("FR", False, "consent.ready"),
        ("FR", False, "consent.update({ advertising: true, social_media: true, statistical: true })"),
        ("FR", False, "consent.withdraw()"),
        ("US-CA", True, "consent.update({ advertising: true, statistical: true, personalization: true })"),
        ("CN", False, "consent.update({ advertising: true, functionality: true })"),
        ("DE", True, "consent.update({ analytical_performance: true, social_media: true })"),
    ],
)
def test_the_page_never_allows_what_the_service_denies(
    open_page: type_of_opener, shop: Shop, service: Service, region: str, script: str, *, gpc: bool
) -> None:
    """For every tracker of the policy, by name."""
    shop.region = region
    page = open_page(gpc=gpc)
    page.goto(shop.show())
    page.evaluate("consent.ready")
    page.evaluate(script)
    names = [one["name"].replace("*", "x") for one in service.policy["trackers"]]
    known = page.evaluate("consent.get().visitor_id") or "AAAAAAAAAAAAAAAAAAAAAA"
    question = {"visitor_id": known, "region": region, "gpc": gpc, "trackers": names, "categories": list(CATEGORIES)}
    decisions = service.ask("/v1/decisions", question)["decisions"]
    server = {one.get("tracker", one["category"]) for one in decisions if one["allow"]}
    here = set(page.evaluate("names => names.filter(consent.allows)", [*names, *CATEGORIES]))
    assert here <= server
    assert {"consent_state", "session", "strictly_necessary"} <= here


@pytest.mark.parametrize("gpc", [False, True])
@pytest.mark.parametrize(
    "granted", [[], ["advertising"], ["advertising", "social_media"], ["statistical", "analytical_performance"]]
)
def test_platforms_hear_from_the_page_what_the_service_would_tell_them(
    open_page: type_of_opener, shop: Shop, service: Service, granted: list[str], *, gpc: bool
) -> None:
    """OUT-01 to OUT-04: one truth, two ways to it."""
    shop.region = "US-CA" if gpc else "FR"
    page = open_page(gpc=gpc)
    page.add_init_script("window.fbq = (...args) => marks.push(args)")
    page.goto(shop.show(tag='data-google="basic" data-uet data-clarity data-meta'))
    page.evaluate("choices => consent.update(choices)", {name: name in granted for name in CATEGORIES[:5]})
    said = json.loads(
        page.evaluate(
            "JSON.stringify([Array.from(dataLayer.at(-1)).at(-1), uetq.at(-1), Array.from(clarity.q.at(-1)).at(-1)])"
        )
    )
    path = f"/v1/visitors/{visitor(page)}/outputs/%s?region={shop.region}"
    meta = service.ask(path % "meta")
    assert said[0] == service.ask(path % "google")["update"]
    assert said[1] == service.ask(path % "uet")
    assert said[2] == service.ask(path % "clarity")
    assert page.evaluate("marks.filter((call) => call[0] === 'consent').at(-1)") == ["consent", meta["consent"]]
    assert page.evaluate("marks.at(-1)[1]") == meta["data_processing_options"]


def test_after_erasure_the_service_knows_the_visitor_no_more(page: Page, shop: Shop, service: Service) -> None:
    """IDN-09."""
    answered(page, shop)
    known = visitor(page)
    reopen_centre(page)
    page.get_by_role("button", name="Erase my data").click()
    page.get_by_role("button", name="Yes, erase").click()
    expect(page.get_by_role("status")).to_have_text("Your data has been erased.")
    with pytest.raises(OSError, match="404"):
        service.ask(f"/v1/visitors/{known}/history")


def test_the_policy_part_is_asked_for_again_without_being_sent_again(page: Page, shop: Shop) -> None:
    """SVC-11: 304 for what holds no visitor's state."""
    page.goto(shop.show())
    status, tag = page.evaluate(FETCH, ["/v1/banner?state=0&lang=en", {}])
    assert (status, tag is not None) == (200, True)
    assert page.evaluate(FETCH, ["/v1/banner?state=0&lang=en", {"If-None-Match": tag}])[0] == 304
    assert page.evaluate(FETCH, ["/v1/banner?state=0&lang=de", {"If-None-Match": tag}])[0] == 200


def test_a_device_is_told_once_that_the_account_s_choices_apply(
    page: Page, open_page: type_of_opener, shop: Shop, tmp_path: Path
) -> None:
    """IDN-06."""
    with serving(tmp_path, document(cross_device=True)) as service:
        shop.backend = service.handle
        answered(page, shop)
        other = open_page()
        other.goto(shop.show())
        answer(other, "Reject all")
        account = {"account_ref": "customer-1"}
        service.ask(f"/v1/visitors/{visitor(page)}/account", account, "PUT")
        service.ask(f"/v1/visitors/{visitor(other)}/account", account, "PUT")
        other.reload()
        expect(other.locator(".chx-way")).to_contain_text("Your account’s choices apply here too.")
        other.reload()
        expect(other.locator(".chx-way")).to_have_text("Privacy choices")


@pytest.fixture
def elsewhere(shop: Shop, tmp_path: Path) -> Iterator[Service]:
    """Serve on a host of its own beside the shop's: consent.shop.example for shop.example."""
    port = shop.url.rsplit(":", 1)[1]
    shop.url = f"http://shop.example:{port}"
    with serving(tmp_path, document(origins=[shop.url]), CONSENT_INSECURE_COOKIES="1", CONSENT_DEV="0") as service:
        service.address = service.address.replace("127.0.0.1", "consent.shop.example")
        shop.policy = f"default-src 'self' {service.address}"
        yield service


def tag_of_the_readme(address: str) -> str:
    """Take the installation line as it stands in the README."""
    readme = (ROOT / "README.md").read_text("utf-8")
    tag = readme[readme.index("<script src=") : readme.index("</script>") + len("</script>")]
    return tag.replace("https://consent.shop.example", address)


def test_the_line_of_the_readme_works_from_a_host_of_its_own(
    open_page: type_of_opener, shop: Shop, elsewhere: Service
) -> None:
    """CORS, integrity, `default-src 'self'` with the service's host, and no secure context."""
    page = open_page(hosts={elsewhere.address.removeprefix("http://")})
    script = tag_of_the_readme(elsewhere.address)
    shop.pages["/"] = HEAD.format(lang="en", dir="ltr") + script + f"</head><body>{CONTENT}</body></html>"
    page.goto(shop.url)
    answer(page, "Accept all")
    page.reload()
    reopen_centre(page)
    page.get_by_role("button", name="Withdraw all consent").click()
    expect(page.get_by_role("status")).to_have_text("Your consent has been withdrawn.")
    assert {(one["name"], one["domain"]) for one in page.context.cookies()} == {
        ("consent_visitor", "consent.shop.example"),
        ("consent_state", "consent.shop.example"),
    }
    assert page.evaluate("isSecureContext") is False


def test_a_page_that_the_policy_does_not_name_is_told_nothing(
    open_page: type_of_opener, shop: Shop, elsewhere: Service
) -> None:
    """SIG-24: fails closed, and quietly."""
    shop.url = shop.url.replace("shop.example", "stranger.example")
    page = open_page(hosts={elsewhere.address.removeprefix("http://")})
    script = tag_of_the_readme(elsewhere.address)
    shop.pages["/"] = HEAD.format(lang="en", dir="ltr") + script + f"</head><body>{CONTENT}</body></html>"
    with page.expect_event("requestfailed", lambda request: "/v1/banner" in request.url):
        page.goto(shop.url)
    until(page, "!!window.consent")
    assert page.evaluate("[consent.get(), consent.allows('strictly_necessary')]") == [None, False]
    assert page.locator(".chx").count() == 0
