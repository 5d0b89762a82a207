"""What Google Consent Mode v2 is told, row by row of rules.md §2.2."""

from datetime import timedelta

import pytest

from consent_service.domain.outputs.google import google
from consent_service.domain.outputs.state import OutputState
from consent_service.domain.vocabulary import AgeBand, Category, Dnt, DntMode
from tests.domain.outputs.visitors import EVERYTHING, aged, record_of, rules, silent_record, state_of

TYPES = (
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
)
ALL = record_of(EVERYTHING)
CHILD = aged(ALL, AgeBand.CHILD)
LAPSED = record_of(EVERYTHING, age=timedelta(days=181))
DO_NOT_TRACK = Dnt.DO_NOT_TRACK


def letters(member: object) -> str:
    """Write the seven types as `g` and `d`, in the order of the table."""
    assert isinstance(member, dict)
    return "".join(member[name][0] for name in TYPES)


def update(state: OutputState) -> str:
    return letters(google(state)["update"])


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        (set(), "ddddddg"),
        (EVERYTHING, "ggggggg"),
        ({Category.STATISTICAL}, "ddddddg"),
        ({Category.ANALYTICAL_PERFORMANCE}, "ddddddg"),
        ({Category.STATISTICAL, Category.ANALYTICAL_PERFORMANCE}, "dddgddg"),
        ({Category.PERSONALIZATION}, "dddddgg"),
        ({Category.FUNCTIONALITY}, "ddddgdg"),
        ({Category.ADVERTISING}, "gggdddg"),
        ({Category.SOCIAL_MEDIA}, "ddddddg"),
        ({Category.TECHNICAL}, "ddddddg"),
    ],
)
def test_google_hears_what_the_visitor_granted(granted: set[Category], expected: str) -> None:
    """OUT-01."""
    assert update(state_of(record_of(granted))) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(state_of(ALL, gpc=True), "dddgggg", id="all + Sec-GPC: 1"),
        pytest.param(state_of(CHILD), "dddggdg", id="all + child"),
        pytest.param(state_of(ALL, dnt=DO_NOT_TRACK), "ggggggg", id="all + DNT: 1, respect"),
        pytest.param(
            state_of(ALL, dnt=DO_NOT_TRACK, under=rules(DntMode.STRICT)), "ddddggg", id="all + DNT: 1, strict"
        ),
        pytest.param(state_of(None, "US-TX", dnt=DO_NOT_TRACK), "ddddggg", id="no record + DNT: 1, US"),
        pytest.param(state_of(None, "US-TX"), "ggggggg", id="no record, US"),
        pytest.param(state_of(None, "US-TX", gpc=True), "dddgggg", id="no record + GPC, US"),
        pytest.param(state_of(None, "FR"), "ddddddg", id="no record, EU"),
        pytest.param(state_of(None, None), "ddddddg", id="no record, unknown region"),
        pytest.param(state_of(LAPSED), "ddddddg", id="expired"),
        pytest.param(state_of(silent_record()), "ddddddg", id="nothing chosen"),
    ],
)
def test_google_hears_signals_age_and_silence(state: OutputState, expected: str) -> None:
    """OUT-01."""
    assert update(state) == expected


def test_gpc_denies_the_ad_types_even_where_the_policy_says_that_advertising_sells_nothing() -> None:
    """OUT-01."""
    quiet = rules(selling=frozenset())
    assert update(state_of(ALL, gpc=True, under=quiet)) == "dddgggg"


@pytest.mark.parametrize("region", ["FR", "US-CA", "US-TX", "CN", "JP", None])
def test_the_default_is_seven_types_and_two_parameters(region: str | None) -> None:
    """OUT-02."""
    default = google(state_of(None, region))["default"]
    assert isinstance(default, dict)
    assert default.keys() - {"region"} == {*TYPES, "wait_for_update"}
    assert default["wait_for_update"] == 500
    assert default["security_storage"] == "granted"


def test_the_default_names_the_region_it_is_for() -> None:
    """OUT-02."""
    assert google(state_of(None, "US-CA"))["default"] == {
        "ad_storage": "granted",
        "ad_user_data": "granted",
        "ad_personalization": "granted",
        "analytics_storage": "granted",
        "functionality_storage": "granted",
        "personalization_storage": "granted",
        "security_storage": "granted",
        "wait_for_update": 500,
        "region": ["US-CA"],
    }


def test_a_default_for_an_unknown_region_holds_everywhere() -> None:
    """OUT-02: a list of no region would apply to nobody, and what has no default counts as granted."""
    default = google(state_of(None, None))["default"]
    assert isinstance(default, dict)
    assert "region" not in default
    assert letters(default) == "ddddddg"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(state_of(ALL), "ddddddg", id="opt-in: nothing before the update, even with consent on record"),
        pytest.param(state_of(ALL, None), "ddddddg", id="unknown region"),
        pytest.param(state_of(record_of([]), "US-TX"), "ddddddg", id="opt-out, all refused"),
        pytest.param(state_of(None, "US-TX", gpc=True), "dddgggg", id="opt-out with GPC"),
    ],
)
def test_the_default_never_allows_more_than_silence_does(state: OutputState, expected: str) -> None:
    """OUT-02."""
    assert letters(google(state)["default"]) == expected
