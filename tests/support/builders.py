"""Typed builders of policies, records, situations and contexts: a small shop, one visitor, one frozen moment.

The shop's trackers are named for what they are. Whatever a test is about stands in the test; the rest comes from here.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from consent_service.domain.decision import Situation, decide_category, decide_tracker, situate
from consent_service.domain.policy import Policy
from consent_service.domain.policy_document import read_policy
from consent_service.domain.record import NOTHING, AccountState, CategoryChoice, Choices, ConsentRecord
from consent_service.domain.ruleset import Ruleset, compile_ruleset
from consent_service.domain.signals import Signals
from consent_service.domain.transitions.context import Context
from consent_service.domain.vocabulary import CATEGORIES, Category, Choice, Dnt, Method, Reason

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DECIDED = NOW - timedelta(days=10)
EXPIRES = NOW + timedelta(days=100)
VERSION = "v1"
SITE = "default"
VISITOR = "AAAAAAAAAAAAAAAAAAAAAA"
ALL = frozenset(CATEGORIES)

Document = dict[str, Any]


def text(words: str) -> dict[str, str]:
    """Give a text in the shop's one language."""
    return {"en": words}


def entry(name: str, kind: str, category: str, duration: str = "P1Y", **members: object) -> Document:
    """Make a tracker of the policy document; `members` replace or add to the required ones."""
    required = {"name": name, "kind": kind, "category": category, "duration": duration}
    return required | {"provider": "shop", "purpose": text(f"What {name} is for")} | members


def exempt(basis: str, *regions: str) -> Document:
    """Make an exemption; without regions it holds everywhere."""
    return {"basis": basis, "regions": list(regions or ("*",))}


def private(name: str, kind: str, category: str, **members: object) -> Document:
    """Make a tracker of a session that keeps what it learns to the shop."""
    return entry(name, kind, category, "session", sells_or_shares=False, **members)


MAIL_RATES = exempt("aggregate_email_measurement", "FR")
VISITS = exempt("audience_measurement", "FR", "GB")

TRACKERS: tuple[Document, ...] = (
    entry("session", "cookie", "technical", "session", exempt=exempt("authentication")),
    entry("cart", "cookie", "strictly_necessary", "P7D"),
    entry("settings_lso", "lso", "functionality"),
    entry("theme", "cookie", "functionality", "P6M", exempt=exempt("ui_customisation", "GB")),
    entry("crm", "script", "functionality", cross_border=True),
    entry("tips", "local_storage", "personalization"),
    entry("_ga", "cookie", "analytical_performance", "P400D"),
    entry("_ga_*", "cookie", "analytical_performance", "P400D"),
    entry("visits", "cookie", "statistical", "P13M", scope="aggregate", exempt=VISITS),
    entry("counter", "indexed_db", "statistical"),
    entry("_fbp", "cookie", "advertising", "P90D", provider="ads", third_party=True, cross_border=True),
    entry("own_ads", "cookie", "advertising", sells_or_shares=False),
    entry("ad_pixel", "web_pixel", "advertising", "session", provider="ads"),
    entry("like", "embed", "social_media", "session", provider="ads", scope="track"),
    private("share", "embed", "social_media", scope="share", exempt=exempt("social_share_member")),
    private("mail_open_individual", "email_pixel", "advertising"),
    private("mail_open_rate", "email_pixel", "advertising", scope="aggregate", exempt=MAIL_RATES),
    private("mail_security", "email_pixel", "technical", scope="security", exempt=exempt("email_security", "FR")),
)

_DOCUMENT: Document = {
    "site": SITE,
    "version": VERSION,
    "effective_from": "2026-11-22T00:00:00Z",
    "controller": {
        "name": "Shop Ltd.",
        "address": "1 High Street, Dublin",
        "email": "privacy@shop.example",
        "phone": "+353 1",
        "url": "https://shop.example",
    },
    "urls": {"privacy_policy": "https://shop.example/privacy", "cookie_settings": "https://shop.example/choices"},
    "origins": ["https://shop.example"],
    "languages": {"default": "en", "available": ["en"]},
    "texts": {
        "en": {name: name for name in ("title", "body", "accept_all", "reject_all", "customize", "save")},
    },
    "banner": {"first_layer": ["accept_all", "reject_all", "customize"]},
    "lifetimes": {"default": "P6M", "US-CA": "P12M"},
    "categories": {
        category.value: {"title": text(category.value), "description": text(f"About {category.value}")}
        | ({"sells_or_shares": True} if category in {Category.ADVERTISING, Category.SOCIAL_MEDIA} else {})
        for category in CATEGORIES
    },
    "providers": {"shop": {"name": "Shop Ltd."}, "ads": {"name": "Ads Inc.", "country": "US"}},
    "trackers": list(TRACKERS),
}


def document(**members: object) -> Document:
    """Give the shop's policy document, all of it fresh; `members` replace whole members of the top level."""
    return deepcopy(_DOCUMENT | members)


def policy(**members: object) -> Policy:
    """Read the shop's policy."""
    return read_policy(document(**members))


def rules(earlier: Iterable[Policy] = (), **members: object) -> Ruleset:
    """Make the shop's policy ready for deciding; `earlier` are its other published versions."""
    return compile_ruleset(policy(**members), earlier)


RULES = rules()


def chosen(
    *granted: Category,
    withdrawn: Iterable[Category] = (),
    decided_at: datetime = DECIDED,
    expires_at: datetime = EXPIRES,
    version: str = VERSION,
) -> Choices:
    """Answer all eight categories: these granted, what is strictly necessary as well, the others denied."""
    on = {*granted, Category.STRICTLY_NECESSARY}
    was_on = on | set(withdrawn)
    return {
        c: CategoryChoice(Choice.GRANTED if c in on else Choice.DENIED, decided_at, expires_at, version, c in was_on)
        for c in CATEGORIES
    }


def record(**members: Any) -> ConsentRecord:
    """Make the visitor's record; one who has said nothing unless `members` tell otherwise."""
    known: dict[str, Any] = {"site": SITE, "visitor_id": VISITOR, "created_at": DECIDED, "updated_at": DECIDED}
    return ConsentRecord(**(known | members))


def account(
    web: Choices = NOTHING, email: Choices = NOTHING, *, gpc: bool = False, opted_out: bool = False
) -> AccountState:
    """Make the state of the one customer of these tests."""
    return AccountState("customer", gpc=gpc, opted_out=opted_out, web=web, email=email)


def situation(
    known: ConsentRecord | None = None,
    region: str | None = "FR",
    *,
    dnt: Dnt | None = None,
    gpc: bool = False,
    now: datetime = NOW,
    by: Ruleset = RULES,
) -> Situation:
    """Put the visitor, or an unknown one, before the shop."""
    return situate(by, known, Signals(dnt, gpc), region, now)


def reason(s: Situation, asked: Category | str) -> Reason:
    """Ask for a category, or for a tracker by its name, and give the reason."""
    return (decide_category(s, asked) if isinstance(asked, Category) else decide_tracker(s, asked)).reason


def allowed(s: Situation) -> frozenset[str]:
    """Give everything that may run: categories and the shop's trackers by name."""
    categories = {category.value for category in CATEGORIES if decide_category(s, category).allow}
    return frozenset(categories | {t.name for t in s.rules.policy.trackers if decide_tracker(s, t.name).allow})


def counted_ids() -> Callable[[], str]:
    """Make ids that count up, in the form of a UUID."""
    numbers = count(1)
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"


def context(
    *,
    now: datetime = NOW,
    region: str | None = "FR",
    dnt: Dnt | None = None,
    gpc: bool = False,
    method: Method = Method.BANNER,
    by: Ruleset = RULES,
) -> Context:
    """Make the circumstances of a request."""
    return Context(by, "ab" * 32, now, counted_ids(), region, Signals(dnt, gpc), method, "en")
