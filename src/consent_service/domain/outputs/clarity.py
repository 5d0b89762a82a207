"""Microsoft Clarity's consent API v2 (OUT-03; learn.microsoft.com, clarity-consent-api-v2)."""

from consent_service.domain.outputs.state import OutputState


def clarity(state: OutputState) -> dict[str, object]:
    """Give the parameter of `clarity('consentv2', …)`; the capital S is Clarity's own spelling."""
    return {
        "ad_Storage": "granted" if state.advertising else "denied",
        "analytics_Storage": "granted" if state.analytics else "denied",
    }
