"""The trackers of the fake authority, one of each sort that a shop meets, unless a test brings its own."""

from consent_client.vocabulary import CATEGORIES

Entry = dict[str, object]


def tracker(name: str, category: str, duration: str = "session", **members: object) -> Entry:
    """Make an entry of the tracker table."""
    entry: Entry = {
        "name": name,
        "kind": "cookie",
        "category": category,
        "provider": "shop",
        "duration": duration,
        "domain": "",
        "path": "/",
        "third_party": False,
        "sells_or_shares": category in {"advertising", "social_media"},
        "cross_border": False,
        "http_only": False,
        "scope": "individual",
        "exempt": None,
        "purpose": {"en": f"What {name} is for."},
    }
    return entry | members


def everywhere(basis: str) -> Entry:
    """Make an exemption that holds in every region."""
    return {"basis": basis, "regions": ["*"]}


SAMPLE_TRACKERS: list[Entry] = [
    tracker("session", "strictly_necessary", http_only=True),
    tracker("sessionid", "strictly_necessary", "P14D", http_only=True),
    tracker("csrftoken", "strictly_necessary", "P364D"),
    tracker("cart", "technical", "P7D", exempt=everywhere("cart_and_billing")),
    tracker("lang", "functionality", "P1Y"),
    tracker("recommend", "personalization", "P30D"),
    tracker("_ga", "analytical_performance", "P400D"),
    tracker("_ga_*", "analytical_performance", "P400D"),
    tracker("matomo", "statistical", "P13M", exempt={"basis": "audience_measurement", "regions": ["FR"]}),
    tracker("stats", "statistical", "P30D", http_only=True),
    tracker("_fbp", "advertising", "P90D", third_party=False),
    tracker("ad_frequency", "advertising", "P1D", sells_or_shares=False),
    tracker("fb_pixel", "social_media", kind="web_pixel", third_party=True),
    tracker("mail_open_individual", "advertising", kind="email_pixel"),
]


def sample_categories() -> dict[str, Entry]:
    """Give the categories' part of the tracker table."""
    return {name: {"sells_or_shares": name in {"advertising", "social_media"}, "needs": {}} for name in CATEGORIES}
