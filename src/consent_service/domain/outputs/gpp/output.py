"""The GPP output: which section a visitor gets and what its fields say (OUT-08, OUT-10; rules.md §2.5)."""

from consent_service.domain.outputs.gpp import usca, usnat
from consent_service.domain.outputs.gpp.codec import encode
from consent_service.domain.outputs.gpp.us_fields import (
    CONSENT,
    NO,
    NO_CONSENT,
    NOT_APPLICABLE,
    NOT_OPTED_OUT,
    NOTICE_GIVEN,
    OPTED_OUT,
)
from consent_service.domain.outputs.gpp.usca import UsCa, encode_usca
from consent_service.domain.outputs.gpp.usnat import UsNat, encode_usnat
from consent_service.domain.outputs.state import OutputState
from consent_service.domain.vocabulary import AgeBand, Category

_CALIFORNIA = "US-CA"
_UNDER_13 = frozenset({AgeBand.CHILD, AgeBand.UNDER_13})
_UNDER_16 = _UNDER_13 | {AgeBand.FROM_13_TO_15}
_SHARING = (Category.ADVERTISING, Category.SOCIAL_MEDIA)


def gpp(state: OutputState, *, enabled: bool) -> dict[str, object]:
    """Give the string and the section in force; none outside the United States, or where the site has it switched off.

    Elsewhere the sections would say "did not opt out" of people whom nobody asked.
    """
    if not enabled or not state.in_the_us:
        return {"gpp": None, "applicable_sections": []}
    if state.region == _CALIFORNIA:
        number, text = usca.SECTION, encode_usca(california_section(state))
    else:
        number, text = usnat.SECTION, encode_usnat(national_section(state))
    return {"gpp": encode({number: text}), "applicable_sections": [number]}


def national_section(state: OutputState) -> UsNat:
    """Fill in `usnat`; no contract under the MSPA is claimed, so no mode of it applies."""
    return UsNat(
        sharing_notice=NOTICE_GIVEN,
        sale_opt_out_notice=NOTICE_GIVEN,
        sharing_opt_out_notice=NOTICE_GIVEN,
        targeted_advertising_opt_out_notice=NOTICE_GIVEN,
        sale_opt_out=_opt_out(state.advertising),
        sharing_opt_out=_opt_out(state.marketing),
        targeted_advertising_opt_out=_opt_out(state.advertising),
        known_child_sensitive_data_consents=_brackets(state),
        mspa_covered_transaction=NO,
        gpc=state.gpc,
    )


def california_section(state: OutputState) -> UsCa:
    """Fill in `usca`."""
    return UsCa(
        sale_opt_out_notice=NOTICE_GIVEN,
        sharing_opt_out_notice=NOTICE_GIVEN,
        sale_opt_out=_opt_out(state.advertising),
        sharing_opt_out=_opt_out(state.marketing),
        known_child_sensitive_data_consents=_sale_and_sharing(state),
        mspa_covered_transaction=NO,
        gpc=state.gpc,
    )


def _opt_out(allowed: bool) -> int:
    return NOT_OPTED_OUT if allowed else OPTED_OUT


def _consent(state: OutputState, *categories: Category) -> int:
    # A minor's silence is no consent, even where it allows: only what the visitor chose counts.
    return CONSENT if state.advertising and state.consented.issuperset(categories) else NO_CONSENT


def _brackets(state: OutputState) -> tuple[int, int, int]:
    consent = _consent(state, Category.ADVERTISING)
    return (
        consent if state.age_band is AgeBand.FROM_13_TO_15 else NOT_APPLICABLE,
        consent if state.age_band in _UNDER_13 or _taken_for_a_child(state) else NOT_APPLICABLE,
        consent if state.age_band is AgeBand.FROM_16_TO_17 else NOT_APPLICABLE,
    )


def _sale_and_sharing(state: OutputState) -> tuple[int, int]:
    if state.age_band not in _UNDER_16 and not _taken_for_a_child(state):
        return NOT_APPLICABLE, NOT_APPLICABLE
    return _consent(state, Category.ADVERTISING), _consent(state, *_SHARING)


def _taken_for_a_child(state: OutputState) -> bool:
    # A site directed to children knows no ages, yet must treat its visitors as children (KID-04).
    return state.child and state.age_band is AgeBand.UNKNOWN
