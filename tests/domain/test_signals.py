"""DNT and Sec-GPC from the text of the header fields: the specifications' vectors and any text at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.signals import NO_SIGNALS, Signals, parse_dnt, parse_gpc, parse_signals
from consent_service.domain.vocabulary import Dnt

ON, OFF = Dnt.DO_NOT_TRACK, Dnt.ALLOW


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["1"], ON),
        (["0"], OFF),
        ([], None),
        (["1xyz"], ON),
        (["1!"], ON),
        (["1#$"], ON),
        (["0abc"], OFF),
        (["1~[]+-^"], ON),
        (["1\\"], None),
        (['1"'], None),
        (["1,"], None),
        ([",1"], None),
        (["1 x"], None),
        (["1\x00"], None),
        (["1~"], ON),
        (["1\x7f"], None),
        (["1é"], None),
        (["1\n"], None),
        (["2"], None),
        (["x1"], None),
        (["X1"], None),
        (["1XX"], ON),
        (["null"], None),
        ([""], None),
        ([" "], None),
        (["yes"], None),
        (["-1"], None),
        (["١"], None),
        ([" 1\t"], ON),
        (["0", "1"], ON),
        (["1", "0"], ON),
        (["0, 1"], ON),
        (["1,0"], ON),
        (["0,0"], OFF),
        (["yes", "0"], OFF),
        (["yes, 0"], OFF),
        (["yes, 1"], ON),
        (["", "1"], ON),
        (["1,,0"], None),
    ],
)
def test_dnt_is_read_by_its_first_character_where_it_keeps_to_the_grammar(
    fields: list[str], expected: Dnt | None
) -> None:
    """SIG-01 to SIG-04, vector 6.1: three states kept apart; repeated or folded fields read protectively."""
    assert parse_signals(fields, []) == Signals(expected, gpc=False)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["1"], True),
        ([], False),
        (["0"], False),
        (["true"], False),
        (["?1"], False),
        (["11"], False),
        (["X1"], False),
        (["1X"], False),
        (["yes"], False),
        ([" "], False),
        ([""], False),
        (["1;a=b"], False),
        (["١"], False),
        (["1\x0b"], False),
        ([" 1\t"], True),
        (["0", "1"], True),
        (["1", "0"], True),
        (["0, 1"], True),
        (["0,1,0"], True),
        (["0", "2"], False),
        (["0, 2"], False),
    ],
)
def test_gpc_is_on_where_one_field_is_exactly_one(fields: list[str], expected: bool) -> None:
    """SIG-09, SIG-10, vector 6.2: anything else counts as absent, never as an opposite."""
    assert parse_signals([], fields) == Signals(None, gpc=expected)


@pytest.mark.parametrize("first", [None, ON, OFF])
@pytest.mark.parametrize("second", [None, ON, OFF])
def test_what_header_and_page_say_is_joined_protectively(first: Dnt | None, second: Dnt | None) -> None:
    """SIG-25, SIG-26: do-not-track wins, then allow, then nothing; a false value cancels no true one."""
    protective = min(first, second, key=[ON, OFF, None].index)
    assert Signals(first, gpc=True).joined(Signals(second, gpc=False)) == Signals(protective, gpc=True)
    assert Signals(first).joined(Signals(second, gpc=True)).gpc
    assert not Signals(first).joined(Signals(second)).gpc
    assert Signals(first, gpc=True).joined(NO_SIGNALS) == Signals(first, gpc=True)


def test_nothing_sent_is_nothing_said() -> None:
    """SIG-01: absent is not 0."""
    assert parse_signals([], []) == NO_SIGNALS == Signals(None, gpc=False)


@given(st.lists(st.text()), st.lists(st.text()))
def test_no_text_is_an_error(dnt_fields: list[str], gpc_fields: list[str]) -> None:
    """SIG-03: malformed text is read as nothing; only `1` and `0` say something."""
    read = parse_signals(dnt_fields, gpc_fields)
    assert read.dnt is None or any(read.dnt.value in field for field in dnt_fields)
    assert not read.gpc or any("1" in field for field in gpc_fields)


@given(st.text(st.characters(codec="ascii")))
def test_one_field_says_the_same_alone_and_beside_noise(field: str) -> None:
    """SIG-04, SIG-10: a malformed field takes nothing away from a good one."""
    assert parse_signals([field, "nonsense"], [field, "nonsense"]) == Signals(parse_dnt(field), parse_gpc(field))


@given(st.lists(st.sampled_from(["0", "1", "1xyz", "2", ""])), st.lists(st.sampled_from(["0", "1", "11", ""])))
def test_the_order_of_fields_does_not_matter(dnt_fields: list[str], gpc_fields: list[str]) -> None:
    """SIG-04: no last one wins."""
    assert parse_signals(dnt_fields, gpc_fields) == parse_signals(dnt_fields[::-1], gpc_fields[::-1])


def test_equal_signals_are_one_key() -> None:
    """The hot path remembers its answers under them."""
    assert len({Signals(ON, gpc=True), parse_signals(["1"], ["1"])}) == 1
