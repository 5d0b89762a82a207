"""Shopify's Customer Privacy API (OUT-05; shopify.dev/docs/api/customer-privacy)."""

from consent_service.domain.outputs.state import OutputState


def shopify(state: OutputState) -> dict[str, object]:
    """Give the four booleans of `setTrackingConsent`; data is sold only where all that would sell it may run."""
    return {
        "preferences": state.preferences,
        "analytics": state.analytics,
        "marketing": state.marketing,
        "sale_of_data": state.marketing,
    }
