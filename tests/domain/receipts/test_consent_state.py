"""The DPV state of a category follows from what the visitor said and what came of it."""

from dataclasses import replace

import pytest

from consent_service.domain.receipts.consent_state import ConsentState, consent_state
from consent_service.domain.receipts.source import CategoryState, Lapse, Silence
from consent_service.domain.vocabulary import Category, Choice
from tests.domain.receipts.samples import category

ADVERTISING = category(Category.ADVERTISING)
SILENT = replace(ADVERTISING, choice=None)
DENIED = replace(ADVERTISING, choice=Choice.DENIED)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (replace(SILENT, silence=Silence.ASKED), ConsentState.REQUESTED),
        (replace(SILENT, silence=Silence.DISMISSED), ConsentState.DEFERRED),
        (SILENT, ConsentState.UNKNOWN),
        (ADVERTISING, ConsentState.GIVEN),
        (replace(ADVERTISING, granted_before=True), ConsentState.RENEWED),
        (DENIED, ConsentState.REFUSED),
        (replace(DENIED, granted_before=True), ConsentState.WITHDRAWN),
        (replace(ADVERTISING, lapse=Lapse.EXPIRED), ConsentState.EXPIRED),
        (replace(ADVERTISING, granted_before=True, lapse=Lapse.POLICY_CHANGED), ConsentState.INVALIDATED),
        (replace(ADVERTISING, lapse=Lapse.PURPOSE_RETIRED), ConsentState.TERMINATED),
        (replace(DENIED, lapse=Lapse.EXPIRED), ConsentState.REFUSED),
        (category(Category.STRICTLY_NECESSARY), ConsentState.UNKNOWN),
    ],
)
def test_a_category_is_in_the_state_that_the_mapping_names(state: CategoryState, expected: ConsentState) -> None:
    """EVD-07 and the table of rules.md §3.1; a refusal never lapses."""
    assert consent_state(state) is expected


def test_there_are_exactly_the_ten_states_of_the_vocabulary() -> None:
    """EVD-07."""
    assert {state.value for state in ConsentState} == {
        "ConsentGiven",
        "RenewedConsentGiven",
        "ConsentUnknown",
        "ConsentRequested",
        "ConsentRequestDeferred",
        "ConsentRefused",
        "ConsentWithdrawn",
        "ConsentExpired",
        "ConsentTerminated",
        "ConsentInvalidated",
    }
