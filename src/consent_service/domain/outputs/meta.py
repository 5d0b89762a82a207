"""Meta's pixel: consent and Limited Data Use (OUT-04; developers.facebook.com, Meta Pixel: GDPR, data processing)."""

from consent_service.domain.outputs.state import OutputState


def meta(state: OutputState) -> dict[str, object]:
    """Give the parameters of `fbq('consent', …)` and `fbq('dataProcessingOptions', …)`.

    Limited Data Use exists for people in the United States only. The call's numbers for country and state are left to
    the page: `0, 0` has Meta find the place itself, and it knows which states have the option.
    """
    limited = state.in_the_us and state.sale_share_opt_out
    return {
        "consent": "grant" if state.marketing else "revoke",
        "data_processing_options": ["LDU"] if limited else [],
    }
