"""The `Tk` field: `U` on a write that changed the tracking status, and nowhere else (TSR-10 to TSR-12)."""

import httpx
import pytest

from tests.support.service import Running, choices, submission

CHANGES = [
    ("PUT", "/v1/consent", submission("reject_all")),
    ("PUT", "/v1/consent", submission("custom", choices=choices("statistical"))),
    ("DELETE", "/v1/consent", None),
    ("DELETE", "/v1/consent/data", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
async def test_a_write_that_changes_the_status_says_so(
    browser: httpx.AsyncClient, visitor: str, method: str, path: str, body: dict[str, object] | None
) -> None:
    """TSR-10, TSR-12: one field."""
    answer = await browser.request(method, path, json=body)

    assert answer.headers.get_list("tk") == ["U"]


async def test_the_same_answer_again_changes_nothing(browser: httpx.AsyncClient) -> None:
    """TSR-10."""
    first = await browser.put("/v1/consent", json=submission())
    second = await browser.put("/v1/consent", json=submission())
    withdrawn = await browser.delete("/v1/consent")
    again = await browser.delete("/v1/consent")

    assert [answer.headers.get("tk") for answer in (first, second, withdrawn, again)] == ["U", None, "U", None]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/account", None),
        ("PUT", "/age-band", {"age_band": "unknown"}),
        ("PUT", "/restriction", {"restricted": False}),
        ("PUT", "/objections", {"categories": []}),
        ("DELETE", "/opt-out", None),
    ],
)
async def test_a_call_that_changes_nothing_says_nothing(
    shop: httpx.AsyncClient, visitor: str, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = await shop.request(method, f"/v1/visitors/{visitor}{path}", json=body)

    assert (answer.status_code, answer.headers.get("tk")) == (200, None)


READS = [
    "/v1/consent", "/v1/banner", "/v1/consent/history", "/v1/consent/receipt", "/v1/consent/export", "/.well-known/dnt/",
    "/.well-known/gpc.json", "/livez", "/readyz", "/version", "/docs", "/openapi.json",
]  # fmt: skip


@pytest.mark.parametrize("path", READS)
async def test_a_read_never_says_that_something_changed(browser: httpx.AsyncClient, visitor: str, path: str) -> None:
    """TSR-10: also where it stores a signal."""
    answer = await browser.get(path, headers={"Sec-GPC": "1", "DNT": "1"})

    assert answer.status_code == 200
    assert "tk" not in answer.headers


async def test_a_decision_never_says_that_something_changed(shop: httpx.AsyncClient, visitor: str) -> None:
    signal = {"Sec-GPC": "1"}
    one = await shop.get(f"/v1/visitors/{visitor}/decisions", headers=signal)
    many = await shop.post("/v1/decisions", json={"visitor_id": visitor, "trackers": ["_ga"]}, headers=signal)

    assert not {"tk"} & {*one.headers, *many.headers}


async def test_an_answer_to_a_superseded_notice_says_nothing(
    service: Running, browser: httpx.AsyncClient, visitor: str
) -> None:
    """TSR-11: nor does an import that is older than what is on record."""
    old = {"method": "import", "decided_at": "2020-01-01T00:00:00Z"}
    async with service.shop() as shop:
        outdated = await shop.put(f"/v1/visitors/{visitor}/consent", json=submission("reject_all", **old))
    await service.publish(version="v2")
    superseded = await browser.put("/v1/consent", json=submission("reject_all"))

    assert [(answer.status_code, answer.headers.get("tk")) for answer in (outdated, superseded)] == [(409, None)] * 2


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"If-Match": '"9"'}, submission("reject_all"), 412),
        ({}, submission("reject_all", policy_version="v9"), 422),
        ({}, submission("agree"), 422),
        ({"Origin": "https://evil.example"}, submission("reject_all"), 403),
        ({"Content-Type": "text/plain"}, submission("reject_all"), 415),
    ],
)
async def test_a_refused_write_says_nothing(
    browser: httpx.AsyncClient, visitor: str, headers: dict[str, str], body: dict[str, object], status: int
) -> None:
    """TSR-11."""
    answer = await browser.put("/v1/consent", json=body, headers=headers)

    assert (answer.status_code, answer.headers.get("tk")) == (status, None)


async def test_the_shop_hears_of_a_change_it_made(service: Running, shop: httpx.AsyncClient, visitor: str) -> None:
    base = f"/v1/visitors/{visitor}"
    answers = [
        await shop.post(f"{base}/opt-out"),
        await shop.put(f"{base}/restriction", json={"restricted": True}),
        await shop.delete(f"{base}/consent"),
        await shop.delete(base),
    ]

    assert [answer.headers.get_list("tk") for answer in answers] == [["U"]] * 4
