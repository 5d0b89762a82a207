"""The region tables: every row with law and date, and the strictest answer where nothing is known."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.regions import (
    BUILT_IN_REGIMES,
    GPC_REQUIRED,
    REGION_RULES,
    RegionRule,
    covers,
    lookup,
    parse_region,
)
from consent_service.domain.vocabulary import Regime
from tests.support.builders import policy

BUILT_IN = policy()
EEA = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO".split()
OPT_OUT_STATES = "CA VA CO CT UT FL OR TX MT DE IA NE NH NJ TN MN MD IN KY RI".split()
GPC_STATES = "CA CO CT TX MT NE NH NJ MN MD DE OR".split()


@pytest.mark.parametrize(
    "region", [*EEA, "GB", "CH", "CN", "BR", "CA-QC", "FR-75", "GB-SCT", "DE-BY", "JP", "ZZ", None]
)
def test_where_consent_comes_first(region: str | None) -> None:
    """REG-01, REG-02, REG-07: EEA, UK, Switzerland, Quebec, China, Brazil, and wherever nothing is known."""
    assert BUILT_IN.regime(region) is Regime.OPT_IN


@pytest.mark.parametrize("region", [*(f"US-{state}" for state in OPT_OUT_STATES), "US", "US-WY", "CA", "CA-ON"])
def test_where_one_opts_out(region: str) -> None:
    """REG-05: the states with a privacy law, the others as their country."""
    assert BUILT_IN.regime(region) is Regime.OPT_OUT


def test_the_states_that_require_recognition_of_a_signal() -> None:
    """Rules §1.4: twelve states; "US" alone counts as one of them."""
    assert {region for region, required in GPC_REQUIRED.items() if required} == {"US", *(f"US-{s}" for s in GPC_STATES)}


@pytest.mark.parametrize("rule", REGION_RULES, ids=lambda rule: rule.region)
def test_every_row_has_its_law_and_its_date(rule: RegionRule) -> None:
    """REG-01, issue 5 item 2: source and effective date; no row speaks of a law to come."""
    assert rule.source
    assert date(2015, 1, 1) <= rule.effective <= date(2026, 11, 24)
    assert parse_region(rule.region) == rule.region


def test_no_region_stands_twice_and_a_subdivision_stands_before_its_country() -> None:
    """REG-01: the first match wins."""
    codes = [rule.region for rule in REGION_RULES]
    assert len(set(codes)) == len(codes)
    assert codes.index("CA-QC") < codes.index("CA")
    assert max(codes.index(f"US-{state}") for state in OPT_OUT_STATES) < codes.index("US")
    assert [rule.regions for rule in BUILT_IN_REGIMES] == [frozenset({code}) for code in codes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FR", "FR"),
        ("fr", "FR"),
        (" us-ca ", "US-CA"),
        ("GB-SCT", "GB-SCT"),
        ("CN-11", "CN-11"),
        ("F", None),
        ("FRA", None),
        ("FR-", None),
        ("FR_75", None),
        ("US-CALI", None),
        ("*", None),
        ("", None),
        ("FR,US", None),
        ("ﬁ", None),
        ("ß", None),
        ("FR\x00", None),
        (None, None),
    ],
)
def test_what_is_no_region_code_is_the_unknown_region(text: str | None, expected: str | None) -> None:
    """REG-01: unknown, never an error."""
    assert parse_region(text) == expected


@given(st.text())
def test_any_text_is_a_code_or_unknown(text: str) -> None:
    """REG-01."""
    code = parse_region(text)
    assert code is None or code == text.strip().upper()
    assert code is None or parse_region(code) == code


def test_a_region_s_own_row_stands_before_its_country_s_and_that_before_the_one_for_anywhere() -> None:
    """Contract §10: tables by region."""
    table = {"*": 1, "US": 2, "US-CA": 3}
    assert [lookup(table, region) for region in ("US-CA", "US-TX", "US", "FR", None)] == [3, 2, 2, 1, 1]
    assert lookup({"US-CA": 3}, "US") is None


def test_a_list_of_regions_covers_countries_with_their_parts() -> None:
    """Rule 2, REG-03: only `*` covers the unknown region."""
    some = frozenset({"FR", "US-CA"})
    assert [covers(some, region) for region in ("FR", "FR-75", "US-CA", "US", "US-TX", None)] == [
        *(True, True, True),
        *(False, False, False),
    ]
    assert covers(frozenset({"*"}), None)
    assert not covers(frozenset(), "FR")


@pytest.mark.parametrize(
    ("region", "age"),
    [("DE", 16), ("FR", 15), ("AT", 14), ("GB", 13), ("US-CA", 13), ("CN", 14), ("JP", 16), (None, 16)],
)
def test_the_age_of_consent_where_a_policy_does_not_say(region: str | None, age: int) -> None:
    """KID-02, GDPR Art. 8(1): from 13 to 16; the highest where nothing is known."""
    assert BUILT_IN.age_of_consent(region) == age


def test_a_policy_s_regimes_replace_the_table_and_the_first_match_wins() -> None:
    """Contract §10: and the unknown region stays opt-in, whatever is written for anywhere."""
    rows = [
        {"regions": ["US-CA"], "regime": "opt_in"},
        {"regions": ["US", "FR"], "regime": "notice"},
        {"regions": ["*"], "regime": "opt_out"},
    ]
    own = policy(regimes=rows)
    assert [own.regime(region) for region in ("US-CA", "US-TX", "FR", "DE", None)] == [
        *(Regime.OPT_IN, Regime.NOTICE, Regime.NOTICE, Regime.OPT_OUT),
        Regime.OPT_IN,
    ]
    assert policy(regimes=rows[:1]).regime("US-TX") is Regime.OPT_IN


def test_a_lifetime_is_the_region_s_the_country_s_or_the_default() -> None:
    """CON-08: six months where the policy says nothing."""
    own = policy(lifetimes={"US": "P9M", "US-CA": "P12M"})
    assert [own.lifetime(region).months for region in ("US-CA", "US-TX", "FR", None)] == [12, 9, 6, 6]
