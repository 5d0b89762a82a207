"""Builds visitors and the decision state of each, so that a test can say who it is about in one line."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from consent_service.domain.decision import situate
from consent_service.domain.outputs.state import OutputState, output_state
from consent_service.domain.policy import Policy
from consent_service.domain.policy_document import read_policy
from consent_service.domain.record import CategoryChoice, ConsentRecord
from consent_service.domain.regions import RegimeRule
from consent_service.domain.ruleset import Ruleset, compile_ruleset
from consent_service.domain.signals import Signals
from consent_service.domain.vocabulary import CATEGORIES, AgeBand, Category, Choice, Dnt, DntMode, GpcMode, Regime

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OPTIONAL = tuple(category for category in CATEGORIES if category is not Category.STRICTLY_NECESSARY)
EVERYTHING = frozenset(OPTIONAL)
_TEXTS = ("title", "body", "accept_all", "reject_all", "customize", "save")
_SELLING = {Category.ADVERTISING, Category.SOCIAL_MEDIA}


@cache
def shop_policy(version: str = "1") -> Policy:
    """Give a policy with the built-in regimes, whose advertising and social media sell or share."""
    document = {
        "site": "default",
        "version": version,
        "effective_from": "2026-01-01T00:00:00Z",
        "controller": dict.fromkeys(("name", "address", "email", "phone", "url"), "https://shop.example"),
        "urls": dict.fromkeys(("privacy_policy", "cookie_settings"), "https://shop.example"),
        "origins": ["https://shop.example"],
        "languages": {"default": "en", "available": ["en", "de"]},
        "texts": {tag: {name: f"{name} {tag}" for name in _TEXTS} for tag in ("en", "de")},
        "banner": {"first_layer": ["accept_all", "reject_all", "customize"]},
        "categories": {
            category.value: {
                "title": {"en": category.value, "de": f"{category.value} (de)"},
                "description": {"en": "What it is for.", "de": "Wozu es dient."},
                "sells_or_shares": category in _SELLING,
            }
            for category in CATEGORIES
        },
    }
    return read_policy(document)


@cache
def rules(
    dnt: DntMode = DntMode.RESPECT,
    gpc: GpcMode = GpcMode.HONOR,
    *,
    child_directed: bool = False,
    selling: frozenset[Category] | None = None,
) -> Ruleset:
    """Give the shop's rules, notice alone in Japan, with other answers to signals, to children or on what sells."""
    regimes = (RegimeRule(frozenset({"JP"}), Regime.NOTICE), *shop_policy().regimes)
    policy = replace(shop_policy(), dnt=dnt, gpc=gpc, child_directed=child_directed, regimes=regimes)
    if selling is not None:
        entries = {c: replace(entry, sells_or_shares=c in selling) for c, entry in policy.categories.items()}
        policy = replace(policy, categories=entries)
    return compile_ruleset(policy)


def record_of(granted: Iterable[Category], *, age: timedelta = timedelta()) -> ConsentRecord:
    """Give the record of a visitor who chose this long ago: these categories granted, all others refused."""
    decided_at, wanted = NOW - age, {Category.STRICTLY_NECESSARY, *granted}
    expires_at = decided_at + timedelta(days=180)
    choices = {
        category: CategoryChoice(
            choice=Choice.GRANTED if category in wanted else Choice.DENIED,
            decided_at=decided_at,
            expires_at=expires_at,
            policy_version=shop_policy().version,
            was_granted=category in wanted,
        )
        for category in CATEGORIES
    }
    return ConsentRecord("default", "v" * 22, decided_at, decided_at, 1, web=choices)


def silent_record() -> ConsentRecord:
    """Give the record of a visitor who has chosen nothing."""
    return ConsentRecord("default", "v" * 22, NOW, NOW)


def state_of(
    record: ConsentRecord | None,
    region: str | None = "FR",
    *,
    dnt: Dnt | None = None,
    gpc: bool = False,
    under: Ruleset | None = None,
) -> OutputState:
    """Give the decision state of a visitor in a region, sending these signals, under these rules."""
    return output_state(situate(under or rules(), record, Signals(dnt, gpc), region, NOW))


def aged(record: ConsentRecord, band: AgeBand) -> ConsentRecord:
    """Give the record with the age band that the shop knows."""
    return replace(record, age_band=band)
