"""A body read piece by piece says what the same body says when it is read at once, or nothing."""

import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from consent_service.api.batch_bodies import read_asked
from consent_service.domain.vocabulary import CATEGORIES
from consent_service.service.batch_answers import Asked, Batch
from tests.support.service import STRANGER

WHOLE = b" "
"""A space before it keeps a body from being read in pieces, and means nothing in JSON."""
NAMES = st.lists(st.sampled_from(["_ga", "session", '}, {"visitor_id": "', "é", "\\", "}]}", ""]), max_size=4)
ITEMS = st.fixed_dictionaries(
    {"visitor_id": st.sampled_from([STRANGER, "A" * 22, "short", None])},
    optional={
        "region": st.sampled_from(["FR", "us-ca", "nowhere", None]),
        "trackers": NAMES,
        "categories": st.lists(st.sampled_from(CATEGORIES), max_size=2),
        "dnt": st.sampled_from([None, "1"]),
        "gpc": st.sampled_from([None, False, True, 1]),
    },
)
BODIES = ITEMS | st.lists(ITEMS, max_size=4).map(lambda items: {"requests": items})
WRITERS = st.sampled_from([{}, {"separators": (",", ":")}, {"ensure_ascii": False}, {"indent": 1}])
CUTS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30), st.sampled_from(
    ["", "}", "]", '"', ",", "{", " ", '"x":1,', '"visitor_id":"' + "B" * 22 + '",', '}, {"visitor_id": "', "NaN", "\\ud800", "\\u0000"]
)), max_size=2)  # fmt: skip


def edited(body: str, cuts: list[tuple[int, int, str]]) -> bytes:
    """Take some characters away and put others in their place."""
    for place, length, put in cuts:
        at = min(place, len(body))
        body = body[:at] + put + body[at + length :]
    return body.encode()


@given(BODIES, WRITERS, CUTS)
@example({"requests": [{"visitor_id": STRANGER, "trackers": ["a"]}] * 2}, {}, [(13, 0, '"requests":[],')])
@example({"visitor_id": STRANGER, "trackers": ["a"]}, {}, [(16, 0, "B")])
def test_pieces_say_what_the_whole_says(
    body: dict[str, Any], writer: dict[str, Any], cuts: list[tuple[int, int, str]]
) -> None:
    """C2: whatever a body looks like, cutting it up forgives nothing and changes nothing."""
    sent = edited(json.dumps(body, **writer), cuts)
    assume(len(sent) > 1)
    assert read_asked(sent) == read_asked(WHOLE + sent)


ITEM = f'{{"visitor_id": "{STRANGER}", "trackers": ["_ga"]}}'
NAME = '"_ga"'
FAULTY = {
    "a name twice": f'{{"requests": [{ITEM[:-1]}, "trackers": ["_ga"]}}]}}',
    "an id twice": f'{{"requests": [{ITEM[:-1]}, "visitor_id": "{STRANGER}"}}]}}',
    "requests twice": f'{{"requests": [{ITEM}], "requests": [{ITEM}]}}',
    "an id too long": f'{{"requests": [{ITEM.replace(STRANGER, STRANGER + "A")}]}}',
    "an id too short": f'{{"requests": [{ITEM}, {ITEM.replace(STRANGER, STRANGER[1:])}]}}',
    "an id of other characters": f'{{"requests": [{ITEM.replace(STRANGER, STRANGER[1:] + "é")}]}}',
    "a lone surrogate": f'{{"requests": [{ITEM.replace("_ga", "_ga" + chr(92) + "ud800")}]}}',
    "a NUL character": f'{{"requests": [{ITEM.replace("_ga", "_ga" + chr(92) + "u0000")}]}}',
    "not a number": f'{{"requests": [{ITEM[:-1]}, "gpc": NaN}}]}}',
    "a bracket too many": f'{{"requests": [{ITEM}]}}]}}',
    "no comma": f'{{"requests": [{ITEM} {ITEM}]}}',
    "nothing asked": f'{{"requests": [{{"visitor_id": "{STRANGER}"}}]}}',
    "a member nobody knows": f'{{"requests": [{ITEM[:-1]}, "more": 1}}]}}',
    "too many visitors": f'{{"requests": [{", ".join([ITEM] * 1_001)}]}}',
    "too many names": f'{{"requests": [{ITEM.replace(NAME, ", ".join([NAME] * 201))}]}}',
}


@pytest.mark.parametrize("body", FAULTY.values(), ids=FAULTY.keys())
def test_what_is_faulty_is_left_to_the_framework(body: str) -> None:
    """C2."""
    assert read_asked(body.encode()) is None
    assert read_asked(body.encode().replace(b": ", b":").replace(b", ", b",")) is None


@pytest.mark.parametrize("signal", ['"dnt": "1"', '"dnt": "0"', '"gpc": true'])
@pytest.mark.parametrize("before", [b"", WHOLE])
def test_a_signal_goes_the_way_on_which_it_can_be_stored(signal: str, before: bytes) -> None:
    """SIG-16."""
    assert read_asked(before + f'{{"requests": [{ITEM}, {ITEM[:-1]}, {signal}}}]}}'.encode()) is None
    assert read_asked(before + f"{ITEM[:-1]}, {signal}}}".encode()) is None


@pytest.mark.parametrize("silence", ['"dnt": null', '"gpc": false', '"gpc": null'])
@pytest.mark.parametrize("before", [b"", WHOLE])
def test_null_and_false_show_no_signal(silence: str, before: bytes) -> None:
    """Contract §5: absent."""
    asked = Asked(None, ("_ga",), ())
    assert read_asked(before + f"{ITEM[:-1]}, {silence}}}".encode()) == Batch(
        several=False, questions=[(STRANGER, asked)]
    )
