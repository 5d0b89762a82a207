"""The decision state that all outputs are functions of."""

import pytest

from consent_service.domain.decision import Decision, situate
from consent_service.domain.outputs.formats import FORMATS, Output
from consent_service.domain.outputs.gpp.codec import decode
from consent_service.domain.outputs.gpp.output import gpp
from consent_service.domain.outputs.gpp.usnat import UsNat
from consent_service.domain.outputs.state import output_state
from consent_service.domain.signals import NO_SIGNALS
from consent_service.domain.vocabulary import CATEGORIES, Category, Reason
from tests.domain.outputs.visitors import EVERYTHING, NOW, record_of, rules, state_of

TEXAN = situate(rules(), None, NO_SIGNALS, "US-TX", NOW)
UNAVAILABLE = output_state(TEXAN, [Decision(category, Reason.UNAVAILABLE) for category in CATEGORIES])


@pytest.mark.parametrize("output", FORMATS.values(), ids=FORMATS)
def test_no_platform_is_told_that_anything_may_run_while_the_store_cannot_be_reached(output: Output) -> None:
    """SVC-01: even where silence would allow."""
    assert output(UNAVAILABLE) == output(state_of(record_of([]), "US-TX"))


def test_gpp_says_opted_out_while_the_store_cannot_be_reached() -> None:
    """SVC-01."""
    text = gpp(UNAVAILABLE, enabled=True)["gpp"]
    assert isinstance(text, str)
    content = decode(text)[0].content
    assert isinstance(content, UsNat)
    assert content.sale_opt_out == content.sharing_opt_out == content.targeted_advertising_opt_out == 1


def test_silence_that_allows_is_no_consent() -> None:
    silent, spoken = output_state(TEXAN), state_of(record_of([Category.ADVERTISING]), "US-TX")
    assert silent.allows(*EVERYTHING)
    assert not silent.consented
    assert spoken.consented == {Category.ADVERTISING}


def test_one_denied_source_denies_what_it_feeds() -> None:
    state = state_of(record_of(EVERYTHING - {Category.STATISTICAL}))
    assert state.marketing
    assert not state.analytics
