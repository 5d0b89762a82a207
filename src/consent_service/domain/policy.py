"""The policy: the immutable, versioned document that a site publishes, as frozen values.

Reading a document into these values is `policy_document.py`; what makes one acceptable is `policy_rules.py`; what
a newer version changes is `policy_changes.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from consent_service.domain import regions
from consent_service.domain.durations import Duration
from consent_service.domain.regions import RegimeRule
from consent_service.domain.vocabulary import (
    STORED_KINDS,
    Category,
    DntMode,
    ExemptBasis,
    GpcMode,
    Regime,
    SeparateConsent,
    TrackerKind,
    TrackerScope,
)

Texts = Mapping[str, str]
"""Language tag to text."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """Why a tracker needs no consent, and in which regions that holds."""

    basis: ExemptBasis
    regions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tracker:
    """One registered cookie, storage key, LSO, pixel, script or embed."""

    name: str
    kind: TrackerKind
    category: Category
    provider: str
    duration: Duration | None
    """How long it stays; None means until the session ends."""
    purpose: Texts
    domain: str = ""
    path: str = "/"
    third_party: bool = False
    sells_or_shares: bool = False
    cross_border: bool = False
    http_only: bool = False
    scope: TrackerScope = TrackerScope.INDIVIDUAL
    exempt: Exemption | None = None

    @property
    def stored(self) -> bool:
        """Tell whether it leaves something on the device."""
        return self.kind in STORED_KINDS


@dataclass(frozen=True, slots=True)
class CategoryTexts:
    """How a site presents one of the eight categories."""

    title: Texts
    description: Texts
    sells_or_shares: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """Who receives what a tracker collects."""

    name: str
    country: str | None
    privacy_policy: str | None


@dataclass(frozen=True, slots=True)
class SeparateConsentRule:
    """Which consents must be agreed apart from a bundle, where and for which categories."""

    regions: frozenset[str]
    categories: frozenset[Category]
    needs: frozenset[SeparateConsent]


@dataclass(frozen=True, slots=True)
class Controller:
    """Who answers for the processing (GDPR Art. 13(1)(a))."""

    name: str
    address: str
    email: str
    phone: str
    url: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One published version. Tables by region are keyed as `regions.lookup` expects."""

    site: str
    version: str
    effective_from: datetime
    controller: Controller
    urls: Mapping[str, str]
    origins: tuple[str, ...]
    hosts: tuple[str, ...]
    default_language: str
    languages: tuple[str, ...]
    texts: Mapping[str, Texts]
    """Language tag to the notice's texts by name."""
    first_layer: tuple[str, ...]
    dnt: DntMode
    gpc: GpcMode
    lifetimes: Mapping[str, Duration]
    cookie_cap: Duration
    regimes: tuple[RegimeRule, ...]
    separate_consent: tuple[SeparateConsentRule, ...]
    ages_of_consent: Mapping[str, int]
    child_directed: bool
    cross_device: bool
    gpp: bool
    """Whether the site has switched on IAB GPP strings, which presume contracts of its own."""
    categories: Mapping[Category, CategoryTexts]
    providers: Mapping[str, Provider]
    trackers: tuple[Tracker, ...]

    def regime(self, region: str | None) -> Regime:
        """Give what applies there without a choice; an unknown region is opt-in (REG-01)."""
        if region is not None:
            for rule in self.regimes:
                if regions.covers(rule.regions, region):
                    return rule.regime
        return Regime.OPT_IN

    def lifetime(self, region: str | None) -> Duration:
        """Give how long a choice holds there, either way (CON-08)."""
        return regions.lookup(self.lifetimes, region) or Duration(months=6)

    def age_of_consent(self, region: str | None) -> int:
        """Give the age from which one consents for oneself; the highest where the region is unknown."""
        age = None if region is None else regions.lookup(self.ages_of_consent, region)
        return max(self.ages_of_consent.values()) if age is None else age

    def gpc_honored(self, region: str | None) -> bool:
        """Tell whether Global Privacy Control has effect there; an unknown region counts as one whose law asks so."""
        return self.gpc is GpcMode.HONOR or region is None or bool(regions.lookup(regions.GPC_REQUIRED, region))

    def separate_needs(self, category: Category, region: str | None) -> frozenset[SeparateConsent]:
        """Give what must have been agreed apart for this category there (PIPL Art. 23, 39)."""
        needs = [
            r.needs for r in self.separate_consent if category in r.categories and regions.covers(r.regions, region)
        ]
        return frozenset[SeparateConsent]().union(*needs)
