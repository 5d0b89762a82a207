"""The order of the rules of contract §5: where two of them apply, the earlier one answers."""

from datetime import timedelta
from typing import Any

import pytest

from consent_service.domain.decision import Decision, Situation, decide_tracker
from consent_service.domain.vocabulary import CATEGORIES, AgeBand, Category, Dnt, Reason
from tests.support.builders import ALL, NOW, RULES, account, chosen, entry, exempt, reason, record, rules, situation

ADS, SOCIAL, STATISTICAL = Category.ADVERTISING, Category.SOCIAL_MEDIA, Category.STATISTICAL
DNT_ON = Dnt.DO_NOT_TRACK
PAST = NOW - timedelta(seconds=1)


def every_trouble(**members: Any) -> Situation:
    """Put a visitor before the shop to whom every denying rule applies at once; `members` take some away."""
    troubles: dict[str, Any] = {
        "restricted": True,
        "age_band": AgeBand.CHILD,
        "objections": ALL,
        "gpc": True,
        "opted_out": True,
        "dnt": DNT_ON,
        "web": chosen(),
    }
    return situation(record(**(troubles | members)), "US-CA", by=rules(signals={"dnt": "strict"}))


def test_what_nobody_registered_is_denied_before_anything_else_is_asked() -> None:
    """TRK-05, rule 1 before 2: there is no category to be exempt by."""
    assert decide_tracker(every_trouble(), "nobody_knows_it") == Decision(None, Reason.UNREGISTERED, "nobody_knows_it")


def test_an_exempt_tracker_runs_for_a_visitor_whose_data_is_restricted() -> None:
    """Rule 2 before 3."""
    assert reason(every_trouble(), "session") is Reason.EXEMPT
    assert reason(every_trouble(), "cart") is Reason.EXEMPT
    assert reason(every_trouble(), Category.STRICTLY_NECESSARY) is Reason.EXEMPT


PAIRS = [
    pytest.param({}, Reason.RESTRICTED, id="3-restriction-before-4-child"),
    pytest.param({"restricted": False}, Reason.CHILD, id="4-child-before-5-objection"),
    pytest.param({"restricted": False, "age_band": AgeBand.ADULT}, Reason.OBJECTED, id="5-objection-before-6-gpc"),
    pytest.param(
        {"restricted": False, "age_band": AgeBand.ADULT, "objections": frozenset()},
        Reason.GPC,
        id="6-gpc-before-opt-out",
    ),
    pytest.param(
        {"restricted": False, "age_band": AgeBand.ADULT, "objections": frozenset(), "gpc": False},
        Reason.OPTED_OUT,
        id="6-opt-out-before-7-choice",
    ),
    pytest.param(
        {"restricted": False, "age_band": AgeBand.ADULT, "objections": frozenset(), "gpc": False, "opted_out": False},
        Reason.REFUSED,
        id="7-refusal-before-dnt",
    ),
]


@pytest.mark.parametrize(("taken_away", "expected"), PAIRS)
@pytest.mark.parametrize("asked", [ADS, "_fbp", "ad_pixel"])
def test_of_two_rules_that_apply_the_earlier_one_answers(
    taken_away: dict[str, Any], expected: Reason, asked: Category | str
) -> None:
    """Rules 3 to 7: each case is the one before without the trouble that answered there."""
    assert reason(every_trouble(**taken_away), asked) is expected


def test_a_withdrawal_is_told_from_a_refusal() -> None:
    """Rule 7: a denial is a withdrawal where a grant stood before it."""
    s = situation(record(web=chosen(withdrawn=[ADS])))
    assert reason(s, ADS) is Reason.WITHDRAWN
    assert reason(s, SOCIAL) is Reason.REFUSED


@pytest.mark.parametrize("region", ["FR", "US-TX", None])
def test_a_refusal_never_lapses_into_an_allow(region: str | None) -> None:
    """Rule 7 before 8: a refusal that has lapsed is a refusal, also where silence would allow."""
    known = record(web=chosen(withdrawn=[ADS], expires_at=PAST, version="long-ago"))
    assert reason(situation(known, region), ADS) is Reason.WITHDRAWN
    assert reason(situation(known, region), Category.PERSONALIZATION) is Reason.REFUSED


def test_an_expired_grant_says_so_before_the_changed_policy_does() -> None:
    """CON-10: of two ways to lapse, expiry is looked at first."""
    expired = record(web=chosen(ADS, expires_at=NOW, version="long-ago"))
    assert reason(situation(expired), ADS) is Reason.EXPIRED
    assert reason(situation(record(web=chosen(ADS, version="long-ago"))), ADS) is Reason.POLICY_CHANGED


def test_a_grant_holds_until_the_moment_it_expires() -> None:
    """CON-10: at `expires_at` it is over, a moment before it is not."""
    last_moment = record(web=chosen(ADS, expires_at=NOW + timedelta(microseconds=1)))
    assert reason(situation(last_moment), ADS) is Reason.GRANTED
    assert reason(situation(record(web=chosen(ADS, expires_at=NOW))), ADS) is Reason.EXPIRED


@pytest.mark.parametrize("lapsed", [{"expires_at": PAST}, {"version": "long-ago"}])
def test_dnt_answers_for_a_grant_that_has_lapsed(lapsed: dict[str, Any]) -> None:
    """Rule 8: there is no valid choice, so do-not-track stands before the carried reason and before the default."""
    known = record(web=chosen(ADS, **lapsed))
    assert reason(situation(known, dnt=DNT_ON), ADS) is Reason.DNT
    assert reason(situation(known, "US-TX", dnt=DNT_ON), ADS) is Reason.DNT


def test_strict_dnt_answers_before_a_missing_separate_consent() -> None:
    """Rule 7: dnt under `strict` stands before separate_consent, under `respect` an explicit grant goes on to it."""
    known = record(web=chosen(ADS))
    assert reason(situation(known, "CN", dnt=DNT_ON, by=rules(signals={"dnt": "strict"})), ADS) is Reason.DNT
    assert reason(situation(known, "CN", dnt=DNT_ON), ADS) is Reason.SEPARATE_CONSENT


def test_dnt_without_a_choice_answers_before_the_default_of_the_region() -> None:
    """SIG-07, rule 8: denied in an opt-out state as well."""
    assert reason(situation(None, "US-TX", dnt=DNT_ON), ADS) is Reason.DNT
    assert reason(situation(None, "US-TX"), ADS) is Reason.REGION_DEFAULT


REACHED = {
    Reason.EXEMPT: (situation(), "session"),
    Reason.GRANTED: (situation(record(web=chosen(ADS))), ADS),
    Reason.REGION_DEFAULT: (situation(None, "US-CA"), ADS),
    Reason.NO_RECORD: (situation(), ADS),
    Reason.REFUSED: (situation(record(web=chosen())), ADS),
    Reason.WITHDRAWN: (situation(record(web=chosen(withdrawn=[ADS]))), ADS),
    Reason.EXPIRED: (situation(record(web=chosen(ADS, expires_at=PAST))), ADS),
    Reason.POLICY_CHANGED: (situation(record(web=chosen(ADS, version="long-ago"))), ADS),
    Reason.DNT: (situation(dnt=DNT_ON), ADS),
    Reason.GPC: (situation(gpc=True), ADS),
    Reason.OPTED_OUT: (situation(record(opted_out=True)), ADS),
    Reason.CHILD: (situation(record(age_band=AgeBand.CHILD)), ADS),
    Reason.RESTRICTED: (situation(record(restricted=True)), ADS),
    Reason.OBJECTED: (situation(record(objections=frozenset({ADS}))), ADS),
    Reason.SEPARATE_CONSENT: (situation(record(web=chosen(ADS)), "CN"), ADS),
    Reason.UNREGISTERED: (situation(), "nobody_knows_it"),
}


@pytest.mark.parametrize(("expected", "case"), REACHED.items(), ids=lambda value: getattr(value, "value", ""))
def test_every_reason_is_reached(expected: Reason, case: tuple[Situation, Category | str]) -> None:
    """SIG-26: every decision names its cause."""
    assert reason(*case) is expected


def test_only_a_store_that_is_away_gives_the_one_reason_left() -> None:
    """SVC-01: `unavailable` is no rule of the domain; service/decisions.py answers it when it could not read."""
    assert set(Reason) - REACHED.keys() == {Reason.UNAVAILABLE}


def test_an_unknown_visitor_in_an_opt_in_region_gets_what_is_exempt_and_nothing_else() -> None:
    """CON-01: seven categories denied, exempt trackers allowed one by one."""
    s = situation()
    assert {c: reason(s, c) for c in CATEGORIES if reason(s, c) is not Reason.NO_RECORD} == {
        Category.STRICTLY_NECESSARY: Reason.EXEMPT
    }
    assert reason(s, "session") is Reason.EXEMPT
    assert reason(s, "_fbp") is Reason.NO_RECORD


def test_an_account_may_be_what_carries_signal_and_opt_out() -> None:
    """SIG-14, rule 6: "for this visitor or account"."""
    assert reason(situation(record(account=account(gpc=True))), ADS) is Reason.GPC
    assert reason(situation(record(account=account(opted_out=True))), ADS) is Reason.OPTED_OUT


def test_a_decision_for_a_strictly_necessary_tracker_needs_no_exemption_entry() -> None:
    """Rule 2, SIG-06: the category alone is enough, whatever the browser signals."""
    assert RULES.find("cart")[0].exempt is None
    assert reason(situation(None, None, dnt=DNT_ON, gpc=True), "cart") is Reason.EXEMPT


def test_a_category_is_decided_by_what_its_entry_says_and_a_tracker_by_its_own() -> None:
    """Rule 6: asked by category the category shares; a tracker of it that keeps data to the shop does not (SIG-13)."""
    s = situation(record(web=chosen(ADS)), "US-CA", gpc=True)
    assert (reason(s, ADS), reason(s, "_fbp"), reason(s, "own_ads")) == (Reason.GPC, Reason.GPC, Reason.GRANTED)
    by = rules(trackers=[entry("partner", "cookie", "statistical", sells_or_shares=True)])
    shared = situation(record(web=chosen(STATISTICAL)), "US-CA", gpc=True, by=by)
    assert (reason(shared, STATISTICAL), reason(shared, "partner")) == (Reason.GRANTED, Reason.GPC)


def test_an_exemption_holds_only_where_it_was_declared() -> None:
    """Rule 2: the declared regions, their subdivisions, and `*` for everywhere and nowhere known."""
    by = rules(trackers=[entry("theme", "cookie", "functionality", "P1M", exempt=exempt("ui_customisation", "GB"))])
    assert [reason(situation(None, r, by=by), "theme") for r in ("GB", "GB-ENG", "FR", None)] == [
        *(Reason.EXEMPT, Reason.EXEMPT),
        *(Reason.NO_RECORD, Reason.NO_RECORD),
    ]
    assert reason(situation(None, None), "session") is Reason.EXEMPT
