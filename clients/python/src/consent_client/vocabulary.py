"""The closed vocabularies of the service's contract, as this package needs them."""

CATEGORIES = (
    "technical",
    "personalization",
    "advertising",
    "statistical",
    "social_media",
    "strictly_necessary",
    "analytical_performance",
    "functionality",
)
"""The eight categories, in the order of the `consent_state` vector."""

TRACKING_CATEGORIES = frozenset({"advertising", "social_media", "statistical", "analytical_performance"})
"""The categories that "do not track" speaks about."""

ALLOWING_REASONS = frozenset({"exempt", "granted", "region_default"})

DENYING_REASONS = frozenset(
    {
        "no_record",
        "refused",
        "withdrawn",
        "expired",
        "policy_changed",
        "dnt",
        "gpc",
        "opted_out",
        "child",
        "restricted",
        "objected",
        "separate_consent",
        "unregistered",
        "unavailable",
    }
)

VISITOR_COOKIE = "consent_visitor"
STATE_COOKIE = "consent_state"

NOBODY = "A" * 22
"""A visitor id that was never minted: it stands for a browser without one, and is answered like a new visitor."""
