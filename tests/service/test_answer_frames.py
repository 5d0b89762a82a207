"""The answer to a write, filled into what equal facts share: the same bytes as written whole."""

from datetime import timedelta

import orjson
from hypothesis import assume, given
from hypothesis import strategies as st

from consent_service.domain.decision import situate
from consent_service.domain.record import ConsentRecord
from consent_service.domain.record_text import StoredVisitor, decode_record, encode_record
from consent_service.domain.ruleset import Ruleset
from consent_service.domain.signals import Signals
from consent_service.domain.state import consent_state
from consent_service.ports import LogEntry
from consent_service.service.answer_frames import frame
from consent_service.service.memory import facts_of
from consent_service.service.presenting import written_body
from tests.support import strategies as any_
from tests.support.builders import NOW, SITE

ENTRIES = st.lists(
    st.builds(LogEntry, st.integers(0, 2**40), st.binary(min_size=32, max_size=32), st.just("e"), st.uuids().map(str)),
    max_size=2,
)
LEFT = orjson.dumps([{"name": "100%_ga", "kind": "cookie"}])


def whole(rules: Ruleset, record: ConsentRecord, signals: Signals, entries: list[LogEntry]) -> bytes:
    state = consent_state(situate(rules, record, signals, "FR", NOW))
    return orjson.dumps(written_body(SITE, state, entries, orjson.Fragment(LEFT)))


@given(any_.rulesets(), any_.records(), any_.SIGNALS, ENTRIES)
def test_a_filled_frame_is_the_answer_written_whole(
    rules: Ruleset, record: ConsentRecord, signals: Signals, entries: list[LogEntry]
) -> None:
    """Contract §4: the members, their order and every moment, for any record that has a frame."""
    stored = encode_record(record)
    made = frame(SITE, consent_state(situate(rules, record, signals, "FR", NOW)), stored, LEFT)
    assume(made is not None)
    assert made is not None
    filled = made.fill(made.values(record.visitor_id, stored, entries))
    assert filled == whole(rules, record, signals, entries)


@given(any_.rulesets(), any_.records(), any_.SIGNALS, ENTRIES, st.timedeltas(timedelta(0), timedelta(days=900)))
def test_a_frame_serves_every_record_of_equal_facts(
    rules: Ruleset, record: ConsentRecord, signals: Signals, entries: list[LogEntry], later: timedelta
) -> None:
    """What is remembered by facts and by the moments that have passed is true of whoever has the same ones."""
    stored = encode_record(record)
    made = frame(SITE, consent_state(situate(rules, record, signals, "FR", NOW)), stored, LEFT)
    assume(made is not None)
    assert made is not None
    micros = later // timedelta(microseconds=1)
    times = [time and time + micros * (place + 1) for place, time in enumerate(orjson.loads(stored.times))]
    other = StoredVisitor(stored.revision and stored.revision + 1, stored.facts, orjson.dumps(times).decode())
    assume(facts_of(other, signals, "FR", NOW) == facts_of(stored, signals, "FR", NOW))
    filled = made.fill(made.values("another", other, entries))
    assert filled == whole(rules, decode_record(SITE, "another", other), signals, entries)
