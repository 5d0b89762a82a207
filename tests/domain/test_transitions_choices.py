"""What a visitor says becomes a record and one event: every action, every type of event, on both channels."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from consent_service.domain.record import NOTHING, ConsentRecord
from consent_service.domain.transitions.choices import Submission, submit, withdraw
from consent_service.domain.transitions.context import Context, Transition, status_changed
from consent_service.domain.vocabulary import (
    CATEGORIES,
    Action,
    Category,
    Channel,
    Choice,
    Dnt,
    EventType,
    Method,
    Reason,
    Regime,
    SeparateConsent,
)
from tests.support.builders import ALL, DECIDED, NOW, VISITOR, chosen, context, reason, record, rules, situation

ADS, SOCIAL, STATISTICAL = Category.ADVERTISING, Category.SOCIAL_MEDIA, Category.STATISTICAL
NECESSARY = Category.STRICTLY_NECESSARY
ACCEPT, REJECT, DISMISS = Submission(Action.ACCEPT_ALL), Submission(Action.REJECT_ALL), Submission(Action.DISMISS)


def custom(*granted: Category, **members: Any) -> Submission:
    """Answer all eight categories one by one."""
    return Submission(Action.CUSTOM, {c: c in granted or c is NECESSARY for c in CATEGORIES}, **members)


def said(known: ConsentRecord, submission: Submission, ctx: Context | None = None) -> Transition:
    """Submit an answer from France with no signal, unless a context says otherwise."""
    return submit(known, submission, ctx or context())


def event_types(transition: Transition) -> list[EventType]:
    """Name what was recorded."""
    return [event.event_type for event in transition.events]


TYPES = [
    ({}, ACCEPT, EventType.GIVEN),
    ({}, custom(ADS), EventType.GIVEN),
    ({}, REJECT, EventType.REFUSED),
    ({}, custom(), EventType.REFUSED),
    ({}, DISMISS, EventType.DISMISSED),
    ({"web": chosen()}, ACCEPT, EventType.GIVEN),
    ({"web": chosen()}, REJECT, EventType.REFUSED),
    ({"web": chosen(ADS)}, custom(ADS), EventType.RENEWED),
    ({"web": chosen(*ALL)}, ACCEPT, EventType.RENEWED),
    ({"web": chosen(ADS)}, custom(SOCIAL), EventType.CHANGED),
    ({"web": chosen(ADS)}, ACCEPT, EventType.CHANGED),
    ({"web": chosen(ADS, SOCIAL)}, custom(ADS), EventType.CHANGED),
    ({"web": chosen(ADS)}, REJECT, EventType.WITHDRAWN),
    ({"web": chosen(ADS)}, custom(), EventType.WITHDRAWN),
    ({"web": chosen(ADS)}, DISMISS, EventType.DISMISSED),
    ({"email": chosen(ADS)}, REJECT, EventType.REFUSED),
]


@pytest.mark.parametrize(("before", "submission", "expected"), TYPES)
def test_an_answer_is_one_event_named_for_what_it_did(
    before: dict[str, Any], submission: Submission, expected: EventType
) -> None:
    """CON-07, EVD-07: given, renewed, refused, changed, withdrawn, dismissed; the revision rises by one."""
    after = said(record(revision=4, **before), submission)
    assert event_types(after) == [expected]
    assert after.record.revision == 5


def test_an_event_says_who_what_when_where_and_under_which_policy() -> None:
    """GDPR Art. 7(1), EVD-08: one fact with ids of its own, in the words of the contract."""
    after = said(record(), custom(ADS), context(dnt=Dnt.ALLOW))
    (event,) = after.events
    payload = event.payload()
    assert payload == {
        "event_id": "00000000-0000-4000-8000-000000000001",
        "receipt_id": "00000000-0000-4000-8000-000000000002",
        "event_type": "given",
        "event_time": "2026-11-24T09:00:00.000000Z",
        "site": "default",
        "visitor_id": VISITOR,
        "channel": "web",
        "method": "banner",
        "policy_version": "v1",
        "policy_sha256": "ab" * 32,
        "locale": "en",
        "region": "FR",
        "regime": "opt_in",
        "dnt": "0",
        "gpc": False,
        "choices": {category.value: category in {ADS, NECESSARY} for category in CATEGORIES},
    }


def test_every_category_is_on_record_either_way() -> None:
    """CON-03, CON-19: eight explicit choices, decided at the server's moment under the version shown."""
    web = said(record(), custom(ADS)).record.web
    assert {c: choice.choice for c, choice in web.items()} == {
        c: Choice.GRANTED if c in {ADS, NECESSARY} else Choice.DENIED for c in CATEGORIES
    }
    assert {(choice.decided_at, choice.policy_version) for choice in web.values()} == {(NOW, "v1")}


@pytest.mark.parametrize("granted", list(product([True, False], repeat=7)))
def test_every_combination_can_be_chosen(granted: tuple[bool, ...]) -> None:
    """CON-15: each category apart; 2^7 answers come back as they were given."""
    optional = [category for category in CATEGORIES if category is not NECESSARY]
    wanted = {category for category, on in zip(optional, granted, strict=True) if on}
    web = said(record(), custom(*wanted)).record.web
    assert {category for category, choice in web.items() if choice.choice is Choice.GRANTED} == wanted | {NECESSARY}


def test_what_is_not_named_is_not_granted() -> None:
    """CON-02, CON-04: no member defaults to true but what is strictly necessary."""
    for_one = Submission(Action.CUSTOM, {ADS: True, NECESSARY: False})
    web = said(record(), for_one).record.web
    assert {c for c, choice in web.items() if choice.choice is Choice.GRANTED} == {ADS, NECESSARY}
    assert event_types(said(record(), Submission(Action.CUSTOM))) == [EventType.REFUSED]


@pytest.mark.parametrize(
    ("region", "expires_at"),
    [("FR", datetime(2027, 5, 24, 9, tzinfo=UTC)), ("US-CA", datetime(2027, 11, 24, 9, tzinfo=UTC))],
)
@pytest.mark.parametrize("submission", [ACCEPT, REJECT, custom(ADS)])
def test_yes_and_no_hold_equally_long(submission: Submission, region: str, expires_at: datetime) -> None:
    """CON-08, CON-09: the region's lifetime either way, and no new prompt before it ends."""
    after = said(record(), submission, context(region=region)).record
    assert {choice.expires_at for choice in after.web.values()} == {expires_at}
    assert after.re_prompt_not_before == expires_at


def test_the_record_notes_where_and_under_which_policy_it_was_last_answered() -> None:
    after = said(record(), ACCEPT, context(region="US-CA")).record
    assert (after.region, after.policy_version, after.updated_at) == ("US-CA", "v1", NOW)
    assert (after.created_at, after.visitor_id) == (DECIDED, VISITOR)


def test_closing_the_banner_grants_and_refuses_nothing() -> None:
    """CON-07: deferred, counts as no choice, and is not asked again at once; an earlier grant is not touched."""
    after = said(record(), DISMISS).record
    assert (after.web, after.email) == (NOTHING, NOTHING)
    assert reason(situation(after), ADS) is Reason.NO_RECORD
    assert after.re_prompt_not_before == datetime(2027, 5, 24, 9, tzinfo=UTC)
    assert said(record(web=chosen(ADS)), DISMISS).record.web == chosen(ADS)
    assert said(record(), DISMISS).events[0].choices is None


def test_a_denial_after_a_grant_stays_a_withdrawal() -> None:
    """Contract §5, rule 7: `withdrawn` if it was granted before, however often it is denied again."""
    once = said(record(web=chosen(ADS)), REJECT).record
    twice = said(once, REJECT).record
    assert [reason(situation(known), ADS) for known in (once, twice)] == [Reason.WITHDRAWN] * 2
    assert reason(situation(twice), SOCIAL) is Reason.REFUSED
    assert reason(situation(said(twice, ACCEPT).record), ADS) is Reason.GRANTED


def test_a_withdrawal_stops_everything_on_every_channel_at_the_next_question() -> None:
    """CON-06, CON-12, CON-13, contract §4: one call, no body; the record keeps that there was a grant."""
    known = record(web=chosen(*ALL), email=chosen(ADS), separate=frozenset(SeparateConsent), revision=2)
    after = withdraw(known, context())
    s = situation(after.record)
    assert [reason(s, asked) for asked in (ADS, "_fbp", "mail_open_individual")] == [Reason.WITHDRAWN] * 3
    assert reason(s, "cart") is Reason.EXEMPT
    assert (after.record.separate, after.record.revision) == (frozenset(), 3)
    assert event_types(after) == [EventType.WITHDRAWN]
    assert after.events[0].payload()["channels"] == ["web", "email"]
    assert after.events[0].choices == {c: c is NECESSARY for c in CATEGORIES}
    assert after.record.re_prompt_not_before == datetime(2027, 5, 24, 9, tzinfo=UTC)


def test_withdrawing_without_ever_having_answered_refuses() -> None:
    """CON-06: no condition; what was never granted reads as refused."""
    s = situation(withdraw(record(), context()).record)
    assert (reason(s, ADS), reason(s, "mail_open_individual")) == (Reason.REFUSED, Reason.REFUSED)


def test_e_mail_is_chosen_apart_from_the_web() -> None:
    """TRK-03, contract §4: the other channel stays as it was, and so does the question the banner has yet to ask."""
    known = record(web=chosen(STATISTICAL))
    after = said(known, custom(ADS, channel=Channel.EMAIL))
    assert (after.record.web, after.events[0].channel) == (known.web, Channel.EMAIL)
    s = situation(after.record)
    assert (reason(s, ADS), reason(s, "mail_open_individual")) == (Reason.REFUSED, Reason.GRANTED)
    assert said(record(), custom(ADS, channel=Channel.EMAIL)).record.re_prompt_not_before is None


def test_separate_consents_are_stored_named_and_left_alone_unless_said_otherwise() -> None:
    """REG-08, contract §4: silence about them changes nothing; refusing everything takes them back."""
    sharing = frozenset({SeparateConsent.THIRD_PARTY_SHARING})
    agreed = said(record(), Submission(Action.ACCEPT_ALL, separate=sharing))
    assert agreed.record.separate == sharing
    assert agreed.events[0].payload()["separate_consents"] == ["third_party_sharing"]
    assert said(record(), ACCEPT).record.separate == frozenset()
    assert said(agreed.record, ACCEPT).record.separate == sharing
    assert said(agreed.record, Submission(Action.ACCEPT_ALL, separate=frozenset())).record.separate == frozenset()
    assert said(agreed.record, REJECT).record.separate == frozenset()
    assert said(agreed.record, Submission(Action.REJECT_ALL, channel=Channel.EMAIL)).record.separate == sharing


STATUS = [
    (record(), ACCEPT, True),
    (record(), REJECT, True),
    (record(), DISMISS, False),
    (record(web=chosen(*ALL)), ACCEPT, False),
    (record(web=chosen()), REJECT, False),
    (record(web=chosen(ADS)), custom(SOCIAL), True),
    (record(web=chosen(*ALL, expires_at=NOW)), ACCEPT, True),
    (record(web=chosen(*ALL, version="v0")), ACCEPT, True),
    (record(web=chosen(expires_at=NOW, version="v0")), REJECT, False),
    (record(web=chosen(*ALL)), Submission(Action.ACCEPT_ALL, separate=frozenset(SeparateConsent)), True),
    (record(web=chosen(*ALL)), Submission(Action.ACCEPT_ALL, channel=Channel.EMAIL), True),
]


@pytest.mark.parametrize(("before", "submission", "expected"), STATUS)
def test_the_tracking_status_changes_where_what_may_run_does(
    before: ConsentRecord, submission: Submission, expected: bool
) -> None:
    """TSR-10: `Tk: U` for a change, also from a lapsed grant to a fresh one; not for the same answer again."""
    assert status_changed(before, said(before, submission).record) is expected


def test_a_signal_alone_changes_the_status_too() -> None:
    """TSR-10: a dismissed banner with GPC on records the signal, and that is a change."""
    known = record()
    assert status_changed(known, said(known, DISMISS, context(gpc=True)).record)
    assert status_changed(known, said(known, DISMISS, context(dnt=Dnt.DO_NOT_TRACK)).record)
    assert not status_changed(
        replace(known, gpc=True), said(replace(known, gpc=True), DISMISS, context(gpc=True)).record
    )


def test_the_event_knows_the_regime_of_the_place() -> None:
    texas = said(record(), ACCEPT, context(region="US-TX", method=Method.API, by=rules()))
    assert (texas.events[0].regime, texas.events[0].region) == (Regime.OPT_OUT, "US-TX")
    assert texas.events[0].method is Method.API
    assert texas.record.updated_at - NOW == timedelta(0)
