"""What a newer policy version changes: in substance, for whose grants, and with how much notice."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from consent_service.domain.errors import PolicyInvalid
from consent_service.domain.policy_changes import check_announced, differences, widened
from consent_service.domain.ruleset import Ruleset, compile_ruleset
from consent_service.domain.vocabulary import CATEGORIES, Category, Reason
from tests.support.builders import (
    NOW,
    TRACKERS,
    Document,
    chosen,
    document,
    entry,
    exempt,
    policy,
    reason,
    record,
    rules,
    situation,
    text,
)
from tests.support.strategies import rulesets

ADS, STATISTICAL = Category.ADVERTISING, Category.STATISTICAL
V1 = policy()
ONE: Document = entry("one", "cookie", "statistical", "P30D")


def with_one(**members: object) -> Any:
    """Give the policy of a shop with one tracker; `members` change it."""
    return policy(trackers=[ONE | members])


def found(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, Category | None]]:
    """Compare two versions of a shop's one tracker."""
    return [(d.subject, d.change, d.widens) for d in differences(with_one(**old), with_one(**new))]


WIDER: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"third_party": True}, "third_party turned on"),
    ({}, {"sells_or_shares": True}, "sells_or_shares turned on"),
    ({}, {"cross_border": True}, "cross_border turned on"),
    ({}, {"duration": "P31D"}, "duration changed"),
    ({"duration": "session"}, {"duration": "PT1S"}, "duration changed"),
    ({}, {"duration": "P2M"}, "duration changed"),
    ({}, {"purpose": text("Something else")}, "purpose reworded"),
    ({}, {"purpose": {"en": "Something else", "de": "Anderes"}}, "purpose reworded"),
    ({}, {"scope": "track"}, "scope individual becomes track"),
    ({}, {"scope": "share"}, "scope individual becomes share"),
    ({"scope": "aggregate"}, {}, "scope aggregate becomes individual"),
]


@pytest.mark.parametrize(("old", "new", "change"), WIDER)
def test_what_goes_further_needs_a_new_grant(old: dict[str, Any], new: dict[str, Any], change: str) -> None:
    """CON-11: purposes, recipients, places and time that the visitor was not told of."""
    assert found(old, new) == [("tracker one", change, STATISTICAL)]


NARROWER: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {}, []),
    ({}, {"path": "/shop", "http_only": True}, []),
    ({}, {"purpose": text(ONE["purpose"]["en"]) | {"de": "Wozu es dient"}}, []),
    ({"purpose": text(ONE["purpose"]["en"]) | {"de": "Wozu es dient"}}, {}, []),
    ({"third_party": True}, {}, ["third_party turned off"]),
    ({"sells_or_shares": True}, {}, ["sells_or_shares turned off"]),
    ({"cross_border": True}, {}, ["cross_border turned off"]),
    ({}, {"duration": "P29D"}, ["duration changed"]),
    ({}, {"duration": "session"}, ["duration changed"]),
    ({}, {"scope": "aggregate"}, ["scope individual becomes aggregate"]),
    ({"scope": "track"}, {"scope": "share"}, ["scope track becomes share"]),
]


@pytest.mark.parametrize(("old", "new", "changes"), NARROWER)
def test_what_does_less_or_says_the_same_leaves_grants_alone(
    old: dict[str, Any], new: dict[str, Any], changes: list[str]
) -> None:
    """CON-11, issue 5 item 3: never for presentation, never for less."""
    assert found(old, new) == [("tracker one", change, None) for change in changes]


def test_presentation_is_no_difference() -> None:
    """CON-11: texts of the notice, titles, addresses, origins and order."""
    written = document(version="v2", origins=["https://new.example"])
    written["texts"]["en"]["title"] = "Your choices"
    written["categories"]["advertising"]["description"] = text("Other words")
    written["providers"]["ads"]["privacy_policy"] = "https://ads.example/privacy"
    written["trackers"].reverse()
    assert differences(V1, policy(**written)) == ()


def test_a_tracker_or_a_company_more_widens_its_category_alone() -> None:
    """CON-11: adding a vendor to advertising makes those grants invalid; statistical is untouched."""
    more = policy(version="v2", trackers=[*TRACKERS, entry("partner", "cookie", "advertising", provider="ads")])
    assert widened(V1, more) == {ADS}
    sold = policy(version="v2", providers={"shop": {"name": "Shop Ltd."}, "ads": {"name": "Bigger Ads Inc."}})
    assert widened(V1, sold) == {ADS, Category.SOCIAL_MEDIA}


def test_a_company_under_another_key_is_the_same_company() -> None:
    trackers = [ONE | {"provider": "the_shop"}]
    renamed = policy(trackers=trackers, providers={"the_shop": {"name": "Shop Ltd."}})
    assert differences(with_one(), renamed) == ()


def test_a_tracker_that_moves_is_a_new_one_where_it_arrives() -> None:
    """CON-11: one who granted the new category was not told of it."""
    moved = with_one(category="advertising", sells_or_shares=False)
    assert [(d.change, d.widens) for d in differences(with_one(), moved)] == [("added", ADS), ("removed", None)]


def test_a_tracker_less_is_no_reason_to_ask() -> None:
    assert [(d.change, d.widens) for d in differences(with_one(), policy(trackers=[]))] == [("removed", None)]


def test_a_new_tracker_that_needs_no_consent_widens_nothing() -> None:
    """CON-11: exempt everywhere, or strictly necessary; exempt in one country is not enough."""
    new = [
        entry("a", "cookie", "technical", "session", exempt=exempt("authentication")),
        entry("b", "cookie", "strictly_necessary"),
    ]
    assert widened(V1, policy(trackers=[*TRACKERS, *new])) == frozenset()
    french = entry("c", "cookie", "technical", "session", exempt=exempt("authentication", "FR"))
    assert widened(V1, policy(trackers=[*TRACKERS, french])) == {Category.TECHNICAL}


def test_a_category_that_begins_to_sell_is_wider() -> None:
    """REG-05, rule 6."""
    written = document(trackers=[ONE | {"sells_or_shares": False}])
    before = policy(**written)
    written["categories"]["statistical"]["sells_or_shares"] = True
    after = policy(**written)
    assert [(d.subject, d.change, d.widens) for d in differences(before, after)] == [
        ("category statistical", "sells_or_shares turned on", STATISTICAL)
    ]
    assert [(d.change, d.widens) for d in differences(after, before)] == [("sells_or_shares turned off", None)]


def test_widening_differences_stand_first() -> None:
    """`policy diff` shows what matters before what does not."""
    later = policy(version="v2", trackers=[*TRACKERS[1:], entry("zz", "cookie", "advertising")])
    assert [d.change for d in differences(V1, later)] == ["added", "removed"]


VERSIONS = [
    policy(version="v1", trackers=[ONE]),
    policy(version="v2", trackers=[ONE, entry("ad", "cookie", "advertising")]),
    policy(version="v3", trackers=[ONE | {"duration": "P60D"}, entry("ad", "cookie", "advertising")]),
]
CHAIN: Ruleset = compile_ruleset(VERSIONS[2], VERSIONS)


@pytest.mark.parametrize(
    ("version", "ads", "statistical"),
    [
        ("v1", Reason.POLICY_CHANGED, Reason.POLICY_CHANGED),
        ("v2", Reason.GRANTED, Reason.POLICY_CHANGED),
        ("v3", Reason.GRANTED, Reason.GRANTED),
        ("v0", Reason.POLICY_CHANGED, Reason.POLICY_CHANGED),
    ],
)
def test_a_grant_is_measured_against_the_version_in_force_however_old_it_is(
    version: str, ads: Reason, statistical: Reason
) -> None:
    """CON-11: over a chain of three versions; an unknown one covers nothing; refusals stay refused."""
    s = situation(record(web=chosen(ADS, STATISTICAL, version=version)), by=CHAIN)
    assert (reason(s, ADS), reason(s, STATISTICAL)) == (ads, statistical)
    refused = situation(record(web=chosen(version=version)), by=CHAIN)
    assert (reason(refused, ADS), reason(refused, STATISTICAL)) == (Reason.REFUSED, Reason.REFUSED)


def test_a_version_that_goes_back_finds_old_grants_valid_again() -> None:
    """CON-11: v1 and v3 say the same; what v2 added in between is gone."""
    back = compile_ruleset(policy(version="v3", trackers=[ONE]), VERSIONS[:2])
    assert reason(situation(record(web=chosen(ADS, version="v1")), by=back), ADS) is Reason.GRANTED


def test_what_changed_denies_until_asked_and_opt_out_regions_fall_back_to_their_default() -> None:
    """CON-11, rule 8: `policy_changed` is carried to where silence denies."""
    known = record(web=chosen(ADS, version="v1"))
    assert reason(situation(known, "FR", by=CHAIN), ADS) is Reason.POLICY_CHANGED
    assert reason(situation(known, "US-TX", by=CHAIN), ADS) is Reason.REGION_DEFAULT


@given(rulesets(), rulesets())
def test_two_versions_can_always_be_compared(old: Ruleset, new: Ruleset) -> None:
    """Total: any two valid versions; a version differs in nothing from itself."""
    assert widened(old.policy, new.policy) <= set(CATEGORIES)
    assert differences(old.policy, old.policy) == ()


SOON, LATER = NOW + timedelta(hours=1), NOW + timedelta(hours=25)
MORE_TRACKERS: Document = {"trackers": [*TRACKERS, entry("partner", "cookie", "advertising", provider="ads")]}
FREED = entry(
    "_ga", "cookie", "analytical_performance", "P1Y", scope="aggregate", exempt=exempt("audience_measurement", "FR")
)
WIDENING: list[tuple[Document, Document]] = [
    ({}, MORE_TRACKERS),
    ({}, {"signals": {"dnt": "record"}}),
    ({"signals": {"dnt": "strict"}}, {"signals": {"dnt": "respect"}}),
    ({}, {"signals": {"gpc": "honor_where_law_requires"}}),
    ({}, {"regimes": [{"regions": ["*"], "regime": "notice"}]}),
    ({"regimes": [{"regions": ["FR"], "regime": "opt_in"}]}, {"regimes": [{"regions": ["FR"], "regime": "opt_out"}]}),
    ({"age_of_consent": {"default": 16}}, {"age_of_consent": {"default": 16, "GB": 13}}),
    ({"child_directed": True}, {}),
    ({}, {"separate_consent": []}),
    ({"trackers": [FREED | {"exempt": None}]}, {"trackers": [FREED]}),
    ({"trackers": [FREED]}, {"trackers": [FREED | {"exempt": exempt("audience_measurement", "FR", "GB")}]}),
    ({"trackers": [ONE]}, {"trackers": [ONE | {"category": "strictly_necessary"}]}),
]


@pytest.mark.parametrize(("old", "new"), WIDENING)
def test_an_increase_of_tracking_is_announced_a_day_before(old: Document, new: Document) -> None:
    """TSR-13: 24 hours, to the second; the fault stands at `effective_from` and says what widens."""
    current = policy(**old)
    with pytest.raises(PolicyInvalid) as refused:
        check_announced(current, policy(effective_from=SOON.isoformat(), **new), NOW)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/effective_from", "TSR-13")]
    check_announced(current, policy(effective_from=LATER.isoformat(), **new), NOW)


@pytest.mark.parametrize(("new", "old"), WIDENING[:-1])
def test_what_is_no_increase_may_take_effect_at_once(old: Document, new: Document) -> None:
    """TSR-13: the same changes the other way round are told and not refused."""
    current, next_version = policy(**old), policy(effective_from=SOON.isoformat(), **new)
    check_announced(current, next_version, NOW)
    assert differences(current, next_version)


def test_the_notice_is_a_day_to_the_second() -> None:
    """TSR-13: exactly 24 hours ahead is enough, a second less is not."""
    day = NOW + timedelta(hours=24)
    check_announced(V1, policy(effective_from=day.isoformat(), **MORE_TRACKERS), NOW)
    with pytest.raises(PolicyInvalid):
        check_announced(V1, policy(effective_from=day.isoformat(), **MORE_TRACKERS), NOW + timedelta(seconds=1))


def test_a_first_version_needs_no_notice() -> None:
    """TSR-13: there is nothing it could widen."""
    check_announced(None, rules(effective_from=SOON.isoformat()).policy, NOW)
