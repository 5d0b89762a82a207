"""The WP Consent API's five categories (OUT-06; WordPress/wp-consent-level-api, readme)."""

from consent_service.domain.outputs.state import OutputState
from consent_service.domain.vocabulary import Category


def wordpress(state: OutputState) -> dict[str, object]:
    """Give what to pass to `wp_set_consent` for each category."""
    allowed = {
        "functional": state.allows(Category.FUNCTIONALITY),
        "preferences": state.preferences,
        "statistics": state.analytics,
        "statistics-anonymous": state.allows(Category.STATISTICAL),
        "marketing": state.marketing,
    }
    return {name: "allow" if on else "deny" for name, on in allowed.items()}
