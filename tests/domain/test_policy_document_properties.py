"""Whatever is submitted as a policy, it is either refused with its faults or one that can be decided by."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent_service.domain.decision import decide_categories, decide_tracker, situate
from consent_service.domain.errors import PolicyInvalid
from consent_service.domain.policy_document import read_policy
from consent_service.domain.ruleset import compile_ruleset
from consent_service.domain.signals import NO_SIGNALS
from tests.support.builders import NOW, document, record

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def places(value: object, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the ways to every member of a document, at every depth."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, child in inner for place in [(*way, key), *places(child, (*way, key))]]


PLACES = places(document())
LEFT_OUT = object()


def at(whole: Any, way: tuple[Any, ...]) -> Any:
    """Follow a way into a document."""
    return at(whole[way[0]], way[1:]) if way else whole


def with_place(way: tuple[Any, ...], value: object) -> dict[str, Any]:
    """Give the shop's document with one place replaced or left out."""
    submitted = document()
    place = at(submitted, way[:-1])
    if value is LEFT_OUT:
        del place[way[-1]]
    else:
        place[way[-1]] = value
    return submitted


def is_refused(submitted: object) -> bool:
    """Tell whether a document is refused."""
    try:
        read_policy(submitted)
    except PolicyInvalid:
        return True
    return False


def is_refused_or_decides(submitted: object) -> bool:
    """Read a document; tell whether it is refused with at least one fault, or usable for every decision."""
    try:
        read = read_policy(submitted)
    except PolicyInvalid as refused:
        return len(refused.faults) > 0
    s = situate(compile_ruleset(read, [read]), record(), NO_SIGNALS, "FR", NOW)
    answers = [*decide_categories(s), *(decide_tracker(s, tracker.name) for tracker in read.trackers)]
    return len(answers) == 8 + len(read.trackers)


@given(JSON)
@example({"origins": ["https://[:::]"]})
def test_arbitrary_json_is_refused_and_never_breaks_the_reader(submitted: object) -> None:
    """Issue 5, bad input: never a 500; what is no policy is refused with its faults."""
    with pytest.raises(PolicyInvalid) as refused:
        read_policy(submitted)
    assert refused.value.faults


@given(st.sampled_from(PLACES), JSON)
@example(("categories", "statistical"), None)
def test_a_document_with_one_member_replaced_is_refused_or_decides(way: tuple[Any, ...], value: object) -> None:
    """A stand-in of the reader never becomes part of a policy that is published."""
    assert is_refused_or_decides(with_place(way, value))


def test_a_document_with_one_member_left_out_is_refused_or_decides() -> None:
    """Whatever is absent either has a default or is named as missing."""
    assert [way for way in PLACES if not is_refused_or_decides(with_place(way, LEFT_OUT))] == []


def test_null_is_never_read_as_a_value() -> None:
    """Only an exemption may be null, which is none; everywhere else null is a fault and not a silent default."""
    read = [way for way in PLACES if not is_refused(with_place(way, None))]
    assert {way[-1] for way in read} == {"exempt"}


@given(st.data())
def test_a_member_copied_to_another_place_is_refused_or_decides(data: st.DataObject) -> None:
    """Well-formed parts in the wrong place are no less strange than noise."""
    taken = at(document(), data.draw(st.sampled_from(PLACES)))
    assert is_refused_or_decides(with_place(data.draw(st.sampled_from(PLACES)), taken))
