"""Advanced Data Protection Control over HTTP: announced, read on every request, stored once per change (OUT-11)."""

import re

import httpx
import pytest

from tests.support.builders import document
from tests.support.service import STRANGER, Running, submission

DOCUMENT = "/v1/consent/signals/adpc"
WITHDRAW_ALL = {"ADPC": "withdraw=*"}
OBJECT = {"ADPC": "object=direct-marketing"}
STATISTICS = {"ADPC": "consent=statistical.v1"}


def reason(answer: httpx.Response, category: str = "statistical") -> str:
    """Give the reason for a category."""
    found: str = answer.json()["categories"][category]["reason"]
    return found


async def events(browser: httpx.AsyncClient) -> list[tuple[str, str]]:
    """Give what was recorded, by type and method."""
    found = (await browser.get("/v1/consent/history")).json()["events"]
    return [(event["event_type"], event["method"]) for event in found]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/consent"), ("HEAD", "/v1/consent"), ("GET", "/v1/banner")])
async def test_a_browser_is_told_where_the_consent_requests_are(
    browser: httpx.AsyncClient, method: str, path: str
) -> None:
    """OUT-11: `Link` with the relation `consent-requests`, and a document with a request for each category."""
    answer = await browser.request(method, path)
    listed = await browser.get(DOCUMENT)
    ids = [request["id"] for request in listed.json()["consentRequests"]]

    assert answer.headers["link"] == f'<https://consent.example{DOCUMENT}>; rel="consent-requests"'
    assert (listed.status_code, listed.headers["content-type"]) == (200, "application/json")
    assert ids == [f"{name}.v1" for name in document()["categories"] if name != "strictly_necessary"]
    assert "set-cookie" not in listed.headers


@pytest.mark.parametrize("name", ["nothing", "ADPC", "%00", "x" * 40])
async def test_a_signal_that_nobody_knows_has_no_document(browser: httpx.AsyncClient, name: str) -> None:
    """REG-11."""
    assert (await browser.get(f"/v1/consent/signals/{name}")).status_code in {404, 422}


async def test_a_withdrawal_by_signal_stops_the_same_answer_and_every_later_one(
    browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str
) -> None:
    """OUT-11, CON-12: stored once, as an event of its own that names the signal."""
    at_once = await browser.get("/v1/consent", headers=WITHDRAW_ALL)
    repeated = await browser.get("/v1/consent", headers=WITHDRAW_ALL)
    later = await shop.get(f"/v1/visitors/{visitor}/decisions?region=FR")

    assert [reason(answer) for answer in (at_once, repeated, later)] == ["withdrawn"] * 3
    assert await events(browser) == [("given", "banner"), ("withdrawn", "signal")]


async def test_a_head_request_is_heard(browser: httpx.AsyncClient, visitor: str) -> None:
    """OUT-11: HEAD is processed as GET is."""
    answer = await browser.head("/v1/consent", headers=WITHDRAW_ALL)

    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert reason(await browser.get("/v1/consent")) == "withdrawn"


async def test_the_specific_stands_before_the_general(browser: httpx.AsyncClient) -> None:
    """OUT-11: `withdraw=*` beside a consent to one request leaves that one."""
    await browser.put("/v1/consent", json=submission("dismiss"))
    answer = await browser.get("/v1/consent", headers={"ADPC": "withdraw=*, consent=statistical.v1"})

    assert (reason(answer), reason(answer, "advertising")) == ("granted", "refused")


@pytest.mark.parametrize("field", ["consent=*", 'consent="* statistical"', "consent=statistical", "consent", '"', "ü"])
async def test_nobody_consents_to_everything_or_to_what_was_not_asked(browser: httpx.AsyncClient, field: str) -> None:
    """OUT-11: `consent=*` is ignored, and so is malformed text: never an error and never an allow."""
    await browser.put("/v1/consent", json=submission("dismiss"))
    answer = await browser.get("/v1/consent", headers=[(b"ADPC", field.encode())])

    assert (answer.status_code, reason(answer)) == (200, "no_record")
    assert await events(browser) == [("dismissed", "banner")]


async def test_a_consent_by_signal_never_brings_back_what_was_refused_here(browser: httpx.AsyncClient) -> None:
    """CON-20: a browser repeats its header with every request."""
    await browser.put("/v1/consent", json=submission("reject_all"))

    assert reason(await browser.get("/v1/consent", headers=STATISTICS)) == "refused"


async def test_an_answer_and_a_signal_of_one_request_are_both_recorded(browser: httpx.AsyncClient) -> None:
    """OUT-11: the protective part of the signal stands over the grant that it came with."""
    answer = await browser.put("/v1/consent", json=submission(), headers=OBJECT)

    assert (answer.status_code, reason(answer, "advertising"), reason(answer)) == (201, "objected", "granted")
    assert answer.json()["revision"] == 2
    assert await events(browser) == [("given", "banner"), ("objections", "signal")]


@pytest.mark.parametrize(
    ("field", "expected"),
    [(WITHDRAW_ALL, "objected"), (OBJECT, "objected"), (STATISTICS, "region_default"), ({}, "region_default")],
)
async def test_a_strangers_signal_counts_for_this_answer_and_is_not_stored(
    service: Running, shop: httpx.AsyncClient, field: dict[str, str], expected: str
) -> None:
    """OUT-11, contract §5: on the storefront plane as well; a stranger's consent has nothing that could hold it."""
    one = await shop.get(f"/v1/visitors/{STRANGER}/decisions?region=US-TX", headers=field)
    asked = {"visitor_id": STRANGER, "region": "US-TX", "categories": ["advertising"]}
    many = await shop.post("/v1/decisions", json={"requests": [asked, asked]}, headers=field)
    ads = await shop.get(f"/v1/visitors/{STRANGER}/outputs/uet?region=US-TX", headers=field)

    assert reason(one, "advertising") == expected
    assert {item["decisions"][0]["reason"] for item in many.json()["results"]} == {expected}
    assert ads.json()["ad_storage"] == {"objected": "denied"}.get(expected, "granted")
    assert (await service.services.store.log.head("default")).size == 0


async def test_the_shop_hands_on_what_the_browser_said(
    browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str
) -> None:
    """OUT-11: the hot decision endpoint stores it before it answers."""
    decided = await shop.get(f"/v1/visitors/{visitor}/decisions?region=FR", headers=WITHDRAW_ALL)
    later = await browser.get("/v1/consent")

    assert (reason(decided), reason(later)) == ("withdrawn", "withdrawn")


async def test_a_key_that_may_only_decide_records_no_grant_by_signal(service: Running) -> None:
    """OUT-11: neither with `decide` nor with `manage` on a question; a grant is recorded where grants are."""
    async with service.browser() as page, service.shop() as shop:
        visitor = (await page.put("/v1/consent", json=submission("dismiss"))).json()["visitor_id"]
        answers = [await shop.get(f"/v1/visitors/{visitor}/decisions?region=FR", headers=STATISTICS)]
        asked = {"visitor_id": visitor, "categories": ["statistical"]}
        await shop.post("/v1/decisions", json=asked, headers=STATISTICS)
        await shop.get(f"/v1/visitors/{visitor}/outputs/google", headers=STATISTICS)
        answers.append(await page.get("/v1/consent"))
        managed = await shop.get(f"/v1/visitors/{visitor}/consent", headers=STATISTICS)

    assert [reason(answer) for answer in (*answers, managed)] == ["no_record", "no_record", "granted"]


async def test_a_receipt_and_an_export_speak_of_every_category_after_a_signal(
    browser: httpx.AsyncClient, visitor: str
) -> None:
    """OUT-11, EVD-06: a signal speaks of single categories; what was said of the others still stands."""
    await browser.get("/v1/consent", headers={"ADPC": "withdraw=statistical.v1"})
    receipt = await browser.get("/v1/consent/receipt?format=dpv")
    kantara = await browser.get("/v1/consent/receipt?format=kantara")

    assert (receipt.status_code, kantara.status_code) == (200, 200)
    found = re.findall(r'"dct:identifier":"(\w+)".*?"@type":"dpv:(Consent(?:Given|Withdrawn|Unknown))"', receipt.text)
    states = dict(found[-8:])
    assert (states["statistical"], states["advertising"]) == ("ConsentWithdrawn", "ConsentGiven")


async def test_a_consent_by_signal_is_proved_as_the_one_category_that_it_speaks_of(browser: httpx.AsyncClient) -> None:
    """OUT-11, EVD-11."""
    await browser.put("/v1/consent", json=submission("dismiss"))
    await browser.get("/v1/consent", headers=STATISTICS)
    proof = (await browser.get("/v1/consent/proof")).json()

    assert (proof["how"]["method"], proof["how"]["choices"]) == ("signal", {"statistical": True})
    assert proof["withdrawn"] is None


async def test_a_consent_is_withdrawn_when_signals_have_taken_all_of_it(
    browser: httpx.AsyncClient, visitor: str
) -> None:
    """OUT-11, EVD-11: one category less is no withdrawal of the rest, which the banner's event proves."""
    await browser.get("/v1/consent", headers={"ADPC": "withdraw=statistical.v1"})
    in_part = (await browser.get("/v1/consent/proof")).json()
    await browser.get("/v1/consent", headers=WITHDRAW_ALL)
    in_all = (await browser.get("/v1/consent/proof")).json()

    assert [(proof["how"]["method"], proof["seq"]) for proof in (in_part, in_all)] == [("banner", 0)] * 2
    assert (in_part["withdrawn"], in_all["withdrawn"]["seq"]) == (None, 2)
