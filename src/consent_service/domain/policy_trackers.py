"""Reads the trackers of a policy document, and checks what can be said of one tracker alone."""

from collections.abc import Mapping

from consent_service.domain.document_reader import Node
from consent_service.domain.durations import Duration
from consent_service.domain.policy import CategoryTexts, Exemption, Tracker
from consent_service.domain.policy_parts import read_regions, read_texts
from consent_service.domain.vocabulary import Category, ExemptBasis, TrackerKind, TrackerScope

_REQUIRED = frozenset({"name", "kind", "category", "provider", "duration", "purpose"})
_OPTIONAL = frozenset(
    {"domain", "path", "third_party", "sells_or_shares", "cross_border", "http_only", "scope", "exempt"}
)
_SESSION = "session"

MAX_NAME = 255
"""The longest tracker name, in characters."""


def read_trackers(root: Node, categories: Mapping[Category, CategoryTexts]) -> tuple[Tracker, ...]:
    """Read all trackers; what sells or shares is the category's answer where an entry does not say."""
    if not root.has("trackers"):
        return ()
    trackers: list[Tracker] = []
    seen: set[tuple[object, ...]] = set()
    for node in root.at("trackers").items():
        tracker = _read_tracker(node, categories)
        identity = (tracker.name, tracker.kind, tracker.domain, tracker.provider)
        if identity in seen:
            node.fault("tracker-repeated", "a tracker of this name, kind, domain and provider stands above")
        seen.add(identity)
        trackers.append(tracker)
    return tuple(trackers)


def _read_tracker(node: Node, categories: Mapping[Category, CategoryTexts]) -> Tracker:
    node.only(_REQUIRED, _OPTIONAL)
    category = node.at("category").word(Category, Category.TECHNICAL)
    shares = categories[category].sells_or_shares if category in categories else False
    return Tracker(
        name=node.at("name").parsed(_name, "tracker-name-unfit", ""),
        kind=node.at("kind").word(TrackerKind, TrackerKind.COOKIE),
        category=category,
        provider=node.at("provider").text(),
        duration=_duration(node.at("duration")),
        purpose=read_texts(node.at("purpose")),
        domain=node.at("domain").text(empty=True) if node.has("domain") else "",
        path=node.at("path").text() if node.has("path") else "/",
        third_party=node.at("third_party").flag(default=False),
        sells_or_shares=node.at("sells_or_shares").flag(default=shares),
        cross_border=node.at("cross_border").flag(default=False),
        http_only=node.at("http_only").flag(default=False),
        scope=node.at("scope").word(TrackerScope, TrackerScope.INDIVIDUAL),
        exempt=_exemption(node.at("exempt")) if node.has("exempt") else None,
    )


def _name(text: str) -> str:
    stem = text.removesuffix("*")
    if not stem or "*" in stem or text != text.strip() or not text.isprintable() or len(text) > MAX_NAME:
        raise ValueError(f"1 to {MAX_NAME} printable characters are expected; * may stand at the end only")
    return text


def _duration(node: Node) -> Duration | None:
    if node.value == _SESSION:
        return None
    return node.parsed(Duration.parse, "duration-unfit", Duration(seconds=1))


def _exemption(node: Node) -> Exemption | None:
    if node.value is None:
        return None
    node.only(frozenset({"basis", "regions"}))
    basis = node.at("basis").word(ExemptBasis, ExemptBasis.SECURITY)
    return Exemption(basis, read_regions(node.at("regions")))
