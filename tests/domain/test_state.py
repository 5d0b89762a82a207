"""The consent as it is answered: vector, expiry, whether to ask, and what must leave the device."""

from datetime import UTC, datetime, timedelta

import pytest

from consent_service.domain.record import ConsentRecord
from consent_service.domain.ruleset import Ruleset
from consent_service.domain.state import consent_state
from consent_service.domain.transitions.choices import Submission, submit, withdraw
from consent_service.domain.transitions.rights import opt_out
from consent_service.domain.verdicts import cleanup
from consent_service.domain.vocabulary import CATEGORIES, Action, Category, Channel
from tests.support.builders import (
    ALL,
    EXPIRES,
    NOW,
    RULES,
    TRACKERS,
    account,
    chosen,
    context,
    entry,
    policy,
    record,
    rules,
    situation,
)

ADS, STATISTICAL, NECESSARY = Category.ADVERTISING, Category.STATISTICAL, Category.STRICTLY_NECESSARY
REJECT, DISMISS = Submission(Action.REJECT_ALL), Submission(Action.DISMISS)
PARTNER = entry("partner", "cookie", "advertising", provider="ads")
WIDER = rules([policy()], version="v2", trackers=[*TRACKERS, PARTNER])
EARLIER = [policy(), WIDER.policy]
REWORDED = rules(EARLIER, version="v3", trackers=[*TRACKERS, PARTNER], cookie_cap="P7D")
WIDER_STILL = rules(EARLIER, version="v3", trackers=[*TRACKERS, PARTNER, entry("again", "cookie", "advertising")])


def prompts(known: ConsentRecord | None, days: float = 0, *, region: str | None = "FR", by: Ruleset = RULES) -> bool:
    """Tell whether the banner asks, so many days from now."""
    return consent_state(situation(known, region, now=NOW + timedelta(days=days), by=by)).prompt


def test_the_vector_stands_in_the_order_of_the_eight_categories() -> None:
    """Contract §3: eight characters, 1 for what may run."""
    state = consent_state(situation(record(web=chosen(Category.TECHNICAL, STATISTICAL))))
    assert state.vector == "10010100"
    assert [decision.category for decision in state.decisions] == list(CATEGORIES)
    assert consent_state(situation()).vector == "00000100"


def test_a_consent_expires_with_the_first_of_its_choices() -> None:
    """Contract §4: `expires_at` of the whole; none where nothing was said."""
    early = EXPIRES - timedelta(days=3)
    choices = {**chosen(ADS), STATISTICAL: chosen(expires_at=early)[STATISTICAL]}
    assert consent_state(situation(record(web=choices))).expires_at == early
    assert consent_state(situation(record())).expires_at is None
    assert consent_state(situation(record(email=chosen(ADS)))).expires_at is None


def test_the_choice_that_counts_is_the_account_s_where_it_is_shared() -> None:
    """IDN-05."""
    known = record(web=chosen(), account=account(chosen(ADS)))
    shared = consent_state(situation(known, by=rules(cross_device=True)))
    assert shared.choice(ADS) == chosen(ADS)[ADS]
    assert consent_state(situation(known)).choice(ADS) == chosen()[ADS]


@pytest.mark.parametrize(
    ("region", "expected"), [("FR", True), (None, True), ("ZZ", True), ("US-CA", False), ("US-TX", False)]
)
def test_one_who_was_never_asked_is_asked_where_a_grant_is_needed(region: str | None, expected: bool) -> None:
    """CON-01, REG-10: recorded in Texas and read from Germany, the banner asks."""
    assert prompts(None, region=region) is expected
    assert prompts(record(region="US-TX"), region=region) is expected


@pytest.mark.parametrize("answer", [REJECT, Submission(Action.ACCEPT_ALL), DISMISS])
@pytest.mark.parametrize(("days", "expected"), [(0, False), (180, False), (181, True)])
def test_in_france_nobody_asks_again_for_six_months(answer: Submission, days: int, expected: bool) -> None:
    """CON-09, CON-08, CON-07: 24 November to 24 May are 181 days, whatever the answer was."""
    assert prompts(submit(record(), answer, context()).record, days) is expected


@pytest.mark.parametrize(("days", "expected"), [(181, False), (364, False), (366, True)])
def test_after_an_opt_out_nobody_asks_again_for_twelve_months(days: int, expected: bool) -> None:
    """CON-09: Civ. Code 1798.135, also when the customer has moved to where a banner asks."""
    known = opt_out(record(), context(region="US-CA")).record
    assert prompts(known, days, region="FR") is expected
    assert prompts(known, days, region="US-CA") is False


@pytest.mark.parametrize(("days", "expected"), [(364, False), (366, True)])
def test_a_region_s_own_lifetime_is_how_long_nobody_asks(days: int, expected: bool) -> None:
    """CON-09: twelve months where the policy says so for the region of the answer."""
    known = submit(record(), REJECT, context(region="US-CA")).record
    assert prompts(known, days) is expected


def test_a_withdrawal_is_not_followed_by_a_new_question() -> None:
    """CON-09: it is an answer."""
    known = withdraw(record(web=chosen(*ALL)), context()).record
    assert (prompts(known, 180), prompts(known, 182)) == (False, True)


def test_consent_that_has_lapsed_is_asked_for_again() -> None:
    """CON-10: denied and prompt."""
    known = record(web=chosen(*ALL, expires_at=NOW), re_prompt_not_before=NOW)
    assert prompts(known)
    assert not prompts(known, -0.001)


def test_a_new_category_s_silence_is_asked_about_after_its_time() -> None:
    """CON-15: what was never answered is open, but not before `re_prompt_not_before`."""
    partly = record(web={c: x for c, x in chosen(ADS).items() if c is not STATISTICAL})
    assert prompts(partly)
    patient = record(web=partly.web, re_prompt_not_before=NOW + timedelta(seconds=1))
    assert not prompts(patient)


def test_what_is_strictly_necessary_is_never_a_reason_to_ask() -> None:
    """CON-04: it cannot be refused."""
    without = {c: x for c, x in chosen().items() if c is not NECESSARY}
    assert not prompts(record(web=without))


def answered(submission: Submission, *, by: Ruleset = RULES, known: ConsentRecord | None = None) -> ConsentRecord:
    """Answer the banner of a version today."""
    return submit(known or record(), submission, context(by=by)).record


def test_a_wider_policy_asks_those_whose_grant_it_no_longer_covers() -> None:
    """CON-11: at once, for the delta only; one who refused is left alone, his refusal stays."""
    assert prompts(answered(Submission(Action.ACCEPT_ALL)), by=WIDER)
    assert not prompts(answered(REJECT), by=WIDER)
    statistics_only = Submission(Action.CUSTOM, {c: c in {STATISTICAL, NECESSARY} for c in CATEGORIES})
    assert not prompts(answered(statistics_only), by=WIDER)


def test_a_dismissed_question_about_the_delta_is_not_asked_again_at_once() -> None:
    """CON-07, contract §5: no new prompt before `re_prompt_not_before`, until a version goes further still."""
    dismissed = answered(DISMISS, by=WIDER, known=answered(Submission(Action.ACCEPT_ALL)))
    assert not prompts(dismissed, by=WIDER)
    assert not prompts(dismissed, 180, by=WIDER)
    assert prompts(dismissed, 181, by=WIDER)
    assert not prompts(dismissed, by=REWORDED)
    assert prompts(dismissed, by=WIDER_STILL)


def test_an_answer_about_mails_does_not_answer_the_banner() -> None:
    """TRK-03: neither the first question nor the one about the delta."""
    by_mail = Submission(Action.ACCEPT_ALL, channel=Channel.EMAIL)
    assert prompts(answered(by_mail))
    assert prompts(answered(by_mail, by=WIDER, known=answered(Submission(Action.ACCEPT_ALL))), by=WIDER)


def removed(known: ConsentRecord, region: str = "FR", by: Ruleset = RULES) -> list[str]:
    """Name what must leave the device."""
    return [tracker.name for tracker in cleanup(situation(known, region, by=by))]


def test_a_withdrawal_names_everything_stored_that_may_not_stay() -> None:
    """CON-14: cookies, storage and LSOs, also patterns; neither pixels and scripts nor what is exempt."""
    known = withdraw(record(web=chosen(*ALL)), context()).record
    assert removed(known) == ["settings_lso", "theme", "tips", "_ga", "_ga_*", "counter", "_fbp", "own_ads"]


def test_what_is_still_granted_stays() -> None:
    """CON-14: after a partial answer only the refused categories are cleaned up."""
    assert removed(record(web=chosen(ADS, Category.FUNCTIONALITY))) == ["tips", "_ga", "_ga_*", "counter"]
    assert removed(record(web=chosen(*ALL))) == []
    assert removed(record(), "US-TX") == []


def test_every_entry_of_a_name_goes_where_one_of_them_may_not_stay() -> None:
    """Contract §5: a name is one question."""
    twice = [entry("id", "cookie", "technical"), entry("id", "lso", "advertising")]
    assert removed(record(web=chosen(Category.TECHNICAL)), by=rules(trackers=twice)) == ["id", "id"]


def test_the_moment_of_the_situation_is_what_counts() -> None:
    """CON-10: the clock is an argument."""
    far = datetime(2050, 1, 1, tzinfo=UTC)
    known = record(web=chosen(ADS))
    assert consent_state(situation(known, now=far)).vector == "00000100"
    assert consent_state(situation(known)).vector == "00100100"
