"""The shop's calls about one visitor, with a `manage` key (contract §5)."""

import httpx
import pytest

from tests.support.service import STRANGER, Running, choices, code, submission

WRITTEN = {
    "visitor_id", "site", "revision", "policy_version", "regime", "region", "dnt", "gpc", "sale_share_opt_out", "prompt",
    "categories", "opt_out_signal", "expires_at", "re_prompt_not_before", "updated_at", "receipt", "cleanup",
}  # fmt: skip
CALLS = [
    ("PUT", "/consent", submission(method="api")),
    ("DELETE", "/consent", None),
    ("PUT", "/account", {"account_ref": "4711"}),
    ("DELETE", "/account", None),
    ("POST", "/opt-out", None),
    ("POST", "/opt-out", {}),
    ("DELETE", "/opt-out", None),
    ("PUT", "/age-band", {"age_band": "child"}),
    ("PUT", "/restriction", {"restricted": True}),
    ("PUT", "/objections", {"categories": ["statistical"]}),
]


def reason(answer: httpx.Response, category: str) -> str:
    """Give the reason for a category."""
    found: str = answer.json()["categories"][category]["reason"]
    return found


async def test_the_shop_mints_a_visitor_who_has_said_nothing(shop: httpx.AsyncClient) -> None:
    minted = await shop.post("/v1/visitors")
    visitor = minted.json()["visitor_id"]
    read = await shop.get(f"/v1/visitors/{visitor}/consent")

    assert (minted.status_code, set(minted.json())) == (201, {"visitor_id"})
    assert (read.status_code, read.json()["revision"], read.json()["updated_at"]) == (200, 0, None)
    assert "set-cookie" not in minted.headers


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_every_call_answers_with_the_consent(
    any_service: Running, method: str, path: str, body: dict[str, object] | None
) -> None:
    """Without a cookie: the visitor's browser is not at this end of the line."""
    async with any_service.shop() as shop:
        visitor = (await shop.post("/v1/visitors")).json()["visitor_id"]
        answer = await shop.request(method, f"/v1/visitors/{visitor}{path}", json=body)

    assert answer.status_code == 200
    assert set(answer.json()) == WRITTEN
    assert answer.json()["visitor_id"] == visitor
    assert answer.headers["etag"] == f'"{answer.json()["revision"]}"'
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_a_visitor_who_was_never_minted_is_not_found(
    shop: httpx.AsyncClient, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = await shop.request(method, f"/v1/visitors/{STRANGER}{path}", json=body)

    assert (answer.status_code, code(answer)) == (404, "not-found")


@pytest.mark.parametrize(
    "path", ["/consent", "/history", "/receipt", "/receipt?format=dpv", "/receipt?format=jws", "/export"]
)
async def test_nothing_can_be_read_about_a_visitor_who_was_never_minted(shop: httpx.AsyncClient, path: str) -> None:
    answer = await shop.get(f"/v1/visitors/{STRANGER}{path}")

    assert (answer.status_code, code(answer)) == (404, "not-found")


async def test_the_shop_records_what_was_said_in_its_app(shop: httpx.AsyncClient) -> None:
    visitor = (await shop.post("/v1/visitors")).json()["visitor_id"]
    body = submission("custom", choices=choices("statistical"), method="api")
    answer = await shop.put(f"/v1/visitors/{visitor}/consent", json=body)

    assert (answer.json()["revision"], answer.headers["tk"]) == (1, "U")
    assert (reason(answer, "statistical"), reason(answer, "advertising")) == ("granted", "refused")


async def test_an_opt_out_of_sale_stands_until_it_is_taken_back(shop: httpx.AsyncClient, visitor: str) -> None:
    """11 CCR 7026: own way, beside the signal."""
    path = f"/v1/visitors/{visitor}/opt-out"
    out = await shop.post(path)
    again = await shop.post(path, json={})
    back = await shop.delete(path)

    assert (reason(out, "advertising"), out.json()["sale_share_opt_out"], out.json()["opt_out_signal"]) == (
        "opted_out",
        True,
        None,
    )
    assert (again.json()["revision"], again.json()["receipt"], again.headers.get("tk")) == (2, None, None)
    assert (reason(back, "advertising"), back.json()["revision"]) == ("granted", 3)


@pytest.mark.parametrize(
    ("band", "region", "expected"),
    [
        ("child", "DE", "child"),
        ("under_13", "GB", "child"),
        ("13_15", "DE", "child"),
        ("13_15", "GB", "granted"),
        ("16_17", "DE", "granted"),
        ("adult", "DE", "granted"),
        ("unknown", "DE", "granted"),
    ],
)
async def test_a_child_is_never_tracked_whatever_is_stored(
    shop: httpx.AsyncClient, visitor: str, band: str, region: str, expected: str
) -> None:
    """KID-01, KID-02: by the youngest age of the band and the region's age of consent."""
    await shop.put(f"/v1/visitors/{visitor}/age-band", json={"age_band": band})
    answer = await shop.get(f"/v1/visitors/{visitor}/decisions?region={region}")

    assert {reason(answer, name) for name in ("advertising", "social_media", "personalization")} == {expected}


async def test_restriction_and_objection_are_lifted_as_they_were_set(shop: httpx.AsyncClient, visitor: str) -> None:
    """GDPR Art. 18 and 21: the whole list each time."""
    base = f"/v1/visitors/{visitor}"
    restricted = await shop.put(f"{base}/restriction", json={"restricted": True})
    await shop.put(f"{base}/restriction", json={"restricted": False})
    objected = await shop.put(f"{base}/objections", json={"categories": ["statistical", "advertising"]})
    fewer = await shop.put(f"{base}/objections", json={"categories": ["advertising"]})

    assert reason(restricted, "functionality") == "restricted"
    assert (reason(objected, "statistical"), reason(objected, "advertising")) == ("objected", "objected")
    assert (reason(fewer, "statistical"), reason(fewer, "advertising")) == ("granted", "objected")


async def test_gpc_of_a_customer_reaches_her_other_browser(shop: httpx.AsyncClient) -> None:
    """SIG-14, SIG-15: and her going offline there changes nothing."""
    first, second = [(await shop.post("/v1/visitors")).json()["visitor_id"] for _ in range(2)]
    await shop.put(f"/v1/visitors/{first}/account", json={"account_ref": "4711"}, headers={"Sec-GPC": "1"})
    linked = await shop.put(f"/v1/visitors/{second}/account", json={"account_ref": "4711"})
    unlinked = await shop.delete(f"/v1/visitors/{second}/account")

    assert (linked.json()["gpc"], unlinked.json()["gpc"]) == (True, False)


async def test_an_import_never_overwrites_what_is_newer(shop: httpx.AsyncClient, visitor: str) -> None:
    """CON-20."""
    path = f"/v1/visitors/{visitor}/consent"
    imported = submission(method="import", decided_at="2026-11-01T00:00:00Z")
    older = await shop.put(path, json=imported)
    await shop.delete(path)
    newer = await shop.put(path, json=imported | {"decided_at": "2026-11-24T09:00:00Z"})
    future = await shop.put(path, json=imported | {"decided_at": "2030-01-01T00:00:00Z"})

    assert (older.status_code, code(older)) == (409, "import-outdated")
    assert (newer.status_code, reason(newer, "advertising")) == (200, "withdrawn")
    assert future.status_code == 422


async def test_the_history_comes_in_pages(shop: httpx.AsyncClient, visitor: str) -> None:
    base = f"/v1/visitors/{visitor}"
    await shop.put(f"{base}/age-band", json={"age_band": "adult"})
    await shop.delete(f"{base}/consent")
    first = (await shop.get(f"{base}/history?limit=2")).json()
    rest = (await shop.get(f"{base}/history?limit=2&after={first['next']}")).json()

    assert [event["event_type"] for event in first["events"]] == ["given", "age_band"]
    assert [event["event_type"] for event in rest["events"]] == ["withdrawn"]
    assert "next" not in rest
    assert set(first["events"][0]) == {
        "seq", "event_id", "event_type", "event_time", "channel", "method", "policy_version", "locale", "choices", "dnt",
        "gpc", "region", "regime", "receipt_id",
    }  # fmt: skip


async def test_an_erased_visitor_is_gone_from_every_answer(shop: httpx.AsyncClient, visitor: str) -> None:
    """IDN-09."""
    erased = await shop.delete(f"/v1/visitors/{visitor}")
    again = await shop.delete(f"/v1/visitors/{visitor}")
    paths = ("consent", "history", "receipt", "export")
    gone = [(await shop.get(f"/v1/visitors/{visitor}/{path}")).status_code for path in paths]
    decided = await shop.get(f"/v1/visitors/{visitor}/decisions?region=FR")

    assert (erased.status_code, erased.content, again.status_code, gone) == (204, b"", 404, [404] * 4)
    assert reason(decided, "advertising") == "no_record"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/age-band", {"age_band": "toddler"}),
        ("/age-band", {"age_band": "child", "birth_date": "2020-01-01"}),
        ("/restriction", {"restricted": 1}),
        ("/restriction", {"restricted": "yes"}),
        ("/restriction", {}),
        ("/objections", {"categories": ["marketing"]}),
        ("/objections", {"categories": "advertising"}),
        ("/account", {"account_ref": ""}),
        ("/account", {"account_ref": "x" * 256}),
        ("/account", {"account_ref": 4711}),
    ],
)
async def test_a_body_that_cannot_be_meant_is_refused(
    shop: httpx.AsyncClient, visitor: str, path: str, body: dict[str, object]
) -> None:
    answer = await shop.put(f"/v1/visitors/{visitor}{path}", json=body)
    read = await shop.get(f"/v1/visitors/{visitor}/consent")

    assert (answer.status_code, code(answer), read.json()["revision"]) == (422, "validation-failed", 1)


async def test_an_opt_out_takes_no_members(shop: httpx.AsyncClient, visitor: str) -> None:
    answer = await shop.post(f"/v1/visitors/{visitor}/opt-out", json={"reason": "mine"})

    assert (answer.status_code, code(answer)) == (422, "validation-failed")
