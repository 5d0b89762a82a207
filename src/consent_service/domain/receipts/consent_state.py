"""The ten consent states of DPV, and which of them a category is in (ISO/IEC TS 27560, rules EVD-07)."""

from enum import StrEnum

from consent_service.domain.receipts.source import CategoryState, Lapse, Silence
from consent_service.domain.vocabulary import Category, Choice


class ConsentState(StrEnum):
    """The states of `dpv:ConsentStatus`; only the first two are valid for processing."""

    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    UNKNOWN = "ConsentUnknown"
    REQUESTED = "ConsentRequested"
    DEFERRED = "ConsentRequestDeferred"
    REFUSED = "ConsentRefused"
    WITHDRAWN = "ConsentWithdrawn"
    EXPIRED = "ConsentExpired"
    TERMINATED = "ConsentTerminated"
    INVALIDATED = "ConsentInvalidated"


_LAPSED = {
    Lapse.EXPIRED: ConsentState.EXPIRED,
    Lapse.POLICY_CHANGED: ConsentState.INVALIDATED,
    Lapse.PURPOSE_RETIRED: ConsentState.TERMINATED,
}
_SILENT = {
    Silence.ASKED: ConsentState.REQUESTED,
    Silence.DISMISSED: ConsentState.DEFERRED,
    Silence.NEVER_ASKED: ConsentState.UNKNOWN,
}


def consent_state(state: CategoryState) -> ConsentState:
    """Name the state of one category.

    What is strictly necessary does not rest on consent, whatever was submitted for it: its state is unknown. A
    refusal does not lapse, so only a grant can have expired or been overtaken.
    """
    if state.category is Category.STRICTLY_NECESSARY:
        return ConsentState.UNKNOWN
    if state.choice is None:
        return _SILENT[state.silence]
    if state.choice is Choice.DENIED:
        return ConsentState.WITHDRAWN if state.granted_before else ConsentState.REFUSED
    if state.lapse is not None:
        return _LAPSED[state.lapse]
    return ConsentState.RENEWED if state.granted_before else ConsentState.GIVEN
