"""Hypothesis strategies: any visitor, any site, any moment that the domain may meet."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from consent_service.domain.record import AccountState, CategoryChoice, Choices, ConsentRecord
from consent_service.domain.regions import DEFAULT_AGES_OF_CONSENT, RegimeRule
from consent_service.domain.ruleset import Ruleset, compile_ruleset
from consent_service.domain.signals import Signals
from consent_service.domain.vocabulary import (
    CATEGORIES,
    AgeBand,
    Category,
    Choice,
    Dnt,
    DntMode,
    GpcMode,
    Regime,
    SeparateConsent,
)
from tests.support.builders import NOW, RULES, SITE, TRACKERS, VISITOR, policy

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))
NEAR = st.timedeltas(timedelta(days=-800), timedelta(days=800)).map(lambda distance: NOW + distance)
REGIONS = st.sampled_from(
    [None, "FR", "DE", "GB", "US", "US-CA", "US-TX", "US-VA", "CA", "CA-QC", "CN", "BR", "JP", "ZZ"]
)
OPT_IN_REGIONS = st.sampled_from(["FR", "DE", "GB", "CH", "CA-QC", "CN", "BR", "JP", "ZZ"])
VERSIONS = st.sampled_from(["v1", "v0", "long-ago"])
DNT = st.sampled_from([None, *Dnt])
SIGNALS = st.builds(Signals, DNT, st.booleans())


@st.composite
def category_choices(draw: st.DrawFn) -> CategoryChoice:
    """Draw what a visitor once said about one category."""
    choice = draw(st.sampled_from(Choice))
    was_granted = choice is Choice.GRANTED or draw(st.booleans())
    return CategoryChoice(choice, draw(NEAR), draw(NEAR), draw(VERSIONS), was_granted)


def choices() -> st.SearchStrategy[Choices]:
    """Draw any choices, answered together or apart, lapsed or not; also none, and a few only."""
    shared = category_choices().map(lambda choice: dict.fromkeys(CATEGORIES, choice))
    return shared | st.dictionaries(st.sampled_from(CATEGORIES), category_choices())


def accounts() -> st.SearchStrategy[AccountState]:
    """Draw a customer's state."""
    return st.builds(AccountState, st.just("customer"), st.booleans(), st.booleans(), choices(), choices())


def records() -> st.SearchStrategy[ConsentRecord]:
    """Draw any visitor."""
    return st.builds(
        ConsentRecord,
        site=st.just(SITE),
        visitor_id=st.just(VISITOR),
        created_at=MOMENTS,
        updated_at=MOMENTS,
        revision=st.integers(0, 2**31),
        web=choices(),
        email=choices(),
        separate=st.frozensets(st.sampled_from(SeparateConsent)),
        dnt=DNT,
        gpc=st.booleans(),
        opted_out=st.booleans(),
        age_band=st.sampled_from(AgeBand),
        restricted=st.booleans(),
        objections=st.frozensets(st.sampled_from(CATEGORIES)),
        region=REGIONS,
        policy_version=st.none() | VERSIONS,
        re_prompt_not_before=st.none() | MOMENTS,
        notice_due=st.booleans(),
        account=st.none() | accounts(),
    )


OLDER = policy(version="v0", trackers=list(TRACKERS[:8]))
ONE_REGIME = [(), *((RegimeRule(frozenset({"*"}), regime),) for regime in Regime)]
AGES = [DEFAULT_AGES_OF_CONSENT, {"*": 16, "FR": 15, "US": 0}]


@st.composite
def rulesets(draw: st.DrawFn) -> Ruleset:
    """Draw the rules of a site: any modes, some of the shop's trackers, an older version that said less."""
    shop = RULES.policy
    site = replace(
        shop,
        dnt=draw(st.sampled_from(DntMode)),
        gpc=draw(st.sampled_from(GpcMode)),
        child_directed=draw(st.booleans()),
        cross_device=draw(st.booleans()),
        trackers=tuple(draw(st.lists(st.sampled_from(shop.trackers), unique_by=lambda tracker: tracker.name))),
        separate_consent=draw(st.sampled_from([(), shop.separate_consent])),
        regimes=draw(st.sampled_from([shop.regimes, *ONE_REGIME])),
        ages_of_consent=draw(st.sampled_from(AGES)),
    )
    return compile_ruleset(site, [OLDER])


def with_denied(record: ConsentRecord, categories: frozenset[Category]) -> ConsentRecord:
    """Turn the grants of these categories into denials, wherever they stand."""
    return _mapped(record, lambda found: {c: _denied(x) if c in categories else x for c, x in found.items()})


def without(record: ConsentRecord, categories: frozenset[Category]) -> ConsentRecord:
    """Take what was granted in these categories off the record, as if the visitor had kept silent."""
    return _mapped(
        record, lambda found: {c: x for c, x in found.items() if c not in categories or x.choice is Choice.DENIED}
    )


def _denied(choice: CategoryChoice) -> CategoryChoice:
    return replace(choice, choice=Choice.DENIED)


def _mapped(record: ConsentRecord, change: Callable[[Choices], Choices]) -> ConsentRecord:
    known = record.account
    shared = None if known is None else replace(known, web=change(known.web), email=change(known.email))
    return replace(record, web=change(record.web), email=change(record.email), account=shared)
