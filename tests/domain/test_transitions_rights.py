"""Opt-out of sale, age band, restriction and objections: one event per change, and what each does to decisions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consent_service.domain.record import ConsentRecord
from consent_service.domain.transitions.choices import Submission, submit
from consent_service.domain.transitions.context import Context, Transition, status_changed
from consent_service.domain.transitions.rights import opt_in, opt_out, set_age_band, set_objections, set_restriction
from consent_service.domain.vocabulary import Action, AgeBand, Category, EventType, Reason
from tests.support.builders import NOW, account, chosen, context, reason, record, situation

ADS = Category.ADVERTISING
OBJECTIONS = frozenset({Category.STATISTICAL, ADS})
IN_A_YEAR = datetime(2027, 11, 24, 9, tzinfo=UTC)

Move = Callable[[ConsentRecord, Context], Transition]


def under_13(known: ConsentRecord, ctx: Context) -> Transition:
    return set_age_band(known, AgeBand.UNDER_13, ctx)


def restrict(known: ConsentRecord, ctx: Context) -> Transition:
    return set_restriction(known, restricted=True, ctx=ctx)


def release(known: ConsentRecord, ctx: Context) -> Transition:
    return set_restriction(known, restricted=False, ctx=ctx)


def object_to_two(known: ConsentRecord, ctx: Context) -> Transition:
    return set_objections(known, OBJECTIONS, ctx)


CHANGES: list[tuple[dict[str, Any], Move, EventType, dict[str, object], Reason]] = [
    ({}, opt_out, EventType.OPT_OUT, {}, Reason.OPTED_OUT),
    ({"opted_out": True}, opt_in, EventType.OPT_IN, {}, Reason.REGION_DEFAULT),
    ({"gpc": True}, opt_in, EventType.OPT_IN, {}, Reason.REGION_DEFAULT),
    ({}, under_13, EventType.AGE_BAND, {"age_band": "under_13"}, Reason.CHILD),
    ({}, restrict, EventType.RESTRICTION, {"restricted": True}, Reason.RESTRICTED),
    ({"restricted": True}, release, EventType.RESTRICTION, {"restricted": False}, Reason.REGION_DEFAULT),
    ({}, object_to_two, EventType.OBJECTIONS, {"categories": ["advertising", "statistical"]}, Reason.OBJECTED),
    ({"objections": frozenset({Category.TECHNICAL})}, object_to_two, EventType.OBJECTIONS, {}, Reason.OBJECTED),
]


@pytest.mark.parametrize(("before", "move", "event_type", "details", "expected"), CHANGES)
def test_what_is_set_is_one_event_and_counts_at_the_next_question(
    before: dict[str, Any], move: Move, event_type: EventType, details: dict[str, object], expected: Reason
) -> None:
    """REG-05, KID-01, rules 3 to 6, TSR-10: revision, moment, event with its own members, status, decision."""
    known = record(revision=3, **before)
    after = move(known, context(region="US-TX"))
    assert [event.event_type for event in after.events] == [event_type]
    assert after.events[0].payload().items() >= details.items()
    assert (after.record.revision, after.record.updated_at) == (4, NOW)
    assert reason(situation(after.record, "US-TX"), ADS) is expected
    assert status_changed(known, after.record)


@pytest.mark.parametrize("move", [opt_out, under_13, restrict, object_to_two])
def test_the_same_once_more_is_no_event(move: Move) -> None:
    """SIG-20, TSR-10: nothing changed, nothing recorded, same revision."""
    once = move(record(), context()).record
    assert move(once, context()) == Transition(once)


def test_opting_in_without_having_opted_out_is_no_event() -> None:
    assert opt_in(record(), context()) == Transition(record())


def test_a_customer_s_opt_out_is_the_account_s_as_well() -> None:
    """REG-05, Disney: it reaches every device of the login, in both directions."""
    after = opt_out(record(account=account()), context()).record
    assert (after.opted_out, after.account) == (True, account(opted_out=True))
    back = opt_in(after, context()).record
    assert (back.opted_out, back.account) == (False, account())


def test_an_opt_out_that_only_the_browser_or_only_the_account_knows_reaches_the_other() -> None:
    known = record(opted_out=True, account=account())
    assert opt_out(known, context()).record.account == account(opted_out=True)
    on_account = record(account=account(opted_out=True))
    assert opt_out(on_account, context()).record.opted_out
    assert opt_in(on_account, context()).record.account == account()


def test_after_an_opt_out_nobody_asks_again_for_twelve_months() -> None:
    """CON-09, Civ. Code 1798.135: a later answer makes it no sooner, and a longer wait stands."""
    after = opt_out(record(), context()).record
    assert after.re_prompt_not_before == IN_A_YEAR
    answered = submit(after, Submission(Action.DISMISS), context(now=NOW + timedelta(days=1))).record
    assert answered.re_prompt_not_before == IN_A_YEAR
    far = IN_A_YEAR + timedelta(days=30)
    assert opt_out(record(re_prompt_not_before=far), context()).record.re_prompt_not_before == far


def test_an_answer_after_opting_in_again_waits_its_own_time() -> None:
    """CON-09: the long wait belongs to the opt-out."""
    back = opt_in(opt_out(record(), context()).record, context()).record
    answered = submit(back, Submission(Action.REJECT_ALL), context()).record
    assert answered.re_prompt_not_before == datetime(2027, 5, 24, 9, tzinfo=UTC)


def test_an_opt_out_leaves_the_choices_on_record() -> None:
    """Rule 6 before 7: a grant stays as made and is overridden; opting in again finds it."""
    known = record(web=chosen(ADS))
    after = opt_out(known, context()).record
    assert after.web == known.web
    assert reason(situation(after, "US-CA"), "own_ads") is Reason.GRANTED
    assert reason(situation(opt_in(after, context()).record, "US-CA"), ADS) is Reason.GRANTED
