"""The decision state: the one thing that every output is a function of."""

from collections.abc import Iterable
from dataclasses import dataclass

from consent_service.domain.decision import Decision, Situation, decide_categories
from consent_service.domain.vocabulary import AgeBand, Category, Reason, Regime


@dataclass(frozen=True, slots=True)
class OutputState:
    """A visitor's decisions about the eight categories, and what else the platforms ask about."""

    allowed: frozenset[Category]
    consented: frozenset[Category]
    """Allowed because the visitor said so, not because silence allows here."""
    region: str | None
    regime: Regime
    gpc: bool
    """On now or on record, whether or not it has effect in this region."""
    gpc_effective: bool
    sale_share_opt_out: bool
    """Sale and sharing are off, by GPC where it has effect or by form."""
    child: bool
    age_band: AgeBand

    def allows(self, *categories: Category) -> bool:
        """Tell whether all of these categories are allowed: one denied source denies what it feeds (rules.md §2.2)."""
        return self.allowed.issuperset(categories)

    @property
    def advertising(self) -> bool:
        """Tell whether advertising may run; GPC and an opt-out deny it however the policy labels the category."""
        return self.allows(Category.ADVERTISING) and not (self.sale_share_opt_out or self.child)

    @property
    def marketing(self) -> bool:
        """Tell whether what platforms call marketing may run: advertising and social media both."""
        return self.advertising and self.allows(Category.SOCIAL_MEDIA)

    @property
    def analytics(self) -> bool:
        """Tell whether what platforms call analytics may run: performance analysis and statistics both."""
        return self.allows(Category.ANALYTICAL_PERFORMANCE, Category.STATISTICAL)

    @property
    def preferences(self) -> bool:
        """Tell whether what platforms call preferences may run: functionality and personalization both."""
        return self.allows(Category.FUNCTIONALITY, Category.PERSONALIZATION)

    @property
    def in_the_us(self) -> bool:
        """Tell whether the visitor is known to be in the United States."""
        return self.region is not None and self.region[:2] == "US"


def output_state(situation: Situation, decisions: Iterable[Decision] | None = None) -> OutputState:
    """Keep what the outputs need; `decisions` about all categories are made here where they are not given.

    A caller that cannot reach the store gives decisions that deny, and then the outputs deny as well (SVC-01).
    """
    made = decide_categories(situation) if decisions is None else decisions
    pairs = [(decision.category, decision.reason, decision.allow) for decision in made]
    return OutputState(
        allowed=frozenset(category for category, _, allow in pairs if allow and category is not None),
        consented=frozenset(category for category, why, _ in pairs if why is Reason.GRANTED and category is not None),
        region=situation.region,
        regime=situation.regime,
        gpc=situation.gpc,
        gpc_effective=situation.gpc_effective,
        sale_share_opt_out=situation.sale_share_opt_out,
        child=situation.child,
        age_band=situation.record.age_band if situation.record is not None else AgeBand.UNKNOWN,
    )
