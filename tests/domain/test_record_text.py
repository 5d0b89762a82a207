"""A record as two texts: nothing is lost, equal facts are equal texts, and what is default takes no room."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.moments import from_micros, parse_moment, to_micros
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.record_text import (
    StoredVisitor,
    decode_account,
    decode_record,
    encode_account,
    encode_record,
    join_account,
    read_visitor,
)
from consent_service.domain.vocabulary import AgeBand, Category, SeparateConsent
from tests.support import strategies as any_
from tests.support.builders import EXPIRES, SITE, VISITOR, account, chosen, record

ADS, STATISTICAL = Category.ADVERTISING, Category.STATISTICAL


@given(any_.records())
def test_a_row_with_its_account_s_row_is_the_visitor_again(known: ConsentRecord) -> None:
    """Nothing lost: as written by the writer and joined by the lookup."""
    written = encode_record(known)
    state = encode_account(known.account) if known.account else None
    joined = join_account(written.account, state)
    assert read_visitor(SITE, VISITOR, StoredVisitor(written.revision, written.facts, written.times, joined)) == known


@given(any_.accounts())
def test_an_account_s_state_is_read_back_as_it_was_written(state: AccountState) -> None:
    """IDN-05, SIG-14."""
    assert decode_account(state.account, encode_account(state)) == state


@given(any_.records(), st.integers(0, 10**6))
def test_facts_hold_no_moment_and_no_revision(known: ConsentRecord, micros: int) -> None:
    """The hot path remembers by `facts`: the same visitor at another moment has the same ones."""
    stored = encode_record(known)
    moved = StoredVisitor(stored.revision + 1, stored.facts, json.dumps([m + micros for m in json.loads(stored.times)]))
    again = encode_record(decode_record(SITE, VISITOR, moved, known.account))
    assert again.facts == stored.facts


@given(any_.records())
def test_one_record_has_one_text(known: ConsentRecord) -> None:
    """Reading and writing again changes no byte."""
    stored = encode_record(known)
    assert encode_record(decode_record(SITE, VISITOR, stored, known.account)) == stored


def test_what_is_default_takes_no_room() -> None:
    """P9: a visitor who has said nothing is a few bytes."""
    silent = encode_record(record())
    assert silent.facts == "{}"
    assert silent.account is None


def test_everything_that_can_be_said_is_in_the_text() -> None:
    full = record(
        web=chosen(ADS, withdrawn=[STATISTICAL]),
        email={ADS: chosen()[ADS]},
        separate=frozenset(SeparateConsent),
        gpc=True,
        opted_out=True,
        restricted=True,
        age_band=AgeBand.FROM_13_TO_15,
        objections=frozenset({ADS, STATISTICAL}),
        region="FR",
        policy_version="v1",
        notice_due=True,
    )
    assert json.loads(encode_record(full).facts) == {
        "w": [["v1", "ddgwdgdd"]],
        "e": [["v1", "--d-----"]],
        "s": ["cross_border", "third_party_sharing"],
        "g": 1,
        "o": 1,
        "r": 1,
        "n": 1,
        "a": "13_15",
        "j": ["advertising", "statistical"],
        "l": "FR",
        "p": "v1",
    }


def test_choices_made_apart_are_groups_of_their_own() -> None:
    """A category answered under another version or at another moment keeps its own."""
    later = EXPIRES + timedelta(microseconds=1)
    mixed = record(web={**chosen(ADS), STATISTICAL: chosen(STATISTICAL, expires_at=later, version="v2")[STATISTICAL]})
    stored = encode_record(mixed)
    assert json.loads(stored.facts)["w"] == [["v1", "ddg-dgdd"], ["v2", "---g----"]]
    assert decode_record(SITE, VISITOR, stored) == mixed


def test_an_account_without_a_row_has_said_nothing() -> None:
    """SIG-14: the row of a visitor names its account; the account's own row may be yet to come."""
    assert join_account(None, None) is None
    joined = StoredVisitor(0, "{}", encode_record(record()).times, join_account("customer", None))
    assert read_visitor(SITE, VISITOR, joined).account == account()


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_kept_to_the_microsecond(moment: datetime) -> None:
    """From the year 1 to the year 9999."""
    assert from_micros(to_micros(moment)) == moment


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    assert to_micros(datetime.fromisoformat("1970-01-01T01:00:00.000001+01:00")) == 1


def test_a_moment_without_a_zone_is_refused() -> None:
    """Naive values are refused before they are stored."""
    with pytest.raises(ValueError, match="time zone"):
        to_micros(datetime(2026, 11, 24, tzinfo=UTC).replace(tzinfo=None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T00:00:00Z", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T01:30:00+01:30", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T00:00:00.5Z", datetime(2026, 11, 22, microsecond=500_000, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_from_rfc_3339(text: str, expected: datetime) -> None:
    assert parse_moment(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "RFC 3339"),
        ("2026-13-01T00:00:00Z", "RFC 3339"),
        ("2026-11-22", "time zone"),
        ("2026-11-22T00:00:00", "time zone"),
        ("0001-01-01T00:00:00+14:00", "years 1 to 9999"),
        ("9999-12-31T23:59:59-14:00", "years 1 to 9999"),
    ],
)
def test_what_is_no_moment_is_told_what_is_missing(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_moment(text)
