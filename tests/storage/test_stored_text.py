"""What is written as text or compressed comes back as it was, and damage is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.moments import from_micros, to_micros
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.record_text import (
    StoredVisitor,
    decode_account,
    encode_account,
    encode_record,
    join_account,
    read_visitor,
)
from consent_service.ports import Reply, SharedText
from consent_service.storage.payloads import pack, unpack
from consent_service.storage.sql_batch import decode_reply, encode_reply
from tests.support.builders import NOW, SITE, VISITOR, chosen, record
from tests.support.strategies import MOMENTS, accounts, records

EVENT = canonical_json({"choices": None, "event_id": "a", "event_type": "given", "locale": "en", "visitor_id": VISITOR})
DAMAGES = range(8 * len(pack(EVENT)))


def as_looked_up(known: ConsentRecord) -> StoredVisitor:
    """Give the row of a record as a lookup brings it, joined with its account's."""
    stored = encode_record(known)
    state = None if known.account is None else encode_account(known.account)
    return StoredVisitor(stored.revision, stored.facts, stored.times, join_account(stored.account, state))


@given(records())
def test_any_record_comes_back_from_its_row(known: ConsentRecord) -> None:
    assert read_visitor(SITE, VISITOR, as_looked_up(known)) == known


@given(accounts())
def test_any_account_comes_back_from_its_row(known: AccountState) -> None:
    assert decode_account(known.account, encode_account(known)) == known


def test_the_facts_of_two_who_chose_alike_are_the_same_text_whenever_they_chose() -> None:
    early = record(web=chosen())
    late = record(web=chosen(decided_at=NOW), updated_at=NOW)
    assert encode_record(early).facts == encode_record(late).facts


def test_a_visitor_who_answered_everything_at_once_takes_little_room() -> None:
    stored = encode_record(record(web=chosen(), policy_version="2026-11-22", region="FR"))
    assert len(stored.facts) + len(stored.times) < 170


@given(MOMENTS)
def test_a_moment_comes_back_to_the_microsecond(moment: object) -> None:
    assert from_micros(to_micros(moment)) == moment  # type: ignore[arg-type]


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        to_micros(NOW.replace(tzinfo=None))


@pytest.mark.parametrize("bit", DAMAGES)
def test_any_flipped_bit_of_a_stored_payload_is_noticed(bit: int) -> None:
    """EVD-02: the bits that carry nothing are watched as well."""
    stored = bytearray(pack(EVENT))
    stored[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match="damaged"):
        unpack(bytes(stored))


@given(st.binary(max_size=200))
def test_bytes_that_were_never_packed_are_called_damaged(stored: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(stored)


@given(st.integers(200, 599), st.lists(st.tuples(st.text(), st.text())), st.text())
def test_an_answer_comes_back_from_what_an_idempotency_key_remembers(
    status: int, headers: list[tuple[str, str]], body: str
) -> None:
    reply = Reply(status, tuple(headers), body.encode())
    assert decode_reply(encode_reply(reply)) == reply


@given(st.integers(200, 599), st.lists(st.tuples(st.text(), st.text())), st.text(st.characters(exclude_characters="%")))
def test_an_answer_with_much_in_common_with_others_comes_back_whole(
    status: int, headers: list[tuple[str, str]], own: str
) -> None:
    """EVD-13: the shared text is kept with the key, so the replay is the first answer whatever has changed since."""
    shared, values = b'{"share":"100%%","own":%(1)b}', {b"1": own.encode()}
    reply = Reply(status, tuple(headers), shared % values, SharedText(shared), values)
    assert decode_reply(encode_reply(reply)) == reply


@pytest.mark.parametrize("bit", range(8, 8 * 60, 7))
def test_any_flipped_bit_of_a_remembered_answer_is_noticed(bit: int) -> None:
    shared, values = b'{"share":"100%%","own":%(1)b}', {b"1": b"1"}
    stored = bytearray(encode_reply(Reply(200, (), shared % values, SharedText(shared), values)))
    stored[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match="damaged"):
        decode_reply(bytes(stored))
