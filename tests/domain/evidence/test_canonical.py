"""Canonical JSON: what two readers of one event must agree on, byte for byte."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.evidence.canonical import MAX_DEPTH, MAX_INTEGER, NotCanonical, canonical_json
from consent_service.domain.vocabulary import Category

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ASCII = st.text(st.characters(max_codepoint=127))
SCALARS = st.none() | st.booleans() | TEXT | st.integers(-MAX_INTEGER, MAX_INTEGER)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(ASCII, inner), max_leaves=30)


@given(VALUES)
def test_every_payload_reads_as_the_independent_library_writes_it(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


def test_a_payload_has_sorted_members_no_spaces_and_plain_letters() -> None:
    value = {"locale": "de", "b": None, "a": [True, -1, 'é\u2028\x7f/\x01\n"']}

    assert canonical_json(value).decode() == '{"a":[true,-1,"é\u2028\x7f/\\u0001\\n\\""],"b":null,"locale":"de"}'


def test_the_words_of_the_vocabulary_are_written_as_text() -> None:
    assert canonical_json({Category.ADVERTISING: Category.TECHNICAL}) == b'{"advertising":"technical"}'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.5, "only objects"),
        (float("nan"), "only objects"),
        (b"bytes", "only objects"),
        ({1, 2}, "only objects"),
        (2**53, "whole number"),
        (-(2**53), "whole number"),
        ("\ud800", "surrogate"),
        ({"a": ["\udfff"]}, "surrogate"),
        ({"é": 1}, "member name"),
        ({1: 1}, "member name"),
    ],
)
def test_a_value_that_readers_could_disagree_about_is_refused(value: object, reason: str) -> None:
    with pytest.raises(NotCanonical, match=reason):
        canonical_json(value)


def test_a_value_nested_without_end_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(NotCanonical, match=f"more than {MAX_DEPTH} deep"):
        canonical_json(endless)
