"""Choices that come from elsewhere: never newer than they are, never a grant that was taken back here."""

from datetime import UTC, datetime, timedelta

import pytest

from consent_service.domain.errors import ImportOutdated, InvalidInput
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import decode_record, encode_record
from consent_service.domain.transitions.choices import Submission, submit, withdraw
from consent_service.domain.transitions.context import Context, Transition
from consent_service.domain.vocabulary import CATEGORIES, Action, Category, Channel, EventType, Method, Reason
from tests.support.builders import ALL, DECIDED, NOW, SITE, VISITOR, chosen, context, reason, record, situation

ADS, STATISTICAL = Category.ADVERTISING, Category.STATISTICAL
IMPORT: Context = context(method=Method.IMPORT)


def imported(known: ConsentRecord, decided_at: datetime | None, *granted: Category) -> Transition:
    """Import an answer that was given elsewhere; without categories one that accepted all."""
    choices = {c: c in granted for c in CATEGORIES}
    answer = Submission(Action.CUSTOM, choices) if granted else Submission(Action.ACCEPT_ALL)
    return submit(known, Submission(answer.action, answer.choices, decided_at=decided_at), IMPORT)


def test_an_import_is_on_record_with_the_moment_it_was_decided() -> None:
    """CON-08, contract §6.1: validity counts from then; the event says so and has the server's own time."""
    elsewhere = NOW - timedelta(days=30)
    after = imported(record(), elsewhere, ADS)
    assert [event.event_type for event in after.events] == [EventType.IMPORTED]
    assert after.events[0].event_time == NOW
    assert after.events[0].payload()["decided_at"] == "2026-10-25T09:00:00.000000Z"
    assert after.record.web[ADS].decided_at == elsewhere
    assert after.record.web[ADS].expires_at == datetime(2027, 4, 25, 9, tzinfo=UTC)


def test_an_import_without_a_moment_is_of_now() -> None:
    assert imported(record(), None).record.web[ADS].decided_at == NOW


def test_an_old_import_has_lapsed_when_it_arrives() -> None:
    """CON-10: a grant of last year is on record and allows nothing."""
    after = imported(record(), NOW - timedelta(days=365)).record
    assert reason(situation(after), ADS) is Reason.EXPIRED


def test_a_withdrawn_grant_is_not_brought_back_by_an_older_import() -> None:
    """CON-20: grant, withdraw, import the old grant with its older time: 409, and it stays withdrawn."""
    withdrawn = withdraw(record(web=chosen(*ALL)), context()).record
    with pytest.raises(ImportOutdated):
        imported(withdrawn, DECIDED)
    assert reason(situation(withdrawn), ADS) is Reason.WITHDRAWN


@pytest.mark.parametrize("decided_at", [NOW, None])
def test_a_withdrawn_grant_is_not_brought_back_by_a_newer_import_either(decided_at: datetime | None) -> None:
    """CON-20, contract §6.1: an import never raises a withdrawn choice; what was never granted here it may grant."""
    withdrawn = withdraw(record(web=chosen(ADS)), context()).record
    after = imported(withdrawn, decided_at)
    assert reason(situation(after.record), ADS) is Reason.WITHDRAWN
    assert reason(situation(after.record), STATISTICAL) is Reason.GRANTED
    assert after.events[0].choices == {category: category is not ADS for category in CATEGORIES}


def test_what_is_strictly_necessary_stays_granted_by_an_import() -> None:
    """CON-04."""
    after = imported(record(), None, ADS)
    assert after.events[0].choices == {c: c in {ADS, Category.STRICTLY_NECESSARY} for c in CATEGORIES}


def test_an_import_as_old_as_what_is_on_record_is_taken_and_an_older_one_is_not() -> None:
    """Contract §6.1: older than what is on record, 409; the channel's own choices are what is compared."""
    known = record(web=chosen(), email=chosen(decided_at=NOW))
    assert imported(known, DECIDED).record.web[ADS].decided_at == DECIDED
    with pytest.raises(ImportOutdated):
        imported(known, DECIDED - timedelta(microseconds=1))


def test_an_import_from_the_future_is_refused_with_its_place() -> None:
    """CON-19: the server's clock decides what is future."""
    with pytest.raises(InvalidInput) as refused:
        imported(record(), NOW + timedelta(microseconds=1))
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/decided_at", "in-the-future")]
    assert imported(record(), NOW).record.web[ADS].decided_at == NOW


def test_only_an_import_may_say_when_it_was_decided() -> None:
    """CON-19: client time is ignored."""
    answer = Submission(Action.ACCEPT_ALL, decided_at=datetime(2030, 1, 1, tzinfo=UTC))
    after = submit(record(), answer, context())
    assert after.record.web[ADS].decided_at == NOW
    assert "decided_at" not in after.events[0].payload()


def test_an_import_for_mails_leaves_the_web_alone() -> None:
    """TRK-03."""
    known = record(web=chosen())
    after = submit(known, Submission(Action.ACCEPT_ALL, channel=Channel.EMAIL, decided_at=DECIDED), IMPORT)
    assert after.record.web == known.web
    assert after.events[0].channel is Channel.EMAIL


@pytest.mark.parametrize(
    "moment", [datetime(1970, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]
)
def test_however_old_an_import_is_its_record_can_be_read_again(moment: datetime) -> None:
    """A moment of 1970 is a moment and not a gap; the visitor stays answerable."""
    after = imported(record(), moment).record
    assert decode_record(SITE, VISITOR, encode_record(after)) == after
