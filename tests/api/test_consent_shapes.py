"""What a visitor's consent looks like on the wire (contract §4), member by member."""

from datetime import timedelta

import httpx
import pytest

from consent_service.domain.vocabulary import CATEGORIES
from tests.support.service import Running, choices, code, submission

READ = {
    "visitor_id", "site", "revision", "policy_version", "regime", "region", "dnt", "gpc", "sale_share_opt_out", "prompt",
    "categories", "opt_out_signal", "expires_at", "re_prompt_not_before", "updated_at",
}  # fmt: skip
ALL = {category.value for category in CATEGORIES}
ALWAYS = {"strictly_necessary"}


async def test_a_write_answers_with_every_member_of_the_contract(any_service: Running) -> None:
    """CON-03, CON-08: all eight categories, each with choice, decision and moments."""
    async with any_service.browser() as browser:
        answer = await browser.put("/v1/consent", json=submission("reject_all"))

    body = answer.json()
    assert set(body) == READ | {"receipt", "cleanup"}
    assert set(body["categories"]) == ALL
    assert body["categories"]["advertising"] == {
        "choice": "denied",
        "allow": False,
        "reason": "refused",
        "decided_at": "2026-11-24T09:00:00Z",
        "expires_at": "2027-05-24T09:00:00Z",
    }
    assert (body["site"], body["revision"], body["policy_version"]) == ("default", 1, "v1")
    assert (body["regime"], body["region"], body["dnt"], body["gpc"]) == ("opt_in", None, None, False)
    assert (body["sale_share_opt_out"], body["prompt"], body["opt_out_signal"]) == (False, False, None)
    assert body["expires_at"] == body["re_prompt_not_before"] == "2027-05-24T09:00:00Z"
    assert body["updated_at"] == "2026-11-24T09:00:00Z"
    assert set(body["receipt"]) == {"id", "seq", "leaf_hash"}
    assert body["receipt"]["seq"] == 0


async def test_a_read_answers_the_same_without_receipt_and_cleanup(any_service: Running) -> None:
    async with any_service.browser() as browser:
        written = (await browser.put("/v1/consent", json=submission())).json()
        read = (await browser.get("/v1/consent")).json()

    assert set(read) == READ
    assert read == {name: written[name] for name in READ}


async def test_a_refusal_names_what_must_leave_the_device(browser: httpx.AsyncClient, visitor: str) -> None:
    """CON-14: every stored tracker that may no longer run, by name, kind and place."""
    answer = await browser.delete("/v1/consent")

    listed = answer.json()["cleanup"]
    assert {"name": "_ga", "kind": "cookie", "domain": "", "path": "/"} in listed
    assert {"settings_lso", "tips", "counter"} <= {item["name"] for item in listed}
    assert not {"session", "cart", "ad_pixel"} & {item["name"] for item in listed}


@pytest.mark.parametrize(
    ("action", "granted"),
    [
        ({"action": "accept_all"}, ALL),
        ({"action": "reject_all"}, ALWAYS),
        ({"action": "custom", "choices": choices("statistical", "technical")}, ALWAYS | {"statistical", "technical"}),
        ({"action": "custom", "choices": choices()}, ALWAYS),
    ],
)
async def test_what_is_granted_is_what_was_said(
    browser: httpx.AsyncClient, action: dict[str, object], granted: set[str]
) -> None:
    """CON-05, CON-15."""
    answer = await browser.put("/v1/consent", json=submission() | action)

    categories = answer.json()["categories"]
    assert {name for name, entry in categories.items() if entry["allow"]} == granted
    assert {name for name, entry in categories.items() if entry["choice"] == "granted"} == granted


async def test_closing_the_banner_grants_nothing_and_is_not_asked_again_at_once(browser: httpx.AsyncClient) -> None:
    """CON-07, CON-09."""
    body = (await browser.put("/v1/consent", json=submission("dismiss"))).json()

    assert body["categories"]["advertising"]["reason"] == "no_record"
    assert body["categories"]["advertising"]["choice"] is None
    assert (body["prompt"], body["re_prompt_not_before"]) == (False, "2027-05-24T09:00:00Z")


async def test_one_call_withdraws_everything(any_service: Running) -> None:
    """CON-06, CON-12, CON-13: no body; effective on the next read; the history shows both."""
    async with any_service.browser() as browser:
        await browser.put("/v1/consent", json=submission())
        await browser.put("/v1/consent", json=submission(channel="email"))
        withdrawn = await browser.delete("/v1/consent")
        read = await browser.get("/v1/consent")
        events = (await browser.get("/v1/consent/history")).json()["events"]
        exported = (await browser.get("/v1/consent/export")).json()

    assert withdrawn.status_code == 200
    assert read.json()["categories"]["advertising"]["reason"] == "withdrawn"
    assert set(exported["settings"]["email_choices"].values()) == {"denied", "granted"}
    assert exported["settings"]["email_choices"]["advertising"] == "denied"
    assert [event["event_type"] for event in events] == ["given", "given", "withdrawn"]


async def test_a_grant_lapses_and_the_banner_asks_again(
    service: Running, browser: httpx.AsyncClient, visitor: str
) -> None:
    """CON-10: the record is kept, the decision denies."""
    service.clock.forward(timedelta(days=182))
    body = (await browser.get("/v1/consent")).json()

    assert body["categories"]["advertising"]["reason"] == "expired"
    assert body["categories"]["advertising"]["choice"] == "granted"
    assert body["prompt"] is True


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (submission(consent=True), ["/consent"]),
        (submission("agree"), ["/action"]),
        (submission("custom", choices=choices() | {"advertising": 1}), ["/choices/advertising"]),
        (submission("custom", choices=choices() | {"advertising": "yes"}), ["/choices/advertising"]),
        (submission("custom", choices=choices() | {"advertising": None}), ["/choices/advertising"]),
        (submission("custom", choices=choices() | {"strictly_necessary": False}), ["/choices/strictly_necessary"]),
        (submission("custom", choices=choices() | {"marketing": True}), ["/choices/marketing"]),
        (submission("custom"), [""]),
        (submission("accept_all", choices=choices()), [""]),
        (submission(gpc="1"), ["/gpc"]),
        (submission(dnt=1), ["/dnt"]),
        (submission(dnt="2"), ["/dnt"]),
        (submission(method="signal"), ["/method"]),
        (submission(channel="sms"), ["/channel"]),
        (submission(locale="not a tag"), ["/locale"]),
        (submission(separate_consents=["everything"]), ["/separate_consents/0"]),
        (submission(decided_at="2026-01-01T00:00:00Z"), [""]),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_named(
    browser: httpx.AsyncClient, body: dict[str, object], pointers: list[str]
) -> None:
    """CON-02, CON-04: nothing is coerced into a consent, and nothing was stored."""
    answer = await browser.put("/v1/consent", json=body)
    read = await browser.get("/v1/consent")

    assert (answer.status_code, code(answer)) == (422, "validation-failed")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == pointers
    assert read.json()["revision"] == 0


async def test_a_choice_that_leaves_categories_out_names_the_seven_missing_ones(browser: httpx.AsyncClient) -> None:
    """CON-02: silence is not consent."""
    answer = await browser.put("/v1/consent", json=submission("custom", choices={"advertising": True}))

    assert answer.status_code == 422
    assert set(answer.json()["missing"]) == ALL - {"advertising"}


@pytest.mark.parametrize(
    "locale", ["en", "zh-Hans-CN", "i-klingon", "de-Latn-DE-1996-u-co-phonebk-x-" + "-".join(["privat"] * 5)]
)
async def test_any_language_tag_is_kept(browser: httpx.AsyncClient, locale: str) -> None:
    answer = await browser.put("/v1/consent", json=submission(locale=locale))
    events = (await browser.get("/v1/consent/history")).json()["events"]

    assert answer.status_code == 201
    assert events[0]["locale"] == locale


async def test_the_visitors_clock_is_never_asked(browser: httpx.AsyncClient) -> None:
    """CON-19: a moment in the body is refused outside imports, and the Date field counts for nothing."""
    answer = await browser.put("/v1/consent", json=submission(), headers={"Date": "Tue, 01 Jan 2030 00:00:00 GMT"})

    assert answer.json()["updated_at"] == "2026-11-24T09:00:00Z"
