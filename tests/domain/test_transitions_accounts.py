"""Logging in and out: signal and opt-out always travel with the customer, choices only where the site shares them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consent_service.domain.record import AccountState, Choices, ConsentRecord
from consent_service.domain.transitions.accounts import link, unlink
from consent_service.domain.transitions.choices import Submission, submit, withdraw
from consent_service.domain.transitions.context import Transition, status_changed
from consent_service.domain.vocabulary import Action, Category, Channel, Choice, EventType, Reason
from tests.support.builders import EXPIRES, account, chosen, context, reason, record, rules, situation

ADS, STATISTICAL = Category.ADVERTISING, Category.STATISTICAL
SHARED = rules(cross_device=True)
ACCEPT, REJECT = Submission(Action.ACCEPT_ALL), Submission(Action.REJECT_ALL)
YES, NO = chosen(ADS), chosen()


def logged_in(known: ConsentRecord, state: AccountState, *, shared: bool = True) -> ConsentRecord:
    """Log a browser in."""
    return link(known, state, context(by=rules(cross_device=shared))).record


def ads(known: ConsentRecord) -> Reason:
    """Ask for advertising at a shop that shares choices across devices."""
    return reason(situation(known, by=SHARED), ADS)


MATRIX = [
    ({}, {}, Reason.NO_RECORD),
    (YES, {}, Reason.GRANTED),
    ({}, YES, Reason.GRANTED),
    (NO, {}, Reason.REFUSED),
    ({}, NO, Reason.REFUSED),
    (YES, YES, Reason.GRANTED),
    (NO, NO, Reason.REFUSED),
    (YES, NO, Reason.WITHDRAWN),
    (NO, YES, Reason.WITHDRAWN),
]


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize(("device", "customer", "expected"), MATRIX)
def test_where_browser_and_account_disagree_the_protective_answer_wins(
    channel: Channel, device: Choices, customer: Choices, expected: Reason
) -> None:
    """IDN-08: the four cases of a conflict, and those with one side silent; never a silent upgrade."""
    asked = {Channel.WEB: "_fbp", Channel.EMAIL: "mail_open_individual"}[channel]
    by_channel = {Channel.WEB: account(customer), Channel.EMAIL: account(email=customer)}[channel]
    joined = logged_in(record(**{channel.value: device}), by_channel)
    assert reason(situation(joined, by=SHARED), asked) is expected


def test_of_two_agreeing_answers_the_one_that_lapses_first_counts() -> None:
    """IDN-08: a login does not lengthen a grant."""
    early = EXPIRES - timedelta(days=30)
    joined = logged_in(record(web=chosen(ADS, expires_at=early)), account(chosen(ADS, STATISTICAL)))
    assert joined.account is not None
    assert joined.account.web[ADS].expires_at == early
    assert joined.account.web[STATISTICAL].choice is Choice.DENIED
    assert joined.account.web[STATISTICAL].was_granted


def test_a_category_that_only_one_side_answered_keeps_that_answer() -> None:
    """IDN-08: partly answered records join category by category."""
    joined = logged_in(record(web={ADS: YES[ADS]}), account({STATISTICAL: NO[STATISTICAL]}))
    assert joined.account is not None
    assert {c: entry.choice for c, entry in joined.account.web.items()} == {
        ADS: Choice.GRANTED,
        STATISTICAL: Choice.DENIED,
    }


def test_without_sharing_a_login_shows_nothing_of_other_devices() -> None:
    """IDN-04: off by default; the browser's own choices count, the account's are not touched."""
    joined = logged_in(record(web=NO), account(YES), shared=False)
    assert joined.account == account(YES)
    assert reason(situation(joined), ADS) is Reason.REFUSED
    assert reason(situation(logged_in(record(), account(YES), shared=False)), ADS) is Reason.NO_RECORD


@pytest.mark.parametrize(("answer", "expected"), [(ACCEPT, Reason.GRANTED), (REJECT, Reason.REFUSED)])
def test_with_sharing_yes_and_no_reach_every_device(answer: Submission, expected: Reason) -> None:
    """IDN-05: symmetric; what is said on A counts on B."""
    said_on_a = submit(record(account=account()), answer, context(by=SHARED)).record
    assert said_on_a.account is not None
    assert ads(logged_in(record(visitor_id="B" * 22), said_on_a.account)) is expected


def test_with_sharing_a_withdrawal_on_one_device_withdraws_on_the_other() -> None:
    """IDN-05: consent travels from A to B, and B's withdrawal back to A, on both channels."""
    a = submit(record(account=account()), ACCEPT, context(by=SHARED)).record
    b = withdraw(replace(a, visitor_id="B" * 22), context(by=SHARED)).record
    a_again = replace(a, account=b.account)
    assert ads(a_again) is Reason.WITHDRAWN
    assert reason(situation(a_again, by=SHARED), "mail_open_individual") is Reason.REFUSED


def test_choices_made_while_logged_in_belong_to_the_account() -> None:
    """IDN-07: logging out on a shared device restores the device's own choices."""
    joined = logged_in(record(web=NO), account())
    inside = submit(joined, ACCEPT, context(by=SHARED)).record
    outside = unlink(inside, context(by=SHARED)).record
    assert (ads(inside), ads(outside)) == (Reason.GRANTED, Reason.REFUSED)
    assert outside.web == NO
    mail = submit(joined, replace(ACCEPT, channel=Channel.EMAIL), context(by=SHARED)).record
    assert mail.account is not None
    assert mail.account.email[ADS].choice is Choice.GRANTED
    assert (mail.email, mail.account.web) == ({}, NO)


def test_without_sharing_choices_made_while_logged_in_stay_with_the_browser() -> None:
    """IDN-04: and count after logging out as before."""
    inside = submit(record(account=account()), ACCEPT, context()).record
    outside = unlink(inside, context()).record
    assert inside.account == account()
    assert reason(situation(outside), ADS) is Reason.GRANTED


def test_signal_and_opt_out_travel_both_ways_also_without_sharing() -> None:
    """SIG-14, rule 6: from the browser to the account, from the account to the browser."""
    joined = logged_in(record(gpc=True, opted_out=True), account(), shared=False)
    assert joined.account == account(gpc=True, opted_out=True)
    other = logged_in(record(), account(gpc=True), shared=False)
    assert (other.gpc, other.gpc_known) == (False, True)
    assert reason(situation(other, "US-CA"), ADS) is Reason.GPC
    formal = logged_in(record(), account(opted_out=True), shared=False)
    assert reason(situation(formal, "US-CA"), ADS) is Reason.OPTED_OUT


def test_logging_in_and_out_is_one_event_each() -> None:
    """EVD-01: the revision rises by one per change; a new device is told of what it got (IDN-06)."""
    first = link(record(revision=3), account(YES), context(by=SHARED))
    assert [(e.event_type, e.payload()["synced"]) for e in first.events] == [(EventType.ACCOUNT_LINKED, True)]
    assert first.record.revision == 4
    out = unlink(first.record, context(by=SHARED))
    assert [event.event_type for event in out.events] == [EventType.ACCOUNT_UNLINKED]
    assert (out.record.revision, out.record.account) == (5, None)
    assert link(record(), account(), context(by=SHARED)).events[0].payload()["synced"] is False
    assert link(record(), account(email=NO), context(by=SHARED)).events[0].payload()["synced"] is True
    assert link(record(), account(YES), context()).events[0].payload()["synced"] is False


def test_logging_in_again_or_out_again_changes_nothing() -> None:
    known = record(account=account(YES))
    assert link(known, account(NO), context()) == Transition(known)
    assert unlink(record(), context()) == Transition(record())


def test_another_customer_on_the_same_browser_starts_from_the_browser_s_own_choices() -> None:
    """IDN-07: nothing of the first customer's account reaches the second one's."""
    first = logged_in(record(), account(YES, gpc=True))
    second = logged_in(first, AccountState("another"))
    assert second.account == AccountState("another")
    assert ads(second) is Reason.NO_RECORD


def test_logging_in_changes_the_tracking_status() -> None:
    """TSR-10."""
    known = record()
    assert status_changed(known, logged_in(known, account(gpc=True)))
    assert status_changed(record(account=account(YES)), record(account=account(NO)))
