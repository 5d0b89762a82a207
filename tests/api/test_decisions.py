"""What a storefront is told about one visitor (contract §5)."""

from datetime import timedelta

import httpx
import pytest

from consent_service.domain.vocabulary import CATEGORIES
from tests.support.service import STRANGER, Running, code, submission

READ = {
    "visitor_id", "policy_version", "regime", "dnt", "gpc", "sale_share_opt_out", "prompt", "degraded", "categories",
}  # fmt: skip


def reasons(answer: httpx.Response) -> dict[str, str]:
    """Give the reason of each category."""
    return {name: entry["reason"] for name, entry in answer.json()["categories"].items()}


async def test_a_stranger_is_answered_like_a_new_visitor(shop: httpx.AsyncClient) -> None:
    """CON-01: 200, never 404."""
    answer = await shop.get(f"/v1/visitors/{STRANGER}/decisions?region=FR")

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == READ
    assert (body["visitor_id"], body["policy_version"], body["regime"]) == (STRANGER, "v1", "opt_in")
    assert (body["prompt"], body["degraded"], body["dnt"], body["gpc"]) == (True, False, None, False)
    assert list(body["categories"]) == [category.value for category in CATEGORIES]
    assert body["categories"]["technical"] == {"allow": False, "reason": "no_record"}
    assert body["categories"]["strictly_necessary"] == {"allow": True, "reason": "exempt"}


async def test_what_the_visitor_said_counts_at_once(
    browser: httpx.AsyncClient, shop: httpx.AsyncClient, visitor: str
) -> None:
    """CON-12."""
    granted = await shop.get(f"/v1/visitors/{visitor}/decisions?region=FR")
    await browser.delete("/v1/consent")
    withdrawn = await shop.get(f"/v1/visitors/{visitor}/decisions?region=FR")

    assert reasons(granted)["advertising"] == "granted"
    assert reasons(withdrawn)["advertising"] == "withdrawn"


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        ("FR", "no_record"),
        ("US-TX", "region_default"),
        ("US-VA", "region_default"),
        ("ZZ", "no_record"),
        ("", "no_record"),
        ("nonsense", "no_record"),
    ],
)
async def test_silence_means_what_the_region_says(shop: httpx.AsyncClient, region: str, reason: str) -> None:
    """REG-01, REG-05: an unknown region is the strictest."""
    answer = await shop.get(f"/v1/visitors/{STRANGER}/decisions", params={"region": region})

    assert reasons(answer)["statistical"] == reason


async def test_a_visitor_who_moves_is_decided_where_she_is(shop: httpx.AsyncClient, browser: httpx.AsyncClient) -> None:
    """REG-10."""
    visitor = (await shop.post("/v1/visitors")).json()["visitor_id"]
    texas = await shop.get(f"/v1/visitors/{visitor}/decisions?region=US-TX")
    germany = await shop.get(f"/v1/visitors/{visitor}/decisions?region=DE")

    assert (texas.json()["prompt"], germany.json()["prompt"]) == (False, True)
    assert reasons(germany)["advertising"] == "no_record"


async def test_trackers_and_categories_are_answered_in_the_order_asked(shop: httpx.AsyncClient, visitor: str) -> None:
    """TRK-05, TRK-07, TRK-08: trackers first; `max_age` only where something stays on the device."""
    asked = {
        "visitor_id": visitor,
        "region": "FR",
        "trackers": ["_ga", "session", "nobody_knows", "ad_pixel", "_ga_ABC", "cart"],
        "categories": ["functionality", "advertising"],
    }
    answer = await shop.post("/v1/decisions", json=asked)

    left = 181 * 86_400
    assert answer.status_code == 200
    assert answer.json() == {
        "decisions": [
            {
                "tracker": "_ga",
                "category": "analytical_performance",
                "allow": True,
                "reason": "granted",
                "max_age": left,
            },
            {"tracker": "session", "category": "technical", "allow": True, "reason": "exempt"},
            {"tracker": "nobody_knows", "category": None, "allow": False, "reason": "unregistered"},
            {"tracker": "ad_pixel", "category": "advertising", "allow": True, "reason": "granted"},
            {
                "tracker": "_ga_ABC",
                "category": "analytical_performance",
                "allow": True,
                "reason": "granted",
                "max_age": left,
            },
            {
                "tracker": "cart",
                "category": "strictly_necessary",
                "allow": True,
                "reason": "exempt",
                "max_age": 7 * 86_400,
            },
            {"category": "functionality", "allow": True, "reason": "granted"},
            {"category": "advertising", "allow": True, "reason": "granted"},
        ]
    }


async def test_what_may_stay_on_the_device_never_outlives_the_choice(
    service: Running, shop: httpx.AsyncClient, visitor: str
) -> None:
    """TRK-08."""
    service.clock.forward(timedelta(days=180))
    answer = await shop.post("/v1/decisions", json={"visitor_id": visitor, "trackers": ["_ga"]})

    assert answer.json()["decisions"][0]["max_age"] == 86_400


@pytest.mark.parametrize("visitor_id", [None, STRANGER])
async def test_a_visitor_without_an_id_is_asked_about_like_any_stranger(
    shop: httpx.AsyncClient, visitor_id: str | None
) -> None:
    answer = await shop.post("/v1/decisions", json={"visitor_id": visitor_id, "trackers": ["_fbp", "cart"]})

    assert [item["allow"] for item in answer.json()["decisions"]] == [False, True]


async def test_many_visitors_are_answered_in_one_call(shop: httpx.AsyncClient, visitor: str) -> None:
    """TRK-02, TRK-03, TRK-07: each in the order asked, with its own names and region."""
    requests = [
        {"visitor_id": STRANGER, "region": "FR", "trackers": ["mail_open_individual", "mail_open_rate"]},
        {"visitor_id": visitor, "region": "DE", "categories": ["advertising"]},
        {"visitor_id": visitor, "region": "FR", "trackers": ["mail_open_individual", "mail_security"]},
    ]
    answer = await shop.post("/v1/decisions", json={"requests": requests})

    results = answer.json()["results"]
    assert [result["visitor_id"] for result in results] == [STRANGER, visitor, visitor]
    assert [[item["reason"] for item in result["decisions"]] for result in results] == [
        ["no_record", "exempt"],
        ["granted"],
        ["no_record", "exempt"],
    ]


async def test_a_thousand_visitors_with_two_hundred_names_are_the_most(shop: httpx.AsyncClient) -> None:
    one = {"visitor_id": STRANGER, "categories": ["advertising"]}
    most = await shop.post("/v1/decisions", json={"requests": [one] * 1_000})
    too_many = await shop.post("/v1/decisions", json={"requests": [one] * 1_001})
    names = await shop.post("/v1/decisions", json={"trackers": [f"t{i}" for i in range(200)]})
    too_many_names = await shop.post("/v1/decisions", json={"trackers": [f"t{i}" for i in range(201)]})

    assert (most.status_code, len(most.json()["results"])) == (200, 1_000)
    assert (names.status_code, len(names.json()["decisions"])) == (200, 200)
    assert [code(too_many), code(too_many_names)] == ["validation-failed"] * 2


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({}, ""),
        ({"trackers": [], "categories": []}, ""),
        ({"trackers": ["_ga"], "categories": ["marketing"]}, "/categories/0"),
        ({"trackers": ["_ga", 7]}, "/trackers/1"),
        ({"trackers": [""]}, "/trackers/0"),
        ({"trackers": "_ga"}, "/trackers"),
        ({"trackers": ["_ga"], "gpc": "1"}, "/gpc"),
        ({"trackers": ["_ga"], "visitor_id": "short"}, "/visitor_id"),
        ({"trackers": ["_ga"], "user": "x"}, "/user"),
        ({"requests": []}, "/requests"),
        ({"requests": [{"trackers": ["_ga"]}, {"trackers": [None]}]}, "/requests/1/trackers/0"),
        ({"requests": [{"trackers": ["_ga"]}], "trackers": ["_ga"]}, "/trackers"),
        ([], ""),
    ],
)
async def test_a_question_that_cannot_be_meant_is_named_by_its_place(
    shop: httpx.AsyncClient, asked: object, pointer: str
) -> None:
    answer = await shop.post("/v1/decisions", json=asked)

    assert (answer.status_code, code(answer)) == (422, "validation-failed")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("visitor_id", ["short", "A" * 23, "A" * 21 + "!", "A" * 21 + "%0A"])
async def test_an_id_that_cannot_be_one_is_refused(shop: httpx.AsyncClient, visitor_id: str) -> None:
    answer = await shop.get(f"/v1/visitors/{visitor_id}/decisions")

    assert (answer.status_code, code(answer)) == (422, "validation-failed")


async def test_a_refusal_never_locks_the_visitor_out(browser: httpx.AsyncClient, shop: httpx.AsyncClient) -> None:
    """CON-16: every question is still answered."""
    visitor = (await browser.put("/v1/consent", json=submission("reject_all"))).json()["visitor_id"]
    answer = await shop.get(f"/v1/visitors/{visitor}/decisions")
    banner = await browser.get("/v1/banner")

    assert (answer.status_code, banner.status_code) == (200, 200)
