"""The payload of an event, put together from what equal events share: the same bytes as written whole."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.evidence.canonical import canonical_json
from consent_service.domain.evidence.event_text import event_text
from consent_service.domain.record import ConsentEvent
from consent_service.domain.vocabulary import CATEGORIES, Channel, EventType, Method, Regime
from tests.support import strategies as any_
from tests.support.builders import NOW

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(["\x00", "\\u0000", '"'])
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True) | TEXT
EVENTS = st.builds(
    ConsentEvent,
    event_id=IDS,
    receipt_id=IDS,
    event_type=st.sampled_from(EventType),
    event_time=any_.MOMENTS,
    site=TEXT,
    visitor_id=IDS,
    channel=st.sampled_from(Channel),
    method=st.sampled_from(Method),
    policy_version=TEXT,
    policy_sha256=TEXT,
    locale=st.none() | TEXT,
    region=any_.REGIONS,
    regime=st.sampled_from(Regime),
    dnt=any_.DNT,
    gpc=st.booleans(),
    choices=st.none() | st.dictionaries(st.sampled_from(CATEGORIES), st.booleans()),
    details=st.just({}) | st.just({"restricted": True}),
)


@given(EVENTS)
def test_an_event_s_text_is_its_canonical_json(event: ConsentEvent) -> None:
    """RFC 8785, byte for byte; whatever the texts hold, also what looks like a gap."""
    assert event_text(event) == canonical_json(event.payload())


@given(EVENTS, st.sampled_from(["a", "B-1"]))
def test_events_of_one_kind_share_their_text_and_nothing_of_their_own(event: ConsentEvent, other: str) -> None:
    """No visitor's id, receipt or moment is carried over to another's."""
    event_text(event)
    next_one = replace(event, event_id=other, receipt_id=f"{other}r", visitor_id=f"{other}v", event_time=NOW)
    assert event_text(next_one) == canonical_json(next_one.payload())
