"""Google Consent Mode v2 (OUT-01, OUT-02; rules.md §2.1 and §2.2).

Members and values: developers.google.com/tag-platform/security/guides/consent.
"""

from consent_service.domain.outputs.state import OutputState
from consent_service.domain.vocabulary import Category, Regime

WAIT_FOR_UPDATE = 500
"""How long tags hold back for the update, in milliseconds."""


def google(state: OutputState) -> dict[str, object]:
    """Give the parameters of `gtag('consent', 'default', …)` and of `gtag('consent', 'update', …)`."""
    return {"update": _update(state), "default": _default(state)}


def _update(state: OutputState) -> dict[str, object]:
    advertising = _word(state.advertising)
    return {
        "ad_storage": advertising,
        "ad_user_data": advertising,
        "ad_personalization": advertising,
        "analytics_storage": _word(state.analytics),
        "functionality_storage": _word(state.allows(Category.FUNCTIONALITY)),
        "personalization_storage": _word(state.allows(Category.PERSONALIZATION)),
        "security_storage": "granted",
    }


def _default(state: OutputState) -> dict[str, object]:
    """Give what holds until the update: nothing where silence denies, elsewhere no more than the update.

    `region` limits a default to visitors whom Google places there. Without the member the default holds everywhere,
    so it is left out where the region is unknown: an empty list would name no place at all, and a type without a
    default counts as granted.
    """
    types = _update(state)
    if state.regime is Regime.OPT_IN:
        types = {name: _word(name == "security_storage") for name in types}
    default: dict[str, object] = {**types, "wait_for_update": WAIT_FOR_UPDATE}
    if state.region is not None:
        default["region"] = [state.region]
    return default


def _word(allowed: bool) -> str:
    return "granted" if allowed else "denied"
