"""A whole policy document around drafted trackers; what only a person can say is plainly marked."""

from collections.abc import Mapping

from consent_service.domain.policy_rules import FIRST_LAYER, NOTICE_TEXTS
from consent_service.domain.vocabulary import CATEGORIES, Category
from consent_service.service.cookie_lists.entries import LANGUAGE
from consent_service.service.cookie_lists.report import FILL_IN, Draft

_TITLES: Mapping[Category, str] = {
    Category.TECHNICAL: "Technical",
    Category.PERSONALIZATION: "Personalization",
    Category.ADVERTISING: "Advertising",
    Category.STATISTICAL: "Statistics",
    Category.SOCIAL_MEDIA: "Social media",
    Category.STRICTLY_NECESSARY: "Strictly necessary",
    Category.ANALYTICAL_PERFORMANCE: "Analytics and performance",
    Category.FUNCTIONALITY: "Functionality",
}


def draft_document(draft: Draft) -> dict[str, object]:
    """Put drafted trackers into a policy document.

    It cannot be published as it is: texts that begin with `TO BE FILLED IN` wait for a person, and so does each
    `review` member of a tracker, which is to be deleted once its questions are answered.
    """
    return {
        "site": "default",
        "version": f"{FILL_IN}: such as the date",
        "effective_from": f"{FILL_IN}: such as 2030-01-31T00:00:00Z",
        "controller": dict.fromkeys(("name", "address", "email", "phone", "url"), FILL_IN),
        "urls": {"privacy_policy": FILL_IN, "cookie_settings": FILL_IN},
        "origins": [f"{FILL_IN}: such as https://shop.example"],
        "languages": {"default": LANGUAGE, "available": [LANGUAGE]},
        "texts": {LANGUAGE: dict.fromkeys(NOTICE_TEXTS, FILL_IN)},
        "banner": {"first_layer": list(FIRST_LAYER)},
        "signals": {"dnt": "respect", "gpc": "honor"},
        "lifetimes": {"default": "P6M", "US-CA": "P12M"},
        "cookie_cap": "P400D",
        "child_directed": f"{FILL_IN}: true or false",
        "cross_device": False,
        "categories": {category.value: _category(category) for category in CATEGORIES},
        "providers": {key: dict(entry) for key, entry in draft.providers.items()},
        "trackers": _trackers(draft),
    }


def _category(category: Category) -> dict[str, object]:
    shares = category in {Category.ADVERTISING, Category.SOCIAL_MEDIA}
    return {
        "title": {LANGUAGE: _TITLES[category]},
        "description": {LANGUAGE: f"{FILL_IN}: what this category does in this shop"},
        "sells_or_shares": shares,
    }


def _trackers(draft: Draft) -> list[dict[str, object]]:
    trackers = [dict(tracker) for tracker in draft.trackers]
    questions: dict[int, list[str]] = {}
    for line in draft.report:
        for place in line.entries if line.review else ():
            questions.setdefault(place, []).extend(f"row {line.row}: {question}" for question in line.review)
    for place, asked in questions.items():
        trackers[place]["review"] = asked
    return trackers
