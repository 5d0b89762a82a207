"""DNT and GPC over HTTP: read from every field, kept apart from choices, stored once (rules.md §5.1)."""

import asyncio

import httpx
import pytest

from tests.support.service import STRANGER, Running, submission

Fields = list[tuple[str, str]]


def reason(answer: httpx.Response, category: str = "advertising") -> str:
    """Give the reason for a category."""
    found: str = answer.json()["categories"][category]["reason"]
    return found


@pytest.mark.parametrize(
    ("fields", "dnt"),
    [
        ([], None),
        ([("DNT", "1")], "1"),
        ([("DNT", "0")], "0"),
        ([("DNT", "1xyz")], "1"),
        ([("DNT", "2")], None),
        ([("DNT", "null")], None),
        ([("DNT", "")], None),
        ([("DNT", "yes")], None),
        ([("DNT", "0"), ("DNT", "1")], "1"),
        ([("DNT", "0, 1")], "1"),
    ],
)
async def test_do_not_track_is_read_as_the_standard_says(
    shop: httpx.AsyncClient, fields: Fields, dnt: str | None
) -> None:
    """SIG-01 to SIG-04: three states kept apart, malformed counts as absent."""
    answer = await shop.get(f"/v1/visitors/{STRANGER}/decisions?region=FR", headers=fields)

    assert (answer.status_code, answer.json()["dnt"]) == (200, dnt)


@pytest.mark.parametrize(
    ("fields", "gpc"),
    [
        ([("Sec-GPC", "1")], True),
        ([], False),
        ([("Sec-GPC", "0")], False),
        ([("Sec-GPC", "true")], False),
        ([("Sec-GPC", "?1")], False),
        ([("Sec-GPC", "11")], False),
        ([("Sec-GPC", "yes")], False),
        ([("Sec-GPC", "0"), ("Sec-GPC", "1")], True),
        ([("Sec-GPC", "0, 1")], True),
        ([("Sec-GPC", "0"), ("Sec-GPC", "2")], False),
    ],
)
async def test_global_privacy_control_is_on_only_at_exactly_one(
    shop: httpx.AsyncClient, fields: Fields, gpc: bool
) -> None:
    """SIG-09, SIG-10."""
    answer = await shop.get(f"/v1/visitors/{STRANGER}/decisions?region=US-CA", headers=fields)

    assert answer.json()["gpc"] is gpc
    assert reason(answer) == {True: "gpc", False: "region_default"}[gpc]


async def test_do_not_track_denies_where_nobody_was_asked(shop: httpx.AsyncClient) -> None:
    """SIG-05, SIG-06, SIG-07: in every region; never what is strictly necessary; `0` grants nothing."""
    texas = await shop.get(f"/v1/visitors/{STRANGER}/decisions?region=US-TX", headers={"DNT": "1"})
    allowed = await shop.get(f"/v1/visitors/{STRANGER}/decisions?region=FR", headers={"DNT": "0"})

    assert {
        reason(texas, name) for name in ("advertising", "social_media", "statistical", "analytical_performance")
    } == {"dnt"}
    assert (reason(texas, "strictly_necessary"), reason(texas, "functionality")) == ("exempt", "region_default")
    assert reason(allowed) == "no_record"


async def test_gpc_overrides_a_stored_grant_in_the_same_answer(shop: httpx.AsyncClient, visitor: str) -> None:
    """SIG-12, SIG-13: what sells or shares is off, first-party uses stay."""
    answer = await shop.get(f"/v1/visitors/{visitor}/decisions?region=FR", headers={"Sec-GPC": "1"})
    trackers = await shop.post(
        "/v1/decisions", json={"visitor_id": visitor, "trackers": ["_fbp", "own_ads", "settings_lso"]}
    )

    assert (reason(answer), reason(answer, "functionality")) == ("gpc", "granted")
    assert [item["reason"] for item in trackers.json()["decisions"]] == ["gpc", "granted", "granted"]


async def test_the_page_is_told_what_to_display(browser: httpx.AsyncClient) -> None:
    """SIG-18, SIG-19: a bare request with the header is enough."""
    body = (await browser.get("/v1/consent", headers={"Sec-GPC": "1"})).json()

    assert body["opt_out_signal"] == {
        "source": "gpc", "honored": True, "display_text": "Opt-Out Request Honored", "toggle": "opted_out",
    }  # fmt: skip
    assert (body["gpc"], body["sale_share_opt_out"]) == (True, True)


async def test_a_hundred_requests_with_a_signal_are_one_event(any_service: Running) -> None:
    """SIG-20: also when they come at once."""
    async with any_service.browser() as browser, any_service.shop() as shop:
        visitor = (await browser.put("/v1/consent", json=submission())).json()["visitor_id"]
        path, signal = f"/v1/visitors/{visitor}/decisions", {"Sec-GPC": "1"}
        answers = await asyncio.gather(*(shop.get(path, headers=signal) for _ in range(50)))
        answers += [await browser.get("/v1/consent", headers=signal) for _ in range(50)]
        events = (await browser.get("/v1/consent/history")).json()["events"]

    assert {reason(answer) for answer in answers} == {"gpc"}
    assert [event["event_type"] for event in events] == ["given", "signal"]
    assert (events[1]["gpc"], events[1]["choices"]) == (True, None)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/visitors/{}/history", None),
        ("GET", "/v1/visitors/{}/receipt", None),
        ("GET", "/v1/visitors/{}/export", None),
        ("GET", "/v1/visitors/{}/consent", None),
        ("PUT", "/v1/visitors/{}/age-band", {"age_band": "adult"}),
        ("PUT", "/v1/visitors/{}/account", {"account_ref": "4711"}),
        ("PUT", "/v1/visitors/{}/restriction", {"restricted": False}),
    ],
)
async def test_whatever_request_shows_a_signal_stores_it(
    shop: httpx.AsyncClient, visitor: str, method: str, path: str, body: dict[str, object] | None
) -> None:
    """SIG-20, contract §5: any request of a known visitor, before it is answered."""
    await shop.request(method, path.format(visitor), json=body, headers={"Sec-GPC": "1", "DNT": "1"})
    after = (await shop.get(f"/v1/visitors/{visitor}/consent")).json()

    assert (after["gpc"], after["dnt"], after["revision"]) == (True, "1", 2)


async def test_a_question_in_a_body_stores_the_signal_that_it_brings(shop: httpx.AsyncClient, visitor: str) -> None:
    """SIG-20, SIG-25: by field or by member."""
    asked = {"visitor_id": visitor, "categories": ["advertising"]}
    await shop.post("/v1/decisions", json=asked | {"gpc": True})
    await shop.post("/v1/decisions", json=asked, headers={"DNT": "1"})
    after = (await shop.get(f"/v1/visitors/{visitor}/consent")).json()

    assert (after["gpc"], after["dnt"], after["revision"]) == (True, "1", 3)


async def test_a_strangers_signal_is_honoured_and_not_stored(service: Running, shop: httpx.AsyncClient) -> None:
    """SIG-16, SIG-17."""
    signalled = await shop.get(f"/v1/visitors/{STRANGER}/decisions?region=US-CA", headers={"Sec-GPC": "1"})
    later = await shop.get(f"/v1/visitors/{STRANGER}/decisions?region=US-CA")

    assert (reason(signalled), reason(later)) == ("gpc", "region_default")
    assert (await service.services.store.log.head("default")).size == 0


async def test_a_signal_that_is_gone_grants_nothing(browser: httpx.AsyncClient, visitor: str) -> None:
    """SIG-11, SIG-15: until the visitor grants it anew without the signal."""
    await browser.get("/v1/consent", headers={"Sec-GPC": "1"})
    without = await browser.get("/v1/consent")
    together = await browser.put("/v1/consent", json=submission(), headers={"Sec-GPC": "1"})
    still = await browser.get("/v1/consent")
    anew = await browser.put("/v1/consent", json=submission())

    assert [reason(answer) for answer in (without, together, still, anew)] == ["gpc", "gpc", "gpc", "granted"]
    assert together.json()["categories"]["advertising"]["choice"] == "granted"


@pytest.mark.parametrize(
    ("body", "fields", "gpc"),
    [(True, [], True), (False, [("Sec-GPC", "1")], True), (False, [], False), (None, [("Sec-GPC", "1")], True)],
)
async def test_what_page_script_sees_counts_and_never_cancels_the_field(
    browser: httpx.AsyncClient, body: bool | None, fields: Fields, gpc: bool
) -> None:
    """SIG-25."""
    answer = await browser.put("/v1/consent", json=submission(gpc=body), headers=fields)

    assert answer.json()["gpc"] is gpc


@pytest.mark.parametrize(
    ("body", "fields", "dnt"),
    [
        ("1", [], "1"),
        ("0", [("DNT", "1")], "1"),
        ("1", [("DNT", "0")], "1"),
        (None, [("DNT", "0")], "0"),
        (None, [], None),
    ],
)
async def test_do_not_track_in_the_body_is_joined_protectively(
    shop: httpx.AsyncClient, body: str | None, fields: Fields, dnt: str | None
) -> None:
    """SIG-26."""
    asked = {"visitor_id": STRANGER, "region": "US-TX", "dnt": body, "categories": ["statistical"]}
    answer = await shop.post("/v1/decisions", json=asked, headers=fields)

    assert answer.json()["decisions"][0]["reason"] == {"1": "dnt"}.get(dnt or "", "region_default")
