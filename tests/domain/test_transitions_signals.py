"""What the browser signals is stored once, stays, and gives way only to an explicit grant without it."""

from typing import Any

import pytest

from consent_service.domain.record import ConsentRecord
from consent_service.domain.signals import Signals
from consent_service.domain.transitions.accounts import link, unlink
from consent_service.domain.transitions.choices import Submission, submit, withdraw
from consent_service.domain.transitions.context import Context, Transition
from consent_service.domain.transitions.rights import opt_in, opt_out, set_age_band, set_objections, set_restriction
from consent_service.domain.transitions.signals import news, observe
from consent_service.domain.vocabulary import (
    CATEGORIES,
    Action,
    AgeBand,
    Category,
    Channel,
    Dnt,
    EventType,
    Method,
    Reason,
)
from tests.support.builders import ALL, NOW, account, chosen, context, reason, record, rules, situation

ADS = Category.ADVERTISING
ON, OFF = Dnt.DO_NOT_TRACK, Dnt.ALLOW
ACCEPT, REJECT = Submission(Action.ACCEPT_ALL), Submission(Action.REJECT_ALL)


def custom(*granted: Category, channel: Channel = Channel.WEB) -> Submission:
    """Grant these categories and deny the others."""
    return Submission(Action.CUSTOM, {category: category in granted for category in CATEGORIES}, channel)


NEWS = [
    ({}, Signals(), False),
    ({}, Signals(ON), True),
    ({}, Signals(OFF), True),
    ({}, Signals(gpc=True), True),
    ({"dnt": ON}, Signals(), False),
    ({"dnt": ON}, Signals(ON), False),
    ({"dnt": ON}, Signals(OFF), True),
    ({"gpc": True}, Signals(), False),
    ({"gpc": True}, Signals(gpc=True), False),
    ({"gpc": True, "account": account()}, Signals(gpc=True), True),
    ({"gpc": True, "account": account(gpc=True)}, Signals(gpc=True), False),
    ({"account": account(gpc=True)}, Signals(gpc=True), True),
    ({"account": account(gpc=True)}, Signals(), False),
]


@pytest.mark.parametrize(("before", "signals", "expected"), NEWS)
def test_a_signal_is_news_once_and_its_absence_never(before: dict[str, Any], signals: Signals, expected: bool) -> None:
    """SIG-14, SIG-15, SIG-20: logged on a change of state, not per request; on the account as well."""
    known = record(revision=7, **before)
    ctx = context(dnt=signals.dnt, gpc=signals.gpc)
    first = observe(known, ctx)
    assert news(known, signals) is expected
    assert [event.event_type for event in first.events] == [EventType.SIGNAL] * expected
    assert first.record.revision == 7 + expected
    assert observe(first.record, ctx) == Transition(first.record)


def test_a_signal_is_stored_with_its_moment_and_nothing_else() -> None:
    """SIG-01, SIG-21: choices, region and prompt stay as they were."""
    known = record(web=chosen(ADS), region="FR")
    after = observe(known, context(dnt=ON, gpc=True, region="US-CA"))
    assert (after.record.dnt, after.record.gpc, after.record.updated_at) == (ON, True, NOW)
    assert (after.record.web, after.record.region, after.record.re_prompt_not_before) == (known.web, "FR", None)
    assert (after.events[0].dnt, after.events[0].gpc, after.events[0].choices) == (ON, True, None)


def test_nothing_shown_changes_nothing() -> None:
    """SIG-11, SIG-18: a request without a signal leaves what is stored."""
    known = record(dnt=ON, gpc=True)
    assert observe(known, context()) == Transition(known)


def test_gpc_is_stored_on_the_customer_s_account_as_well() -> None:
    """SIG-14, 11 CCR 7025(c)(1)."""
    after = observe(record(account=account()), context(gpc=True)).record
    assert after.account == account(gpc=True)
    assert after.gpc


STAYS = [
    pytest.param(REJECT, context(), id="a refusal"),
    pytest.param(Submission(Action.DISMISS), context(), id="a dismissal"),
    pytest.param(custom(Category.STATISTICAL), context(), id="a grant of what gpc did not deny"),
    pytest.param(ACCEPT, context(gpc=True), id="a grant that comes with the signal"),
    pytest.param(ACCEPT, context(method=Method.IMPORT), id="an import"),
    pytest.param(custom(ADS, channel=Channel.EMAIL), context(), id="a grant for mails"),
]


@pytest.mark.parametrize(("submission", "ctx"), STAYS)
def test_gpc_stays_on_record_whatever_else_is_said(submission: Submission, ctx: Context) -> None:
    """SIG-11 to SIG-16, contract §5: only an explicit grant of what it denied, without the signal, lifts it."""
    after = submit(record(gpc=True, account=account(gpc=True)), submission, ctx).record
    assert (after.gpc, after.account) == (True, account(gpc=True))
    assert reason(situation(after, "US-CA"), ADS) is Reason.GPC


@pytest.mark.parametrize("submission", [ACCEPT, custom(ADS), custom(Category.SOCIAL_MEDIA)])
def test_an_explicit_grant_without_the_signal_lifts_gpc(submission: Submission) -> None:
    """11 CCR 7025(c)(3), SIG-11: the visitor, no longer signalling, grants what the signal denied; account included."""
    after = submit(record(gpc=True, account=account(gpc=True)), submission, context(region="US-CA")).record
    assert (after.gpc, after.account) == (False, account())


def test_a_choice_sent_with_gpc_is_stored_as_made_and_stays_overridden() -> None:
    """SIG-12, contract §5: both are on record, and the signal wins until it is lifted."""
    after = submit(record(), ACCEPT, context(gpc=True, region="US-CA"))
    assert after.events[0].choices == dict.fromkeys(CATEGORIES, True)
    assert (after.events[0].gpc, after.record.gpc) == (True, True)
    s = situation(after.record, "US-CA")
    assert (reason(s, ADS), reason(s, Category.STATISTICAL)) == (Reason.GPC, Reason.GRANTED)
    lifted = submit(after.record, custom(ADS), context(region="US-CA"))
    assert reason(situation(lifted.record, "US-CA"), ADS) is Reason.GRANTED


def test_withdrawing_leaves_the_signal_where_it_is() -> None:
    """SIG-11: a withdrawal grants nothing."""
    assert withdraw(record(gpc=True), context()).record.gpc
    assert withdraw(record(), context(gpc=True, dnt=ON)).record.dnt is ON


def test_opting_in_lifts_the_signal_unless_this_very_request_carries_it() -> None:
    """Contract §5: "or opts in again"."""
    known = record(gpc=True, opted_out=True, account=account(gpc=True, opted_out=True))
    assert opt_in(known, context()).record.gpc_known is False
    with_signal = opt_in(known, context(gpc=True)).record
    assert (with_signal.gpc_known, with_signal.opted_out_known) == (True, False)


def test_dnt_and_the_choice_of_one_request_are_one_event() -> None:
    """SIG-08, SIG-20: an explicit choice with DNT: 1 is stored with the signal."""
    after = submit(record(dnt=OFF), custom(ADS), context(dnt=ON))
    assert [(event.event_type, event.dnt) for event in after.events] == [(EventType.GIVEN, ON)]
    assert after.record.dnt is ON
    assert submit(record(dnt=ON), ACCEPT, context()).record.dnt is ON


OPTED_OUT = record(account=account(opted_out=True))
MOVES: dict[str, Any] = {
    "opt_out": opt_out,
    "opt_in": opt_in,
    "age_band": lambda known, ctx: set_age_band(known, AgeBand.ADULT, ctx),
    "restriction": lambda known, ctx: set_restriction(known, True, ctx),
    "objections": lambda known, ctx: set_objections(known, ALL, ctx),
    "log in": lambda known, ctx: link(known, account(), ctx),
    "log out": unlink,
}


@pytest.mark.parametrize("move", MOVES)
def test_a_signal_that_comes_with_any_other_change_is_recorded_with_it(move: str) -> None:
    """Contract §5: any request of a known visitor that shows a differing signal records it, once, as an event."""
    known = {"opt_in": OPTED_OUT, "log out": OPTED_OUT}.get(move, record())
    after: Transition = MOVES[move](known, context(gpc=True, dnt=ON))
    assert (after.record.gpc, after.record.dnt, after.record.revision) == (True, ON, 1)
    assert [(event.gpc, event.dnt) for event in after.events] == [(True, ON)]


NOTHING_NEW: dict[str, tuple[ConsentRecord, Any]] = {
    "opt_out": (record(opted_out=True), opt_out),
    "opt_in": (record(), opt_in),
    "age_band": (record(), lambda known, ctx: set_age_band(known, AgeBand.UNKNOWN, ctx)),
    "restriction": (record(), lambda known, ctx: set_restriction(known, False, ctx)),
    "objections": (record(), lambda known, ctx: set_objections(known, frozenset(), ctx)),
    "log in": (record(account=account()), lambda known, ctx: link(known, account(), ctx)),
    "log out": (record(), unlink),
}


@pytest.mark.parametrize("move", NOTHING_NEW)
def test_a_signal_that_comes_with_no_other_change_is_recorded_alone(move: str) -> None:
    """Contract §5, SIG-20: the request changes nothing else, and what it signals is still news."""
    known, same = NOTHING_NEW[move]
    after: Transition = same(known, context(dnt=ON))
    assert [event.event_type for event in after.events] == [EventType.SIGNAL]
    assert (after.record.dnt, after.record.revision) == (ON, 1)
    assert same(known, context()) == Transition(known)


@pytest.mark.parametrize("rule", ["honor", "honor_where_law_requires"])
def test_a_signal_is_stored_also_where_it_has_no_effect(rule: str) -> None:
    """SIG-01: what was sent is on record; whether it counts is the policy's and the place's answer."""
    by = rules(signals={"gpc": rule})
    assert observe(record(), context(gpc=True, region="FR", by=by)).record.gpc
