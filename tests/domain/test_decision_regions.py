"""What the place decides: regimes and DNT modes, ages, separate consents."""

from datetime import timedelta
from typing import Any

import pytest

from consent_service.domain.vocabulary import AgeBand, Category, Dnt, GpcMode, Reason, SeparateConsent
from tests.support.builders import NOW, chosen, entry, reason, record, rules, situation

ADS, SOCIAL, STATISTICAL = Category.ADVERTISING, Category.SOCIAL_MEDIA, Category.STATISTICAL
PERSONAL, FUNCTIONAL = Category.PERSONALIZATION, Category.FUNCTIONALITY
SHARING, CROSS_BORDER = SeparateConsent.THIRD_PARTY_SHARING, SeparateConsent.CROSS_BORDER
ON, OFF = Dnt.DO_NOT_TRACK, Dnt.ALLOW
EVERYWHERE: dict[str | None, Any] = {None: {}} | {
    mode: {"regimes": [{"regions": ["*"], "regime": mode}]} for mode in ("opt_in", "opt_out", "notice")
}

SILENCE = [
    # region, regime written in the policy, DNT mode, DNT, answer for advertising, answer for functionality
    ("FR", None, "record", ON, Reason.NO_RECORD, Reason.NO_RECORD),
    ("FR", None, "respect", ON, Reason.DNT, Reason.NO_RECORD),
    ("FR", None, "strict", ON, Reason.DNT, Reason.NO_RECORD),
    ("FR", None, "respect", OFF, Reason.NO_RECORD, Reason.NO_RECORD),
    ("US-TX", None, "record", ON, Reason.REGION_DEFAULT, Reason.REGION_DEFAULT),
    ("US-TX", None, "respect", ON, Reason.DNT, Reason.REGION_DEFAULT),
    ("US-TX", None, "strict", ON, Reason.DNT, Reason.REGION_DEFAULT),
    ("US-TX", None, "respect", OFF, Reason.REGION_DEFAULT, Reason.REGION_DEFAULT),
    ("US-TX", None, "respect", None, Reason.REGION_DEFAULT, Reason.REGION_DEFAULT),
    ("JP", "notice", "respect", None, Reason.REGION_DEFAULT, Reason.REGION_DEFAULT),
    ("JP", "notice", "respect", ON, Reason.DNT, Reason.REGION_DEFAULT),
    ("FR", "opt_out", "respect", None, Reason.REGION_DEFAULT, Reason.REGION_DEFAULT),
    ("US-TX", "opt_in", "respect", None, Reason.NO_RECORD, Reason.NO_RECORD),
    (None, "notice", "respect", None, Reason.NO_RECORD, Reason.NO_RECORD),
    ("ZZ", None, "respect", None, Reason.NO_RECORD, Reason.NO_RECORD),
    ("US-VA", None, "respect", None, Reason.REGION_DEFAULT, Reason.REGION_DEFAULT),
    ("CA-QC", None, "respect", None, Reason.NO_RECORD, Reason.NO_RECORD),
    ("CA-ON", None, "respect", None, Reason.REGION_DEFAULT, Reason.REGION_DEFAULT),
]


@pytest.mark.parametrize(("region", "regime", "mode", "dnt", "ads", "functional"), SILENCE)
def test_what_silence_means_depends_on_place_and_signal(
    region: str | None, regime: str | None, mode: str, dnt: Dnt | None, ads: Reason, functional: Reason
) -> None:
    """REG-01, REG-02, REG-05, REG-07, SIG-05, SIG-07, rule 8: DNT speaks about what tracks and never allows."""
    s = situation(None, region, dnt=dnt, by=rules(signals={"dnt": mode}, **EVERYWHERE[regime]))
    assert (reason(s, ADS), reason(s, FUNCTIONAL)) == (ads, functional)


@pytest.mark.parametrize("category", [ADS, SOCIAL, STATISTICAL, Category.ANALYTICAL_PERFORMANCE])
@pytest.mark.parametrize(
    ("mode", "expected"), [("record", Reason.GRANTED), ("respect", Reason.GRANTED), ("strict", Reason.DNT)]
)
def test_an_explicit_grant_stands_against_dnt_unless_the_policy_is_strict(
    category: Category, mode: str, expected: Reason
) -> None:
    """SIG-08, rule 7: configurable, in the four categories that track."""
    s = situation(record(web=chosen(category)), dnt=ON, by=rules(signals={"dnt": mode}))
    assert reason(s, category) is expected


@pytest.mark.parametrize("category", [PERSONAL, FUNCTIONAL, Category.TECHNICAL])
def test_strict_dnt_leaves_alone_what_does_not_track(category: Category) -> None:
    """Contract §5: advertising, social media, statistical and analytical_performance track; the others do not."""
    assert reason(situation(record(web=chosen(category)), dnt=ON, by=rules(signals={"dnt": "strict"})), category) is (
        Reason.GRANTED
    )


def test_the_request_s_dnt_counts_before_the_stored_one_and_absence_does_not() -> None:
    """SIG-01, contract §5: the request's signal where it is present, else what is on record."""
    known = record(dnt=ON)
    assert reason(situation(known, "US-TX"), ADS) is Reason.DNT
    assert reason(situation(known, "US-TX", dnt=OFF), ADS) is Reason.REGION_DEFAULT
    assert reason(situation(record(dnt=OFF), "US-TX", dnt=ON), ADS) is Reason.DNT
    assert situation(known).dnt is ON


def test_a_later_request_without_gpc_changes_nothing() -> None:
    """SIG-11, SIG-15: absence is never an opt-in."""
    assert reason(situation(record(gpc=True), "US-CA"), ADS) is Reason.GPC


@pytest.mark.parametrize(
    ("mode", "region", "expected"),
    [
        (GpcMode.HONOR, "FR", Reason.GPC),
        (GpcMode.HONOR, "US-VA", Reason.GPC),
        (GpcMode.HONOR_WHERE_LAW_REQUIRES, "US-CA", Reason.GPC),
        (GpcMode.HONOR_WHERE_LAW_REQUIRES, "US", Reason.GPC),
        (GpcMode.HONOR_WHERE_LAW_REQUIRES, "US-WY", Reason.GPC),
        (GpcMode.HONOR_WHERE_LAW_REQUIRES, None, Reason.GPC),
        (GpcMode.HONOR_WHERE_LAW_REQUIRES, "US-VA", Reason.REGION_DEFAULT),
        (GpcMode.HONOR_WHERE_LAW_REQUIRES, "FR", Reason.NO_RECORD),
        (GpcMode.HONOR_WHERE_LAW_REQUIRES, "ZZ", Reason.NO_RECORD),
    ],
)
def test_gpc_is_honoured_everywhere_or_where_a_law_asks_for_it(
    mode: GpcMode, region: str | None, expected: Reason
) -> None:
    """SIG-12, contract §10: the unknown region counts as one whose law asks; a state has its own row's answer."""
    s = situation(None, region, gpc=True, by=rules(signals={"gpc": mode.value}))
    assert reason(s, ADS) is expected
    assert s.gpc


AGES = [
    ("DE", AgeBand.FROM_13_TO_15, True),
    ("DE", AgeBand.FROM_16_TO_17, False),
    ("FR", AgeBand.FROM_13_TO_15, True),
    ("FR", AgeBand.FROM_16_TO_17, False),
    ("AT", AgeBand.FROM_13_TO_15, True),
    ("GB", AgeBand.UNDER_13, True),
    ("GB", AgeBand.FROM_13_TO_15, False),
    ("US-CA", AgeBand.UNDER_13, True),
    ("US-CA", AgeBand.FROM_13_TO_15, False),
    (None, AgeBand.FROM_13_TO_15, True),
    (None, AgeBand.FROM_16_TO_17, False),
    ("FR", AgeBand.CHILD, True),
    ("FR", AgeBand.ADULT, False),
    ("FR", AgeBand.UNKNOWN, False),
]


@pytest.mark.parametrize(("region", "band", "child"), AGES)
def test_a_band_is_a_child_where_its_youngest_age_lies_under_the_age_of_consent(
    region: str | None, band: AgeBand, child: bool
) -> None:
    """KID-01, KID-02: DE 16, FR 15, UK 13; three categories are denied whatever is stored, the others are not."""
    s = situation(record(web=chosen(*Category), age_band=band), region)
    protected = {reason(s, category) for category in (ADS, SOCIAL, PERSONAL)}
    assert protected == ({Reason.CHILD} if child else {Reason.GRANTED})
    assert reason(s, STATISTICAL) is Reason.GRANTED


@pytest.mark.parametrize(
    ("age", "band", "child"), [(16, "16_17", False), (17, "16_17", True), (13, "13_15", False), (14, "13_15", True)]
)
def test_the_age_of_consent_is_configured_and_its_boundary_is_sharp(age: int, band: str, child: bool) -> None:
    """KID-02: a person of just that age consents, one a year short does not."""
    s = situation(record(web=chosen(ADS), age_band=AgeBand(band)), by=rules(age_of_consent={"FR": age}))
    assert s.child is child


def test_an_age_of_consent_of_nought_means_that_no_one_is_too_young() -> None:
    """KID-02: the written row counts, nought included."""
    s = situation(record(age_band=AgeBand.UNDER_13), "US", by=rules(age_of_consent={"default": 16, "US": 0}))
    assert not s.child


def test_an_unknown_age_is_a_child_where_the_shop_is_directed_to_children() -> None:
    """KID-04: unknown is not adult there; one known to be an adult is."""
    by = rules(child_directed=True, trackers=[entry("partner", "cookie", "statistical", sells_or_shares=True)])
    assert reason(situation(None, "US-CA", by=by), ADS) is Reason.CHILD
    assert reason(situation(None, "US-CA", by=by), "partner") is Reason.NO_RECORD
    assert reason(situation(record(age_band=AgeBand.ADULT), "US-CA", by=by), ADS) is Reason.REGION_DEFAULT


def test_from_13_to_15_a_sale_needs_an_opt_in_where_others_opt_out() -> None:
    """REG-06, 11 CCR 7070 and 7071: no opt-in, no advertising; with it there is; what is not shared may run."""
    minor = {"age_band": AgeBand.FROM_13_TO_15}
    silent = situation(record(**minor), "US-CA")
    assert (reason(silent, ADS), reason(silent, "own_ads")) == (Reason.NO_RECORD, Reason.REGION_DEFAULT)
    assert reason(situation(record(web=chosen(ADS), **minor), "US-CA"), ADS) is Reason.GRANTED
    lapsed = record(web=chosen(ADS, expires_at=NOW - timedelta(days=1)), **minor)
    assert reason(situation(lapsed, "US-CA"), ADS) is Reason.EXPIRED
    assert reason(situation(record(age_band=AgeBand.FROM_16_TO_17), "US-CA"), ADS) is Reason.REGION_DEFAULT


def test_under_13_a_parent_decides_and_here_nobody_does() -> None:
    """REG-06: a stored grant of a child under 13 counts for nothing."""
    assert reason(situation(record(web=chosen(ADS), age_band=AgeBand.UNDER_13), "US-CA"), ADS) is Reason.CHILD


def test_in_china_a_bundle_is_not_enough() -> None:
    """REG-08, PIPL Art. 23 and 39: sharing and cross-border transfer are agreed apart from accept-all."""
    bundle = chosen(*Category)
    assert reason(situation(record(web=bundle), "CN"), ADS) is Reason.SEPARATE_CONSENT
    shared = situation(record(web=bundle, separate=frozenset({SHARING})), "CN")
    assert (reason(shared, "own_ads"), reason(shared, "_fbp")) == (Reason.GRANTED, Reason.SEPARATE_CONSENT)
    assert (reason(shared, ADS), reason(shared, SOCIAL)) == (Reason.SEPARATE_CONSENT, Reason.GRANTED)
    both = situation(record(web=bundle, separate=frozenset({SHARING, CROSS_BORDER})), "CN")
    assert (reason(both, ADS), reason(both, "_fbp")) == (Reason.GRANTED, Reason.GRANTED)


def test_only_what_crosses_a_border_needs_the_consent_for_it() -> None:
    """REG-08: functionality has a tracker that crosses, personalization has none; elsewhere nothing is asked."""
    s = situation(record(web=chosen(*Category)), "CN")
    assert (reason(s, "crm"), reason(s, FUNCTIONAL)) == (Reason.SEPARATE_CONSENT, Reason.SEPARATE_CONSENT)
    assert (reason(s, "settings_lso"), reason(s, PERSONAL)) == (Reason.GRANTED, Reason.GRANTED)
    assert reason(situation(record(web=chosen(*Category)), "FR"), "crm") is Reason.GRANTED


def test_what_needs_a_separate_consent_does_not_run_on_silence_either() -> None:
    """REG-08: silence allows no more than a bundle does, also where the regime is opt-out."""
    by = rules(separate_consent=[{"regions": ["US"], "categories": ["advertising"], "needs": ["third_party_sharing"]}])
    assert reason(situation(None, "US-TX", by=by), ADS) is Reason.SEPARATE_CONSENT
    agreed = record(separate=frozenset({SHARING}))
    assert reason(situation(agreed, "US-TX", by=by), ADS) is Reason.REGION_DEFAULT
    assert reason(situation(None, "US-TX", by=by), SOCIAL) is Reason.REGION_DEFAULT


def test_moving_to_a_stricter_place_is_judged_there_at_once() -> None:
    """REG-10: recorded in Texas, read from Germany."""
    known = record(region="US-TX", dnt=None)
    assert reason(situation(known, "US-TX"), ADS) is Reason.REGION_DEFAULT
    assert reason(situation(known, "DE"), ADS) is Reason.NO_RECORD
