"""What a banner needs in one request: the notice in the best language, categories, trackers and how to read them."""

import re
from collections.abc import Sequence

from consent_service.domain.durations import Duration
from consent_service.domain.policy import Policy, Texts, Tracker
from consent_service.domain.regions import covers
from consent_service.domain.vocabulary import CATEGORIES, Category, ExemptBasis
from consent_service.service.sites import Version

_RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_MAX_RANGES = 20


def best_language(policy: Policy, asked: str | None, accept_language: str | None) -> str:
    """Choose a language of the policy: the one asked for, else by Accept-Language (RFC 4647 §3.4), else the default."""
    for tag in (*([asked] if asked else []), *_preferences(accept_language or "")):
        found = _match(policy, tag)
        if found is not None:
            return found
    return policy.default_language


def text_direction(language: str) -> str:
    """Tell how a language is written, as HTML's `dir` has it."""
    return "rtl" if language.split("-", maxsplit=1)[0] in _RIGHT_TO_LEFT else "ltr"


def banner_body(version: Version, language: str, region: str | None) -> dict[str, object]:
    """Give the part of a banner that depends on policy, language and region, and on no visitor."""
    policy = version.policy
    return {
        "site": policy.site,
        "policy_version": policy.version,
        "policy_sha256": version.stored.sha256,
        "lang": language,
        "dir": text_direction(language),
        "languages": list(policy.languages),
        "regime": policy.regime(region).value,
        "region": region,
        "texts": dict(policy.texts[language]),
        "first_layer": list(policy.first_layer),
        "urls": dict(policy.urls),
        "controller": {
            "name": policy.controller.name,
            "address": policy.controller.address,
            "email": policy.controller.email,
            "phone": policy.controller.phone,
            "url": policy.controller.url,
        },
        "signals": {"dnt": policy.dnt.value, "gpc": policy.gpc.value},
        "multi_device": policy.cross_device,
        "separate_consents": sorted({n.value for c in CATEGORIES for n in policy.separate_needs(c, region)}),
        "categories": [_category(policy, category, language, region) for category in CATEGORIES],
    }


def _category(policy: Policy, category: Category, language: str, region: str | None) -> dict[str, object]:
    entry = policy.categories[category]
    trackers = [_tracker(policy, t, language, region) for t in policy.trackers if t.category is category]
    return {
        "id": category.value,
        "title": entry.title[language],
        "description": entry.description[language],
        "always_on": category is Category.STRICTLY_NECESSARY,
        "sells_or_shares": entry.sells_or_shares,
        "trackers": trackers,
    }


def _tracker(policy: Policy, tracker: Tracker, language: str, region: str | None) -> dict[str, object]:
    provider = policy.providers[tracker.provider]
    return {
        "name": tracker.name,
        "kind": tracker.kind.value,
        "provider": provider.name,
        "country": provider.country,
        "privacy_policy": provider.privacy_policy,
        "purpose": _in(tracker.purpose, language, policy),
        "duration": duration_text(tracker.duration),
        "third_party": tracker.third_party,
        "sells_or_shares": tracker.sells_or_shares,
        "exempt": _exempt_for_anybody(tracker, region),
    }


def _exempt_for_anybody(tracker: Tracker, region: str | None) -> bool:
    if tracker.category is Category.STRICTLY_NECESSARY:
        return True
    exempt = tracker.exempt
    if exempt is None or exempt.basis is ExemptBasis.SOCIAL_SHARE_MEMBER:  # that one depends on who asks (TRK-09)
        return False
    return covers(exempt.regions, region)


def duration_text(duration: Duration | None) -> str:
    """Write a duration as the policy document does: ISO 8601, or `session`."""
    return "session" if duration is None else str(duration)


def _in(texts: Texts, language: str, policy: Policy) -> str:
    return texts.get(language) or texts[policy.default_language]


def _preferences(header: str) -> Sequence[str]:
    ranges: list[tuple[float, str]] = []
    for part in header.split(",")[:_MAX_RANGES]:
        match = _RANGE.fullmatch(part)
        if match and match[1] != "*":
            ranges.append((float(match[2] or 1), match[1]))
    return [tag for quality, tag in sorted(ranges, key=lambda item: -item[0]) if quality > 0]


def _match(policy: Policy, tag: str) -> str | None:
    asked = tag.lower()
    known = {language.lower(): language for language in policy.languages}
    while asked:
        if asked in known:
            return known[asked]
        asked = asked.rpartition("-")[0]
    primary = tag.lower().split("-")[0]
    # `zh-CN` has no subtag in common with `zh-Hans` but the first, and is still best served by it.
    return next((language for language in policy.languages if language.lower().split("-")[0] == primary), None)
