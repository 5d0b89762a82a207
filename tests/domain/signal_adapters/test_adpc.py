"""Advanced Data Protection Control: what its header says, and what a site publishes for it (OUT-11)."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.signal_adapters.adpc import REQUESTED, Adpc, request_id
from consent_service.domain.signal_adapters.expression import NOTHING_EXPRESSED, Expression
from consent_service.domain.vocabulary import Category
from tests.domain.outputs.visitors import EVERYTHING, shop_policy

ADVERTISING, ANALYTICS, STATISTICS = Category.ADVERTISING, Category.ANALYTICAL_PERFORMANCE, Category.STATISTICAL
POLICY = shop_policy()


def read(*fields: str) -> Expression:
    return Adpc().read(fields, POLICY)


def said(consent: Sequence[Category] = (), withdraw: Sequence[Category] = (), object_: bool = False) -> Expression:
    objections = frozenset({ADVERTISING}) if object_ else frozenset()
    return Expression(("adpc",), frozenset(consent), frozenset(withdraw), objections)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("consent=statistical.1", said([STATISTICS]), id="one consent without quotes"),
        pytest.param('consent="statistical.1"', said([STATISTICS]), id="one consent in quotes"),
        pytest.param(
            'consent="statistical.1 analytical_performance.1"', said([STATISTICS, ANALYTICS]), id="two consents"
        ),
        pytest.param("withdraw=statistical.1", said(withdraw=[STATISTICS]), id="one withdrawal"),
        pytest.param("withdraw=*", said(withdraw=REQUESTED), id="everything withdrawn"),
        pytest.param("object=direct-marketing", said(object_=True), id="objection to direct marketing"),
        pytest.param(
            "withdraw=*, object=direct-marketing", said(withdraw=REQUESTED, object_=True), id="withdrawal and objection"
        ),
        pytest.param(
            "withdraw=statistical.1 , consent=analytical_performance.1",
            said([ANALYTICS], [STATISTICS]),
            id="spaces around the comma",
        ),
    ],
)
def test_the_header_says_what_the_visitor_decided(field: str, expected: Expression) -> None:
    """OUT-11."""
    assert read(field) == expected


def test_several_fields_add_up_in_any_order() -> None:
    """OUT-11."""
    fields = ["consent=statistical.1", "object=direct-marketing", 'withdraw="personalization.1 technical.1"']
    assert read(*fields) == read(*reversed(fields)) == read(", ".join(fields))
    assert read(*fields) == said([STATISTICS], [Category.PERSONALIZATION, Category.TECHNICAL], object_=True)


def test_a_consent_stands_before_a_general_withdrawal() -> None:
    """OUT-11: the draft's own example, `withdraw=*, consent=…`."""
    expression = read('withdraw=*, object=direct-marketing, consent="statistical.1 analytical_performance.1"')
    assert expression.consents == {STATISTICS, ANALYTICS}
    assert expression.withdrawals == EVERYTHING - {STATISTICS, ANALYTICS}
    assert expression.objections == {ADVERTISING}


@pytest.mark.parametrize("field", ["consent=*", 'consent="*"', "consent=all", "consent=", 'consent=""'])
def test_nobody_consents_to_everything_at_once(field: str) -> None:
    """OUT-11."""
    assert read(field) is NOTHING_EXPRESSED


def test_an_asterisk_beside_a_request_takes_nothing_from_it() -> None:
    """OUT-11."""
    assert read('consent="* statistical.1"') == said([STATISTICS])


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("consent=statistical", id="no version"),
        pytest.param("consent=statistical.0", id="an older version"),
        pytest.param("consent=strictly_necessary.1", id="never asked for"),
        pytest.param("consent=q1analytics", id="another site's"),
        pytest.param("consent=Statistical.1", id="another letter case"),
    ],
)
def test_consent_counts_only_for_what_was_asked(field: str) -> None:
    """OUT-11."""
    assert read(field) is NOTHING_EXPRESSED


@pytest.mark.parametrize("word", ["statistical.1", "statistical.0", "statistical.2020-01-01", "statistical"])
def test_a_withdrawal_counts_for_requests_of_older_policies_too(word: str) -> None:
    """OUT-11."""
    assert read(f"withdraw={word}") == said(withdraw=[STATISTICS])


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("consent=statistical.1, withdraw=statistical.1", said(withdraw=[STATISTICS])),
        ("consent=advertising.1, object=direct-marketing", said(object_=True)),
        ("consent=advertising.1, object=direct-marketing, withdraw=*", said(withdraw=REQUESTED, object_=True)),
    ],
)
def test_a_consent_that_is_contradicted_is_none(field: str, expected: Expression) -> None:
    """OUT-11: what is contradictory is not unambiguous (GDPR Art. 4(11))."""
    assert read(field) == expected


@pytest.mark.parametrize(
    "field",
    [
        "",
        ",",
        "=",
        "nonsense",
        "allow=statistical.1",
        "consent",
        "consent=statistical.1 analytical_performance.1",
        'consent="statistical.1',
        'tail="unclosed, consent=statistical.1',
        'consent="statistical.1"x',
        "consent = statistical.1",
        "consent=statistical.1; q=1",
        "Consent=statistical.1",
        "object=everything",
        "object=*",
        "withdraw=",
        "withdraw=strictly_necessary.1",
        "\x00\xff",
    ],
)
def test_malformed_text_says_nothing(field: str) -> None:
    """OUT-11."""
    assert read(field) is NOTHING_EXPRESSED


def test_a_malformed_member_does_not_silence_the_one_beside_it() -> None:
    """OUT-11."""
    assert read("nonsense, withdraw=statistical.1, consent = technical.1") == said(withdraw=[STATISTICS])


def test_a_comma_within_quotes_parts_nothing() -> None:
    """OUT-11."""
    assert read('consent="https://a.example/,consent=technical.1 statistical.1"') == said([STATISTICS])


@given(fields=st.lists(st.text(st.characters(max_codepoint=255), max_size=80), max_size=4))
def test_no_header_whatever_is_an_error_or_contradicts_itself(fields: list[str]) -> None:
    """OUT-11."""
    expression = read(*fields)
    assert not expression.consents & (expression.withdrawals | expression.objections)


@given(
    fields=st.lists(st.from_regex(r'(consent|withdraw|object)="?[a-z_.1 *,-]{0,40}"?', fullmatch=True), max_size=4),
    more=st.sampled_from(["withdraw=*", "object=direct-marketing", "withdraw=statistical.1"]),
)
def test_a_further_refusal_never_adds_a_consent(fields: list[str], more: str) -> None:
    """OUT-11, OUT-12."""
    assert read(*fields, more).consents <= read(*fields).consents


def test_a_site_asks_for_every_category_that_needs_consent() -> None:
    """OUT-11."""
    document = Adpc().document(POLICY, "en")
    assert json.loads(json.dumps(document)) == {
        "consentRequests": [
            {"id": "technical.1", "text": "technical: What it is for."},
            {"id": "personalization.1", "text": "personalization: What it is for."},
            {"id": "advertising.1", "text": "advertising: What it is for."},
            {"id": "statistical.1", "text": "statistical: What it is for."},
            {"id": "social_media.1", "text": "social_media: What it is for."},
            {"id": "analytical_performance.1", "text": "analytical_performance: What it is for."},
            {"id": "functionality.1", "text": "functionality: What it is for."},
        ]
    }


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "technical (de): Wozu es dient."),
        ("en", "technical: What it is for."),
        ("fr", "technical: What it is for."),
    ],
)
def test_the_requests_are_in_the_language_or_the_policys_own(language: str, text: str) -> None:
    """OUT-11."""
    requests = Adpc().document(POLICY, language)["consentRequests"]
    assert isinstance(requests, list)
    assert requests[0] == {"id": "technical.1", "text": text}


def test_another_policy_asks_under_other_identifiers() -> None:
    """OUT-11: nobody can have consented to texts that they were not shown."""
    later = shop_policy("2026-11-22")
    assert request_id(STATISTICS, later) == "statistical.2026-11-22"
    assert Adpc().read(["consent=statistical.1"], later) is NOTHING_EXPRESSED


def test_the_link_header_points_to_the_requests() -> None:
    """OUT-11."""
    assert Adpc().link("/v1/signals/adpc") == '</v1/signals/adpc>; rel="consent-requests"'
