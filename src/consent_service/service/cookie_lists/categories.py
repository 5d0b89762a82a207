"""From the six categories of a cookie list to the eight of a policy.

Where one of the six leaves no doubt it is taken; where it does, the most protective candidate is entered and a person
is asked. No exemption is ever taken from a list: that a tracker needs no consent is for a person to say.
"""

import re
from dataclasses import dataclass

from consent_service.domain.vocabulary import Category

PROTECTIVE_ORDER = (
    Category.ADVERTISING,
    Category.SOCIAL_MEDIA,
    Category.STATISTICAL,
    Category.ANALYTICAL_PERFORMANCE,
    Category.PERSONALIZATION,
    Category.FUNCTIONALITY,
    Category.TECHNICAL,
    Category.STRICTLY_NECESSARY,
)
"""Most protective first: how many rules can deny it. The first two fall to DNT and to the protection of children, the
next two to DNT, personalization to the protection of children; the last needs no consent at all."""

_NAMESAKES = {
    "marketing": Category.ADVERTISING,
    "analytics": Category.ANALYTICAL_PERFORMANCE,
    "personalization": Category.PERSONALIZATION,
}
_SOCIAL = re.compile(r"social (media|network|plug)|\b(share|like) button|embedded services", re.IGNORECASE)
_HINTS: tuple[tuple[Category, re.Pattern[str]], ...] = (
    (Category.ADVERTISING, re.compile(r"advertis|targeting|\bads?\b|marketing", re.IGNORECASE)),
    (Category.SOCIAL_MEDIA, _SOCIAL),
    (
        Category.ANALYTICAL_PERFORMANCE,
        re.compile(r"analytic|statistic|measure|\btrack(s|ing)?\b|behaviou?r|multivaria|a/b", re.IGNORECASE),
    ),
    (
        Category.PERSONALIZATION,
        re.compile(r"preferenc|language|locale|currency|theme|font|\bcart\b|basket|wish ?list|setting", re.IGNORECASE),
    ),
    (
        Category.TECHNICAL,
        re.compile(r"log.?in|sign.?in|authenti|session|csrf|forgery|load.?balanc|securit|fraud", re.IGNORECASE),
    ),
)
"""What a description speaks of, by words that are common in such lists; a hint, never proof."""


@dataclass(frozen=True, slots=True)
class Categorised:
    """The category entered, and what a person must decide about it."""

    category: Category
    doubt: str = ""


def categorise(list_category: str, description: str, *, third_party: bool) -> Categorised:
    """Give the category of a row."""
    hints = frozenset(category for category, words in _HINTS if words.search(description))
    match list_category.casefold():
        case "marketing" | "analytics" | "personalization" as plain:
            found = _plain(plain, hints)
        case "security":
            found = _security(hints)
        case "necessary":
            found = _necessary(hints, third_party=third_party)
        case "functional":
            own = set() if third_party else {Category.STRICTLY_NECESSARY}
            found = _doubtful("Functional", hints | own | {Category.FUNCTIONALITY, Category.TECHNICAL})
        case _:
            doubt = "the list's category is none of its six; advertising, the most protective, is entered"
            found = Categorised(Category.ADVERTISING, doubt)
    return found


def _plain(name: str, hints: frozenset[Category]) -> Categorised:
    if name == "marketing" and Category.SOCIAL_MEDIA in hints:
        return _doubtful("Marketing", {Category.ADVERTISING, Category.SOCIAL_MEDIA})
    return Categorised(_NAMESAKES[name])


def _security(hints: frozenset[Category]) -> Categorised:
    if hints & {Category.ADVERTISING, Category.SOCIAL_MEDIA, Category.ANALYTICAL_PERFORMANCE}:
        return _doubtful("Security", hints | {Category.TECHNICAL})
    doubt = "“Security” is technical; whether it is exempt (basis security) or needs consent is for a person to say"
    return Categorised(Category.TECHNICAL, doubt)


def _necessary(hints: frozenset[Category], *, third_party: bool) -> Categorised:
    if third_party or Category.TECHNICAL in hints:
        return _doubtful("Necessary", {Category.TECHNICAL, Category.STRICTLY_NECESSARY})
    return Categorised(Category.STRICTLY_NECESSARY)


def _doubtful(list_category: str, candidates: frozenset[Category] | set[Category]) -> Categorised:
    ordered = [category for category in PROTECTIVE_ORDER if category in candidates]
    names = ", ".join(ordered)
    return Categorised(ordered[0], f"“{list_category}” may be {names}; {ordered[0]}, the most protective, is entered")
