"""Trackers by name: kinds, exemptions, e-mail, several entries of one name, patterns and lifetimes."""

from datetime import UTC, datetime, timedelta

import pytest

from consent_service.domain.decision import Decision, decide_tracker
from consent_service.domain.record import ConsentRecord
from consent_service.domain.vocabulary import AgeBand, Category, Reason, SeparateConsent, TrackerKind
from tests.support.builders import NOW, account, chosen, entry, exempt, reason, record, rules, situation

ADS, SOCIAL, STATISTICAL = Category.ADVERTISING, Category.SOCIAL_MEDIA, Category.STATISTICAL
DAY = 86_400

KINDS = rules(trackers=[entry(kind.value, kind.value, "statistical") for kind in TrackerKind if kind != "email_pixel"])


@pytest.mark.parametrize("kind", [kind.value for kind in TrackerKind if kind != "email_pixel"])
@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, Reason.NO_RECORD),
        (record(web=chosen(STATISTICAL)), Reason.GRANTED),
        (record(web=chosen()), Reason.REFUSED),
        (record(restricted=True), Reason.RESTRICTED),
    ],
)
def test_one_rule_decides_for_every_technique(kind: str, known: ConsentRecord | None, expected: Reason) -> None:
    """TRK-01: cookie, local storage, IndexedDB, Flash LSO, pixel, script, link: the same answer."""
    assert reason(situation(known, by=KINDS), kind) is expected


def test_e_mail_pixels_are_decided_by_the_choices_for_e_mail_alone() -> None:
    """TRK-02, TRK-03: accepting everything on the web says nothing about mails, nor the other way round."""
    web_only = situation(record(web=chosen(*Category)))
    assert (reason(web_only, "_fbp"), reason(web_only, "mail_open_individual")) == (Reason.GRANTED, Reason.NO_RECORD)
    mail_only = situation(record(email=chosen(ADS)))
    assert (reason(mail_only, "_fbp"), reason(mail_only, "mail_open_individual")) == (Reason.NO_RECORD, Reason.GRANTED)
    assert reason(mail_only, ADS) is Reason.NO_RECORD


def test_of_three_e_mail_pixels_only_the_individual_one_needs_consent() -> None:
    """TRK-02: aggregate open rates and security are exempt in France, and nowhere the policy does not say so."""
    names = ("mail_open_individual", "mail_open_rate", "mail_security")
    assert [reason(situation(), name) for name in names] == [Reason.NO_RECORD, Reason.EXEMPT, Reason.EXEMPT]
    assert [reason(situation(None, "DE"), name) for name in names] == [Reason.NO_RECORD] * 3


@pytest.mark.parametrize(
    ("name", "region", "expected"),
    [
        ("visits", "FR", Reason.EXEMPT),
        ("visits", "GB", Reason.EXEMPT),
        ("visits", "DE", Reason.NO_RECORD),
        ("visits", None, Reason.NO_RECORD),
        ("theme", "GB", Reason.EXEMPT),
        ("theme", "FR", Reason.NO_RECORD),
        ("session", "CN", Reason.EXEMPT),
        ("session", None, Reason.EXEMPT),
    ],
)
def test_an_exemption_holds_in_the_regions_it_names(name: str, region: str | None, expected: Reason) -> None:
    """REG-03, REG-04: only where the operator enabled it."""
    assert reason(situation(None, region), name) is expected


@pytest.mark.parametrize(("name", "category"), [("visits", STATISTICAL), ("theme", Category.FUNCTIONALITY)])
def test_an_objection_ends_the_exemptions_that_depend_on_it(name: str, category: Category) -> None:
    """REG-03: the UK's statistical and appearance exceptions; objecting to another category ends neither."""
    assert reason(situation(record(objections=frozenset({category})), "GB"), name) is Reason.OBJECTED
    assert reason(situation(record(objections=frozenset({ADS})), "GB"), name) is Reason.EXEMPT


def test_an_objection_does_not_log_the_visitor_out() -> None:
    """Rule 2 before 5: what a shop cannot do without is not objected away."""
    assert reason(situation(record(objections=frozenset(Category))), "session") is Reason.EXEMPT


def test_sharing_is_exempt_for_members_who_are_logged_in() -> None:
    """TRK-09: the same button needs consent before the login, and a tracking plug-in after it too."""
    assert reason(situation(), "share") is Reason.NO_RECORD
    assert reason(situation(record()), "share") is Reason.NO_RECORD
    member = situation(record(account=account()))
    assert (reason(member, "share"), reason(member, "like")) == (Reason.EXEMPT, Reason.NO_RECORD)


def test_the_exact_name_speaks_before_the_longest_pattern_and_that_before_shorter_ones() -> None:
    """Contract §10: a trailing * matches the rest of a name."""
    trackers = [
        entry("id*", "cookie", "technical"),
        entry("id_ad*", "cookie", "advertising"),
        entry("id_ad", "cookie", "statistical"),
    ]
    by = rules(trackers=trackers)
    found = {
        name: decide_tracker(situation(by=by), name).category for name in ("id", "id_x", "id_ad", "id_ad_x", "i", "xid")
    }
    assert found == {
        "id": Category.TECHNICAL,
        "id_x": Category.TECHNICAL,
        "id_ad": STATISTICAL,
        "id_ad_x": ADS,
        "i": None,
        "xid": None,
    }


def test_a_pattern_is_asked_for_by_its_own_name_as_well() -> None:
    """CON-14: the cleanup goes through the registry by name."""
    assert decide_tracker(situation(), "_ga_*").category is Category.ANALYTICAL_PERFORMANCE
    assert decide_tracker(situation(), "_ga_X1").reason is Reason.NO_RECORD


def test_a_name_is_looked_up_as_it_is_written() -> None:
    """TRK-05: cookie names are case-sensitive; anything else is unregistered."""
    assert [reason(situation(), name) for name in ("_FBP", "_fbp ", "", "_fb", "\ud800")] == [Reason.UNREGISTERED] * 5


def test_of_several_entries_of_one_name_every_one_must_be_allowed() -> None:
    """Contract §5: a name that two providers use runs only where both may."""
    trackers = [
        entry("id", "cookie", "technical", "P30D", exempt=exempt("authentication")),
        entry("id", "cookie", "advertising", "P10D", domain="ads.example"),
    ]
    by = rules(trackers=trackers)
    assert decide_tracker(situation(by=by), "id") == Decision(ADS, Reason.NO_RECORD, "id")
    granted = decide_tracker(situation(record(web=chosen(ADS)), by=by), "id")
    assert granted == Decision(Category.TECHNICAL, Reason.EXEMPT, "id", 10 * DAY)


LEAST = [
    ("P2Y", timedelta(days=100), 100 * DAY),
    ("P30D", timedelta(days=100), 30 * DAY),
    ("P2Y", timedelta(days=900), 400 * DAY),
    ("P400D", timedelta(days=900), 400 * DAY),
    ("PT1S", timedelta(days=900), 1),
    ("P2Y", timedelta(seconds=1, microseconds=999_999), 1),
    ("P2Y", timedelta(microseconds=1), 0),
]


@pytest.mark.parametrize(("duration", "rest", "expected"), LEAST)
def test_max_age_is_the_least_of_declared_cap_and_rest_of_the_choice(
    duration: str, rest: timedelta, expected: int
) -> None:
    """TRK-08: whole seconds, never rounded up."""
    by = rules(trackers=[entry("one", "cookie", "statistical", duration)])
    known = record(web=chosen(STATISTICAL, expires_at=NOW + rest))
    assert decide_tracker(situation(known, by=by), "one").max_age == expected


def test_the_site_s_own_cap_counts_where_it_is_the_least() -> None:
    """TRK-08: `cookie_cap`."""
    by = rules(cookie_cap="P7D", trackers=[entry("one", "cookie", "statistical", "P2Y")])
    assert decide_tracker(situation(record(web=chosen(STATISTICAL)), by=by), "one").max_age == 7 * DAY


def test_the_law_s_cap_counts_for_exempt_audience_measurement() -> None:
    """TRK-08, REG-04: 13 calendar months, which may be fewer days than the declared duration."""
    february = datetime(2027, 2, 1, tzinfo=UTC)
    measured = entry(
        "one", "cookie", "statistical", "P397D", scope="aggregate", exempt=exempt("audience_measurement", "FR")
    )
    by = rules(trackers=[measured])
    assert decide_tracker(situation(None, "FR", now=february, by=by), "one").max_age == 394 * DAY
    assert decide_tracker(situation(None, "FR", now=NOW, by=by), "one").max_age == 395 * DAY
    consented = record(web=chosen(STATISTICAL, expires_at=NOW + timedelta(days=900)))
    assert decide_tracker(situation(consented, "DE", by=by), "one").max_age == 397 * DAY


def test_without_a_choice_only_declaration_and_cap_count() -> None:
    """TRK-08: exempt and region_default know no rest of a choice; a lapsed or refused choice is none."""
    assert decide_tracker(situation(), "cart").max_age == 7 * DAY
    assert decide_tracker(situation(None, "US-TX"), "_fbp").max_age == 90 * DAY
    lapsed = record(web=chosen(ADS, expires_at=NOW))
    assert decide_tracker(situation(lapsed, "US-TX"), "_fbp").max_age == 90 * DAY
    short = record(web=chosen(STATISTICAL, expires_at=NOW + timedelta(seconds=5)))
    assert (
        decide_tracker(situation(short, "FR"), "visits").max_age
        == (datetime(2027, 12, 24, 9, tzinfo=UTC) - NOW).days * DAY
    )


def test_there_is_no_max_age_where_nothing_stays_or_nothing_is_allowed() -> None:
    """TRK-08, contract §5: session cookies, session storage, pixels, scripts, and whatever is denied."""
    everything = situation(record(web=chosen(*Category)))
    by = rules(trackers=[entry("tab", "session_storage", "statistical", "P1D"), entry("code", "script", "statistical")])
    grants = situation(record(web=chosen(STATISTICAL)), by=by)
    assert [decide_tracker(everything, name).max_age for name in ("session", "ad_pixel", "crm")] == [None] * 3
    assert [decide_tracker(grants, name) for name in ("tab", "code")] == [
        *(Decision(STATISTICAL, Reason.GRANTED, "tab"), Decision(STATISTICAL, Reason.GRANTED, "code")),
    ]
    assert decide_tracker(situation(), "_fbp").max_age is None


def test_the_rest_of_the_choice_is_that_of_the_channel_that_decided() -> None:
    """TRK-03, TRK-08: a category granted for mails does not lengthen or shorten what the web grant allows."""
    known = record(
        web=chosen(ADS, expires_at=NOW + timedelta(days=3)), email=chosen(ADS, expires_at=NOW + timedelta(days=1))
    )
    assert decide_tracker(situation(known), "_fbp").max_age == 3 * DAY


def test_shared_choices_count_only_where_the_site_shares_them() -> None:
    """IDN-04, IDN-05: the account's choices where `cross_device` is on, else the browser's own."""
    known = record(web=chosen(ADS), email=chosen(), account=account(web=chosen(), email=chosen(ADS)))
    apart, shared = situation(known), situation(known, by=rules(cross_device=True))
    assert (reason(apart, ADS), reason(apart, "mail_open_individual")) == (Reason.GRANTED, Reason.REFUSED)
    assert (reason(shared, ADS), reason(shared, "mail_open_individual")) == (Reason.REFUSED, Reason.GRANTED)
    logged_out = situation(record(web=chosen(ADS)), by=rules(cross_device=True))
    assert reason(logged_out, ADS) is Reason.GRANTED


def test_a_tracker_of_a_child_is_judged_by_its_category() -> None:
    """KID-01: by name as by category; what is exempt runs all the same."""
    s = situation(record(web=chosen(*Category), age_band=AgeBand.CHILD, separate=frozenset(SeparateConsent)))
    assert [reason(s, name) for name in ("_fbp", "like", "tips", "_ga", "session")] == [
        *(Reason.CHILD, Reason.CHILD, Reason.CHILD),
        *(Reason.GRANTED, Reason.EXEMPT),
    ]
