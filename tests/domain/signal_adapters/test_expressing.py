"""What an automated expression does to a visitor's record and to the next decision (OUT-11, REG-11)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from consent_service.domain.decision import decide_category, situate
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.record_text import decode_record, encode_record
from consent_service.domain.ruleset import Ruleset, compile_ruleset
from consent_service.domain.signal_adapters.registry import read_expression
from consent_service.domain.signal_adapters.transition import express
from consent_service.domain.signals import NO_SIGNALS
from consent_service.domain.transitions.choices import Submission, submit
from consent_service.domain.transitions.context import Context, Transition
from consent_service.domain.vocabulary import (
    Action,
    Category,
    Channel,
    EventType,
    Method,
    Reason,
    SeparateConsent,
)
from tests.domain.outputs.visitors import EVERYTHING, NOW, record_of, rules, shop_policy, silent_record

ADVERTISING, STATISTICS = Category.ADVERTISING, Category.STATISTICAL
ALL = record_of(EVERYTHING)
SILENT = silent_record()
CONSENT = "consent=statistical.1"


def context(region: str | None = "FR", under: Ruleset | None = None) -> Context:
    """Give the circumstances of a request that carries nothing but such a header."""
    ids = count(1)
    return Context(
        rules=under or rules(),
        policy_sha256="0" * 64,
        now=NOW + timedelta(seconds=1),
        new_id=lambda: f"id-{next(ids)}",
        region=region,
        method=Method.SIGNAL,
    )


def send(record: ConsentRecord, header: str, ctx: Context | None = None) -> Transition:
    """Let the visitor's browser send one ADPC header."""
    ctx = ctx or context()
    return express(record, read_expression([(b"adpc", header.encode())], ctx.rules.policy), ctx)


def reason(record: ConsentRecord, category: Category, region: str | None = "FR") -> Reason:
    """Decide about a category right after."""
    situation = situate(rules(), record, NO_SIGNALS, region, NOW + timedelta(seconds=2))
    return decide_category(situation, category).reason


def reasons(record: ConsentRecord, categories: Iterable[Category], region: str | None = "FR") -> set[Reason]:
    return {reason(record, category, region) for category in categories}


def test_withdrawing_everything_stops_the_next_decision() -> None:
    """OUT-11."""
    after = send(ALL, "withdraw=*")
    assert reasons(after.record, EVERYTHING) == {Reason.WITHDRAWN}
    assert [event.event_type for event in after.events] == [EventType.WITHDRAWN]
    assert after.record.revision == ALL.revision + 1


def test_withdrawing_one_category_leaves_the_others() -> None:
    """OUT-11."""
    after = send(ALL, "withdraw=statistical.1")
    assert reason(after.record, STATISTICS) is Reason.WITHDRAWN
    assert reasons(after.record, EVERYTHING - {STATISTICS}) == {Reason.GRANTED}
    assert after.events[0].event_type is EventType.CHANGED
    assert after.events[0].choices == {STATISTICS: False}


def test_a_withdrawal_reaches_mail_as_well() -> None:
    """OUT-11, TRK-03."""
    record = replace(ALL, email=ALL.web, separate=frozenset(SeparateConsent))
    after = send(record, "withdraw=*")
    situation = situate(rules(), after.record, NO_SIGNALS, "FR", NOW)
    choice = situation.choice(ADVERTISING, Channel.EMAIL)
    assert choice is not None
    assert choice.choice == "denied"
    assert after.record.separate == frozenset()
    assert after.events[0].details["email_choices"] == dict.fromkeys(sorted(EVERYTHING), False)


def test_what_was_never_chosen_for_mail_stays_open() -> None:
    """OUT-11, TRK-03."""
    assert send(ALL, "withdraw=*").record.email == {}


@pytest.mark.parametrize("header", ["withdraw=*", "object=direct-marketing", CONSENT])
def test_a_repeated_header_is_stored_once(header: str) -> None:
    """OUT-11, SIG-14: one event per change, not per request."""
    first = send(SILENT, header)
    second = send(first.record, header)
    assert len(first.events) == 1
    assert second == Transition(first.record)


def test_a_header_that_says_nothing_changes_nothing() -> None:
    """OUT-11."""
    assert send(ALL, "consent=*") == Transition(ALL)


def test_an_objection_to_direct_marketing_stops_advertising_and_keeps_the_choice() -> None:
    """OUT-11, GDPR Art. 21(2)."""
    after = send(ALL, "object=direct-marketing")
    assert reason(after.record, ADVERTISING) is Reason.OBJECTED
    assert after.record.web == ALL.web
    assert after.events[0].event_type is EventType.OBJECTIONS
    assert after.events[0].details == {"signals": ["adpc"], "categories": ["advertising"]}


def test_an_objection_joins_those_on_record() -> None:
    """OUT-11."""
    record = replace(ALL, objections=frozenset({STATISTICS}))
    assert send(record, "object=direct-marketing").record.objections == {STATISTICS, ADVERTISING}


def test_a_consent_to_what_was_asked_allows_it_and_nothing_else() -> None:
    """OUT-11."""
    after = send(SILENT, CONSENT)
    assert reason(after.record, STATISTICS) is Reason.GRANTED
    assert reasons(after.record, EVERYTHING - {STATISTICS}) == {Reason.NO_RECORD}
    assert after.events[0].event_type is EventType.GIVEN
    assert after.events[0].choices == {STATISTICS: True}
    assert after.events[0].details == {"signals": ["adpc"]}


def test_a_consent_for_the_web_is_none_for_mail() -> None:
    """OUT-11, TRK-03."""
    assert send(SILENT, CONSENT).record.email == {}


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(record_of([]), id="refused"),
        pytest.param(
            record_of([], age=timedelta(days=200)), id="refused long ago: a refusal does not lapse into an allow"
        ),
        pytest.param(send(ALL, "withdraw=*").record, id="withdrawn"),
    ],
)
def test_a_repeated_consent_never_brings_back_what_was_refused(record: ConsentRecord) -> None:
    """OUT-11, CON-20."""
    assert send(record, CONSENT) == Transition(record)


def test_a_lapsed_consent_is_renewed() -> None:
    """OUT-11, CON-10."""
    lapsed = record_of(EVERYTHING, age=timedelta(days=200))
    after = send(lapsed, CONSENT)
    assert reason(after.record, STATISTICS) is Reason.GRANTED
    assert reason(after.record, ADVERTISING) is Reason.EXPIRED
    assert after.events[0].event_type is EventType.RENEWED


def test_a_consent_to_another_version_is_asked_for_again_and_then_counts() -> None:
    """OUT-11, CON-11."""
    later = compile_ruleset(shop_policy("2"))
    after = send(ALL, "consent=statistical.2", context(under=later))
    assert after.record.web[STATISTICS].policy_version == "2"
    assert after.record.web[ADVERTISING].policy_version == "1"


def test_a_withdrawal_without_any_choice_refuses_where_silence_allows() -> None:
    """OUT-11, REG-05."""
    after = send(SILENT, "withdraw=*", context("US-TX"))
    assert reasons(SILENT, EVERYTHING, "US-TX") == {Reason.REGION_DEFAULT}
    assert reasons(after.record, EVERYTHING, "US-TX") == {Reason.REFUSED}
    assert after.events[0].event_type is EventType.REFUSED


def test_who_has_answered_everything_is_not_asked_again() -> None:
    """OUT-11, CON-09."""
    after = send(SILENT, f"withdraw=*, {CONSENT}").record
    assert after.re_prompt_not_before == after.web[STATISTICS].expires_at


def test_who_has_answered_in_part_is_asked_for_the_rest() -> None:
    """OUT-11."""
    assert send(SILENT, CONSENT).record.re_prompt_not_before is None


def test_a_grant_in_the_banner_is_overridden_by_the_same_requests_header() -> None:
    """OUT-11: as with Sec-GPC, the signal sent along prevails."""
    granted = submit(SILENT, Submission(Action.ACCEPT_ALL), context()).record
    assert reasons(send(granted, "withdraw=*").record, EVERYTHING) == {Reason.WITHDRAWN}


def test_a_consent_does_not_lift_gpc() -> None:
    """OUT-11, SIG-11."""
    after = send(replace(SILENT, gpc=True), "consent=advertising.1")
    assert after.record.gpc
    situation = situate(rules(), after.record, NO_SIGNALS, "US-CA", NOW)
    assert situation.sale_share_opt_out


def test_choices_shared_across_devices_are_the_accounts() -> None:
    """OUT-11, IDN-07."""
    sharing = compile_ruleset(replace(shop_policy(), cross_device=True))
    record = replace(SILENT, account=AccountState("hash", web=ALL.web, email=ALL.web))
    after = send(record, "withdraw=*", context(under=sharing)).record
    assert after.account is not None
    assert after.web == {}
    assert {after.account.web[c].choice for c in EVERYTHING} == {"denied"}
    assert {after.account.email[c].choice for c in EVERYTHING} == {"denied"}


def test_a_record_with_such_choices_is_stored_in_the_shape_there_is() -> None:
    """REG-11: no change of schema."""
    record = send(SILENT, f"object=direct-marketing, {CONSENT}").record
    assert decode_record(record.site, record.visitor_id, encode_record(record)) == record


def test_the_event_says_that_a_signal_was_heard() -> None:
    """REG-11, EVD: the log tells a browser's expression from a click."""
    event = send(SILENT, CONSENT).events[0]
    assert event.payload()["method"] == "signal"
    assert event.payload()["signals"] == ["adpc"]
