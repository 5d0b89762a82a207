"""Which GPP section a visitor gets and what it says (rules.md §2.5)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.outputs.gpp.codec import decode
from consent_service.domain.outputs.gpp.output import gpp
from consent_service.domain.outputs.gpp.usca import UsCa
from consent_service.domain.outputs.gpp.usnat import UsNat
from consent_service.domain.outputs.state import OutputState
from consent_service.domain.vocabulary import AgeBand, Category
from tests.domain.outputs.visitors import EVERYTHING, aged, record_of, rules, silent_record, state_of

ALL = record_of(EVERYTHING)
NO_ADVERTISING = record_of(EVERYTHING - {Category.ADVERTISING})
NO_SOCIAL_MEDIA = record_of(EVERYTHING - {Category.SOCIAL_MEDIA})
OPTED_OUT = replace(ALL, opted_out=True)
ADVERTISING_ONLY = record_of([Category.ADVERTISING])
NOTHING: dict[str, object] = {"gpp": None, "applicable_sections": []}
CHILD_DIRECTED = rules(child_directed=True)


def text_for(state: OutputState) -> str:
    text = gpp(state, enabled=True)["gpp"]
    assert isinstance(text, str)
    return text


def national(state: OutputState) -> UsNat:
    content = decode(text_for(state))[0].content
    assert isinstance(content, UsNat)
    return content


def californian(state: OutputState) -> UsCa:
    content = decode(text_for(state))[0].content
    assert isinstance(content, UsCa)
    return content


@pytest.mark.parametrize(
    ("region", "sections"), [("US-CA", [8]), ("US-TX", [7]), ("US-WY", [7]), ("US-PR", [7]), ("US", [7])]
)
def test_california_has_its_own_section_and_the_other_states_the_national_one(region: str, sections: list[int]) -> None:
    """OUT-08."""
    state = state_of(None, region)
    assert gpp(state, enabled=True)["applicable_sections"] == sections
    assert [section.id for section in decode(text_for(state))] == sections


@pytest.mark.parametrize("region", ["DE", "FR", "GB", "CA-QC", "CA", "CN", "UM", None])
@pytest.mark.parametrize("gpc", [False, True])
def test_outside_the_united_states_nothing_is_said(region: str | None, gpc: bool) -> None:
    """OUT-08: not even "not opted out"."""
    assert gpp(state_of(ALL, region, gpc=gpc), enabled=True) == NOTHING


def test_a_site_that_has_gpp_switched_off_says_nothing() -> None:
    assert gpp(state_of(ALL, "US-CA"), enabled=False) == NOTHING


@pytest.mark.parametrize(
    ("state", "text"),
    [
        pytest.param(state_of(None, "US-TX"), "DBABLA~CVQqAAAAAACA.QA", id="national, silent"),
        pytest.param(state_of(None, "US-TX", gpc=True), "DBABLA~CVQVAAAAAACA.YA", id="national, GPC"),
        pytest.param(state_of(None, "US-CA"), "DBABBg~BUoAAACA.QA", id="California, silent"),
        pytest.param(state_of(None, "US-CA", gpc=True), "DBABBg~BUUAAACA.YA", id="California, GPC"),
    ],
)
def test_the_string_is_that_of_the_reference_library(state: OutputState, text: str) -> None:
    """OUT-07: these four were made with @iabgpp/cmpapi 3.2.0 from the fields of the mapping table."""
    assert text_for(state) == text


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(state_of(None, "US-TX"), (2, 2, 2, False), id="nothing opted out"),
        pytest.param(state_of(ALL, "US-TX"), (2, 2, 2, False), id="everything granted"),
        pytest.param(state_of(OPTED_OUT, "US-TX"), (1, 1, 1, False), id="opt-out form"),
        pytest.param(state_of(NO_ADVERTISING, "US-TX"), (1, 1, 1, False), id="advertising refused"),
        pytest.param(state_of(NO_SOCIAL_MEDIA, "US-TX"), (2, 1, 2, False), id="social media refused"),
        pytest.param(state_of(ALL, "US-TX", gpc=True), (1, 1, 1, True), id="Sec-GPC: 1"),
        pytest.param(state_of(replace(ALL, restricted=True), "US-TX"), (1, 1, 1, False), id="processing restricted"),
    ],
)
def test_the_national_section_says_what_is_opted_out(state: OutputState, expected: tuple[int, int, int, bool]) -> None:
    """OUT-08."""
    section = national(state)
    found = (section.sale_opt_out, section.sharing_opt_out, section.targeted_advertising_opt_out, section.gpc)
    assert found == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param(state_of(None, "US-CA"), (2, 2, False), id="nothing opted out"),
        pytest.param(state_of(OPTED_OUT, "US-CA"), (1, 1, False), id="opt-out form"),
        pytest.param(state_of(NO_ADVERTISING, "US-CA"), (1, 1, False), id="advertising refused"),
        pytest.param(state_of(NO_SOCIAL_MEDIA, "US-CA"), (2, 1, False), id="social media refused"),
        pytest.param(state_of(ALL, "US-CA", gpc=True), (1, 1, True), id="Sec-GPC: 1"),
    ],
)
def test_the_californian_section_says_what_is_opted_out(state: OutputState, expected: tuple[int, int, bool]) -> None:
    """OUT-08."""
    section = californian(state)
    assert (section.sale_opt_out, section.sharing_opt_out, section.gpc) == expected


def test_no_contract_of_the_industry_is_claimed() -> None:
    """OUT-07: MspaCoveredTransaction is 2, "no"; its modes do not apply."""
    for_texas, for_california = national(state_of(None, "US-TX")), californian(state_of(None, "US-CA"))
    assert for_texas.mspa_covered_transaction == for_california.mspa_covered_transaction == 2
    assert for_texas.mspa_opt_out_option_mode == for_texas.mspa_service_provider_mode == 0


@pytest.mark.parametrize(
    ("state", "brackets"),
    [
        pytest.param(state_of(ALL, "US-TX"), (0, 0, 0), id="no age known"),
        pytest.param(state_of(aged(ALL, AgeBand.ADULT), "US-TX"), (0, 0, 0), id="adult"),
        pytest.param(state_of(aged(silent_record(), AgeBand.FROM_13_TO_15), "US-TX"), (1, 0, 0), id="13 to 15, silent"),
        pytest.param(state_of(aged(ALL, AgeBand.FROM_13_TO_15), "US-TX"), (2, 0, 0), id="13 to 15, opted in"),
        pytest.param(state_of(aged(ALL, AgeBand.FROM_13_TO_15), "US-TX", gpc=True), (1, 0, 0), id="13 to 15, GPC"),
        pytest.param(
            state_of(aged(ALL, AgeBand.FROM_13_TO_15), "US-TX", gpc=True, under=rules(selling=frozenset())),
            (1, 0, 0),
            id="13 to 15, GPC, a policy that says nothing sells",
        ),
        pytest.param(state_of(aged(ALL, AgeBand.UNDER_13), "US-TX"), (0, 1, 0), id="under 13, whatever is stored"),
        pytest.param(state_of(aged(ALL, AgeBand.CHILD), "US-TX"), (0, 1, 0), id="a child"),
        pytest.param(state_of(None, "US-TX", under=CHILD_DIRECTED), (0, 1, 0), id="a site for children"),
        pytest.param(state_of(aged(silent_record(), AgeBand.FROM_16_TO_17), "US-TX"), (0, 0, 1), id="16 or 17, silent"),
        pytest.param(state_of(aged(ALL, AgeBand.FROM_16_TO_17), "US-TX"), (0, 0, 2), id="16 or 17, consented"),
    ],
)
def test_a_minors_silence_is_no_consent(state: OutputState, brackets: tuple[int, int, int]) -> None:
    """KID-01, OUT-07: the brackets are 13 to 16, under 13, 16 to 17."""
    assert national(state).known_child_sensitive_data_consents == brackets


@pytest.mark.parametrize(
    ("state", "consents"),
    [
        pytest.param(state_of(ALL, "US-CA"), (0, 0), id="no age known"),
        pytest.param(state_of(aged(ALL, AgeBand.FROM_16_TO_17), "US-CA"), (0, 0), id="16 or 17"),
        pytest.param(state_of(aged(silent_record(), AgeBand.FROM_13_TO_15), "US-CA"), (1, 1), id="13 to 15, silent"),
        pytest.param(state_of(aged(ALL, AgeBand.FROM_13_TO_15), "US-CA"), (2, 2), id="13 to 15, opted in"),
        pytest.param(state_of(aged(ADVERTISING_ONLY, AgeBand.FROM_13_TO_15), "US-CA"), (2, 1), id="13 to 15, half"),
        pytest.param(state_of(aged(ALL, AgeBand.CHILD), "US-CA"), (1, 1), id="a child"),
        pytest.param(state_of(None, "US-CA", under=CHILD_DIRECTED), (1, 1), id="a site for children"),
    ],
)
def test_california_asks_for_consent_to_sell_and_to_share_what_is_known_of_a_child(
    state: OutputState, consents: tuple[int, int]
) -> None:
    """REG-06."""
    assert californian(state).known_child_sensitive_data_consents == consents


@given(
    granted=st.frozensets(st.sampled_from(sorted(EVERYTHING))),
    stored=st.booleans(),
    sent=st.booleans(),
    region=st.sampled_from(["US-CA", "US-TX", "US-VA", "US"]),
    honored=st.booleans(),
)
def test_the_gpc_bit_is_the_signal_that_is_on_or_on_record(
    granted: frozenset[Category], stored: bool, sent: bool, region: str, honored: bool
) -> None:
    """OUT-10: whether or not the signal has effect in that state."""
    state = state_of(replace(record_of(granted), gpc=stored), region, gpc=sent)
    heard = replace(state, gpc_effective=honored and state.gpc, sale_share_opt_out=honored and state.gpc)
    content = decode(text_for(heard))[0].content
    assert isinstance(content, UsNat | UsCa)
    assert content.gpc is (stored or sent)
