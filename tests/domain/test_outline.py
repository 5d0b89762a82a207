"""What an answer makes of equal rows, filled in: the same as the transition itself, for any visitor and any answer."""

from dataclasses import replace
from datetime import datetime, timedelta

import orjson
from hypothesis import assume, given
from hypothesis import strategies as st

from consent_service.domain.counts import Tally, add_places, count, day_number
from consent_service.domain.evidence.event_text import event_text, fill
from consent_service.domain.evidence.leaf import format_time
from consent_service.domain.moments import to_micros
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import StoredVisitor, decode_record, encode_record, passed
from consent_service.domain.ruleset import Ruleset
from consent_service.domain.signals import Signals
from consent_service.domain.transitions import choices
from consent_service.domain.transitions.choices import Submission
from consent_service.domain.transitions.context import Context, status_changed
from consent_service.domain.transitions.outline import Move, outline
from consent_service.domain.vocabulary import CATEGORIES, Action, Category, Channel, Method, SeparateConsent
from tests.support import strategies as any_
from tests.support.builders import NOW, RULES, SITE, VISITOR

ANSWERS = st.dictionaries(st.sampled_from(CATEGORIES), st.booleans()).map(
    lambda said: {c: said.get(c, False) or c is Category.STRICTLY_NECESSARY for c in CATEGORIES}
)
SEPARATE = st.none() | st.frozensets(st.sampled_from(SeparateConsent))
SUBMISSIONS = st.builds(
    Submission, st.sampled_from([Action.ACCEPT_ALL, Action.REJECT_ALL, Action.DISMISS]), separate=SEPARATE
) | st.builds(Submission, st.just(Action.CUSTOM), ANSWERS, st.sampled_from(Channel), SEPARATE)
LATER = st.timedeltas(timedelta(microseconds=1), timedelta(days=900))
IDS = ("d9d2c8b2-615c-4650-a132-fdd813ee9cdc", "0b7d4ba0-7c5a-4fbb-9d0e-5c2f8b8c1f11")


def context(rules: Ruleset, signals: Signals, region: str | None, now: datetime = NOW) -> Context:
    ids = iter(IDS)
    return Context(rules, "ab" * 32, now, lambda: next(ids), region, signals, Method.BANNER, locale="en")


def moved(stored: StoredVisitor, apart: timedelta, then: timedelta) -> StoredVisitor:
    """Give a row of the same facts whose moments are others, on the same side of the present as it will be then."""
    present, micros, after = to_micros(NOW), apart // timedelta(microseconds=1), then // timedelta(microseconds=1)
    times = [
        time and time + after + micros * (place + 1) * (-1 if time <= present else 1)
        for place, time in enumerate(orjson.loads(stored.times))
    ]
    return stored._replace(times=orjson.dumps(times).decode())


def says(submission: Submission) -> Move:
    return lambda record, ctx: choices.submit(record, submission, ctx)


@given(any_.rulesets(), any_.records(), SUBMISSIONS, any_.SIGNALS, any_.REGIONS, LATER, LATER)
def test_an_outline_serves_every_row_of_equal_facts(
    rules: Ruleset,
    record: ConsentRecord,
    submission: Submission,
    signals: Signals,
    region: str | None,
    later: timedelta,
    then: timedelta,
) -> None:
    """What was learned from one row at one moment is what the transition makes of another row at another."""
    first = encode_record(replace(record, account=None, opted_out=False))
    found = outline(first, says(submission), SITE, context(rules, signals, region))
    assume(found is not None)
    assert found is not None
    other, now = moved(first, later, then), NOW + then
    assert passed(other.times, now) == passed(first.times, NOW)
    before = decode_record(SITE, VISITOR, other)
    ctx = context(rules, signals, region, now)
    transition = choices.submit(before, submission, ctx)
    (written,) = transition.events
    end = rules.policy.lifetime(region).after(now)
    assert found.row(other, to_micros(now), to_micros(end)) == encode_record(transition.record)
    assert fill(found.text, IDS[0], format_time(now), IDS[1], VISITOR) == event_text(written)
    assert found.event_type is written.event_type
    assert found.changed is status_changed(before, transition.record)
    counted: Tally = {}
    count(counted, before, written)
    filled: Tally = {}
    add_places(filled, found.counted._replace(day=day_number(now)), found.places)
    assert filled == counted


@given(any_.rulesets(), any_.records(), SUBMISSIONS)
def test_what_moments_compared_with_each_other_decide_is_not_outlined(
    rules: Ruleset, record: ConsentRecord, submission: Submission
) -> None:
    """CON-09: an opt-out of sale may make the wait for the next question longer than this answer would."""
    opted_out = encode_record(replace(record, opted_out=True, account=None))
    assert outline(opted_out, says(submission), SITE, context(rules, Signals(None, gpc=False), "FR")) is None


@given(any_.rulesets(), any_.records(), SUBMISSIONS, any_.NEAR)
def test_an_import_is_not_outlined(
    rules: Ruleset, record: ConsentRecord, submission: Submission, decided_at: datetime
) -> None:
    """CON-20: whether it is outdated hangs on the very moments of what is on record."""
    known = encode_record(replace(record, opted_out=False, account=None))
    ctx = context(rules, Signals(None, gpc=False), "FR")._replace(method=Method.IMPORT)
    assert outline(known, says(replace(submission, decided_at=decided_at)), SITE, ctx) is None


@given(any_.rulesets(), any_.accounts(), any_.records(), SUBMISSIONS)
def test_a_visitor_with_an_account_is_not_outlined(
    rules: Ruleset, account: object, record: ConsentRecord, submission: Submission
) -> None:
    """IDN-05: choices that travel with the login stand in another row."""
    known = encode_record(replace(record, account=account, opted_out=False))  # type: ignore[arg-type] # as drawn
    assert outline(known, says(submission), SITE, context(rules, Signals(None, gpc=False), "FR")) is None


def test_the_ordinary_visitor_is_outlined() -> None:
    """The guard of the guards above: what every shop meets is known the second time."""
    visitor = encode_record(ConsentRecord(SITE, VISITOR, NOW, NOW))
    for action in (Action.ACCEPT_ALL, Action.REJECT_ALL, Action.DISMISS):
        found = outline(visitor, says(Submission(action)), SITE, context(RULES, Signals(None, gpc=False), "FR"))
        assert found is not None
