"""From one row of a cookie list to tracker entries in the policy document's form."""

import re
from dataclasses import dataclass

from consent_service.domain.document_reader import MAX_TEXT
from consent_service.domain.policy_trackers import MAX_NAME
from consent_service.domain.vocabulary import TRACKING_CATEGORIES, Category, TrackerScope
from consent_service.service.cookie_lists.categories import categorise
from consent_service.service.cookie_lists.report import FILL_IN
from consent_service.service.cookie_lists.retention import parse_retention
from consent_service.service.cookie_lists.table import CATEGORY, DESCRIPTION, DOMAIN, NAME, RETENTION, WILDCARD, Row

LANGUAGE = "en"
"""The language of the open cookie database's descriptions."""
_MAX_DOMAIN = 253
_FEW = 3
"""A pattern with fewer fixed characters than this matches far too much to be taken on trust."""
_HOST = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+")
_PLACEHOLDER = re.compile(r"%[A-Za-z]+%|\[[A-Za-z]+\]|\{\w*\}|<\w*>|NNN|XXX")
_NO_COOKIE_NAME = re.compile(r"[\s;,=\"]")
_ELSEWHERE = re.compile(r"(?:^|\s+)or(?:\s+|$)")


@dataclass(frozen=True, slots=True)
class RowEntries:
    """The trackers that a row describes, one for each domain it names; none where `unusable` says why."""

    trackers: tuple[dict[str, object], ...]
    notes: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    unusable: str = ""


def entries_of(row: Row, provider: str) -> RowEntries:
    """Make the tracker entries of a row."""
    name, notes, review = _name(row)
    unusable = row.unreadable or _unusable(name, row.cells[DOMAIN])
    if unusable:
        return RowEntries((), unusable=unusable)
    places, place_notes, place_review = _places(row.cells[DOMAIN])
    purpose, purpose_review = _purpose(row.cells[DESCRIPTION])
    retention = parse_retention(row.cells[RETENTION])
    third_party = any(foreign for _, foreign in places)
    found = categorise(row.cells[CATEGORY], row.cells[DESCRIPTION], third_party=third_party)
    common: dict[str, object] = {
        "name": name,
        "kind": retention.kind.value,
        "category": found.category.value,
        "provider": provider,
        "duration": retention.duration,
        "purpose": {LANGUAGE: purpose},
    }
    review += [*place_review, *purpose_review, *filter(None, (retention.doubt, found.doubt))]
    trackers = tuple(common | _reach(domain, found.category, third_party=foreign) for domain, foreign in places)
    return RowEntries(trackers, (*row.notes, *notes, *place_notes), (*row.review, *review))


def _name(row: Row) -> tuple[str, list[str], list[str]]:
    """Give the tracker's name, with a trailing `*` where it is the beginning of many names."""
    text, wildcard = row.cells[NAME], row.cells[WILDCARD]
    notes: list[str] = []
    review: list[str] = []
    name = text
    if wildcard == "1" and text and not text.endswith("*"):
        name = text + "*"
        notes.append(f"matches every name that begins with {text}")
    if wildcard not in {"0", "1"}:
        review.append("the wildcard column says neither 0 nor 1; the name is taken as it stands")
    elif wildcard == "0" and text.endswith("*"):
        review.append("the name ends in * but the list says it is no pattern; it is taken as one")
    if name.endswith("*") and len(name) <= _FEW:
        review.append("so short a pattern may match trackers of others")
    if _PLACEHOLDER.search(name):
        review.append("the name seems to hold a placeholder; a pattern ending in * may be meant")
    if _NO_COOKIE_NAME.search(name):
        review.append("no cookie can have this name; another kind of storage may be meant")
    return name, notes, review


def _unusable(name: str, domain: str) -> str:
    if not name:
        return "it has no name"
    if name == "*":
        return "* alone would match every name"
    if "*" in name.removesuffix("*"):
        return "* may stand at the end of a name only"
    if len(name) > MAX_NAME:
        return f"its name has {len(name)} characters, {MAX_NAME} is the most"
    if len(domain) > _MAX_DOMAIN:
        return f"its domain has {len(domain)} characters, {_MAX_DOMAIN} is the most"
    return ""


def _places(text: str) -> tuple[list[tuple[str, bool]], list[str], list[str]]:
    """Give the domains a row names and whether each is a third party's; no domain is the shop's own."""
    places: dict[str, bool] = {}
    review: list[str] = []
    for part in _ELSEWHERE.split(text):
        marked = "(3rd party)" in part.casefold()
        domain = part.casefold().replace("(3rd party)", "").strip().lstrip(".")
        if domain and not _HOST.fullmatch(domain):
            review.append("the domain is none that a browser knows")
        if marked and not domain:
            review.append("a third party is named without its domain")
        places[domain] = marked or bool(domain) or places.get(domain, False)
    notes = [f"one entry for each of {len(places)} domains"] if len(places) > 1 else []
    return list(places.items()), notes, review


def _purpose(description: str) -> tuple[str, list[str]]:
    if not description:
        return f"{FILL_IN}: what this is for", ["the row says nothing about the purpose"]
    if len(description) > MAX_TEXT:
        return description[:MAX_TEXT], [f"the description was cut to {MAX_TEXT} of {len(description)} characters"]
    return description, []


def _reach(domain: str, category: Category, *, third_party: bool) -> dict[str, object]:
    """Say how far the data goes; a list does not tell, so what tracks or belongs to others counts as going abroad."""
    return {
        "domain": domain,
        "path": "/",
        "third_party": third_party,
        "sells_or_shares": category in {Category.ADVERTISING, Category.SOCIAL_MEDIA},
        "cross_border": third_party or category in TRACKING_CATEGORIES,
        "http_only": False,
        "scope": TrackerScope.INDIVIDUAL.value,
    }
