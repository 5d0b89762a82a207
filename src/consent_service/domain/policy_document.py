"""From a policy document (contract §10, already loaded from YAML or JSON) to a `Policy`.

Every fault is found in one pass and named with its pointer. Absent optional members take the protective default.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from consent_service.domain import regions
from consent_service.domain.document_reader import Node
from consent_service.domain.durations import Duration
from consent_service.domain.errors import PolicyInvalid
from consent_service.domain.moments import parse_moment
from consent_service.domain.policy import CategoryTexts, Controller, Policy, Provider, SeparateConsentRule
from consent_service.domain.policy_parts import (
    host_of,
    origin,
    read_regions,
    read_texts,
    region_rows,
    slug,
    url,
    version,
)
from consent_service.domain.policy_rules import check
from consent_service.domain.policy_trackers import read_trackers
from consent_service.domain.regions import RegimeRule
from consent_service.domain.vocabulary import CATEGORIES, Category, DntMode, GpcMode, Regime, SeparateConsent

_REQUIRED = frozenset(
    {"site", "version", "effective_from", "controller", "urls", "origins", "languages", "texts", "banner", "categories"}
)
_OPTIONAL = frozenset(
    {"hosts", "signals", "lifetimes", "cookie_cap", "regimes", "separate_consent", "age_of_consent", "child_directed"}
    | {"cross_device", "providers", "trackers", "outputs"}
)
_NEVER = datetime.max.replace(tzinfo=UTC)
_BUILT_IN_SEPARATE = (
    SeparateConsentRule(
        frozenset({"CN"}),
        frozenset({Category.ADVERTISING, Category.SOCIAL_MEDIA}),
        frozenset({SeparateConsent.THIRD_PARTY_SHARING}),
    ),
    SeparateConsentRule(frozenset({"CN"}), frozenset(CATEGORIES), frozenset({SeparateConsent.CROSS_BORDER})),
)


def read_policy(document: object) -> Policy:
    """Read and check a whole document.

    Raises PolicyInvalid with every fault, in the order of the document.
    """
    root = Node(document)
    root.only(_REQUIRED, _OPTIONAL)
    if not isinstance(document, dict):
        raise PolicyInvalid("The policy document must be an object.", tuple(root.faults))
    policy = _read(root)
    check(policy, root)
    if root.faults:
        raise PolicyInvalid(f"The policy document has {len(root.faults)} fault(s).", tuple(root.faults))
    return policy


def _read(root: Node) -> Policy:
    default_language, languages = _languages(root.at("languages"))
    origins = tuple(node.parsed(origin, "origin-unfit", "") for node in root.at("origins").items())
    signals = root.at("signals") if root.has("signals") else Node({}, "/signals", root.faults)
    signals.only(frozenset(), frozenset({"dnt", "gpc"}))
    categories = _categories(root.at("categories"))
    return Policy(
        site=root.at("site").parsed(slug, "site-unfit", ""),
        version=root.at("version").parsed(version, "version-unfit", ""),
        effective_from=root.at("effective_from").parsed(parse_moment, "moment-unfit", _NEVER),
        controller=_controller(root.at("controller")),
        urls=_urls(root.at("urls")),
        origins=origins,
        hosts=_hosts(root, origins),
        default_language=default_language,
        languages=languages,
        texts={tag: read_texts(node) for tag, node in root.at("texts").members()},
        first_layer=_first_layer(root.at("banner")),
        dnt=signals.at("dnt").word(DntMode, DntMode.RESPECT),
        gpc=signals.at("gpc").word(GpcMode, GpcMode.HONOR),
        lifetimes=_lifetimes(root),
        cookie_cap=_duration(root.at("cookie_cap")) if root.has("cookie_cap") else Duration(seconds=400 * 86_400),
        regimes=_regimes(root),
        separate_consent=_separate_consent(root),
        ages_of_consent=_ages(root),
        child_directed=root.at("child_directed").flag(default=False),
        cross_device=root.at("cross_device").flag(default=False),
        gpp=_gpp(root),
        categories=categories,
        providers={key: _provider(node) for key, node in _optional_members(root, "providers")},
        trackers=read_trackers(root, categories),
    )


def _optional_members(root: Node, member: str) -> list[tuple[str, Node]]:
    return list(root.at(member).members()) if root.has(member) else []


def _languages(node: Node) -> tuple[str, tuple[str, ...]]:
    node.only(frozenset({"default", "available"}))
    available = tuple(item.text() for item in node.at("available").items())
    default = node.at("default").text()
    if default not in available:
        node.at("default").fault("language-unavailable", "the default must be one of the available languages")
    return default, available


def _controller(node: Node) -> Controller:
    names = ("name", "address", "email", "phone", "url")
    node.only(frozenset(names))
    return Controller(**{name: node.at(name).text() for name in names})


def _urls(node: Node) -> Mapping[str, str]:
    for name in ("privacy_policy", "cookie_settings"):
        if isinstance(node.value, dict) and not node.has(name):
            node.at(name).fault("missing", "this member is required")
    return {name: link.parsed(url, "url-unfit", "") for name, link in node.members()}


def _hosts(root: Node, origins: tuple[str, ...]) -> tuple[str, ...]:
    if root.has("hosts"):
        return tuple(item.text().lower() for item in root.at("hosts").items())
    return tuple(dict.fromkeys(host_of(o) for o in origins if o))


def _first_layer(node: Node) -> tuple[str, ...]:
    node.only(frozenset({"first_layer"}))
    return tuple(item.text() for item in node.at("first_layer").items())


def _duration(node: Node) -> Duration:
    return node.parsed(Duration.parse, "duration-unfit", Duration(months=6))


def _gpp(root: Node) -> bool:
    if not root.has("outputs"):
        return False
    root.at("outputs").only(frozenset(), frozenset({"gpp"}))
    return root.at("outputs").at("gpp").flag(default=False)


def _regimes(root: Node) -> tuple[RegimeRule, ...]:
    if not root.has("regimes"):
        return regions.BUILT_IN_REGIMES
    rules: list[RegimeRule] = []
    for row in root.at("regimes").items():
        row.only(frozenset({"regions", "regime"}))
        rules.append(RegimeRule(read_regions(row.at("regions")), row.at("regime").word(Regime, Regime.OPT_IN)))
    return tuple(rules)


def _lifetimes(root: Node) -> Mapping[str, Duration]:
    table = {regions.ANYWHERE: Duration(months=6)}
    for code, node in region_rows(root, "lifetimes"):
        table[code] = _duration(node)
    return table


def _ages(root: Node) -> Mapping[str, int]:
    if not root.has("age_of_consent"):
        return regions.DEFAULT_AGES_OF_CONSENT
    table = {regions.ANYWHERE: regions.SALE_OPT_IN_AGE}
    for code, node in region_rows(root, "age_of_consent"):
        table[code] = node.whole(0, 21)
    return table


def _separate_consent(root: Node) -> tuple[SeparateConsentRule, ...]:
    if not root.has("separate_consent"):
        return _BUILT_IN_SEPARATE
    rules: list[SeparateConsentRule] = []
    for row in root.at("separate_consent").items():
        row.only(frozenset({"regions", "categories", "needs"}))
        rules.append(
            SeparateConsentRule(
                read_regions(row.at("regions")),
                frozenset(item.word(Category, Category.ADVERTISING) for item in row.at("categories").items()),
                frozenset(item.word(SeparateConsent, SeparateConsent.CROSS_BORDER) for item in row.at("needs").items()),
            )
        )
    return tuple(rules)


def _categories(node: Node) -> Mapping[Category, CategoryTexts]:
    node.only(frozenset(CATEGORIES))
    table: dict[Category, CategoryTexts] = {}
    for category in CATEGORIES:
        entry = node.at(category)
        if entry.absent:
            continue
        entry.only(frozenset({"title", "description"}), frozenset({"sells_or_shares"}))
        shares = entry.at("sells_or_shares").flag(default=False)
        table[category] = CategoryTexts(read_texts(entry.at("title")), read_texts(entry.at("description")), shares)
    return table


def _provider(node: Node) -> Provider:
    node.only(frozenset({"name"}), frozenset({"country", "privacy_policy"}))
    country = node.at("country").text() if node.has("country") else None
    link = node.at("privacy_policy").parsed(url, "url-unfit", "") if node.has("privacy_policy") else None
    return Provider(node.at("name").text(), country, link)
