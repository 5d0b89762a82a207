"""What a newer policy version changes, and for whom: the difference in substance, never in presentation.

A grant covers what the visitor was told: the trackers and providers of a category, what they are for and whether
data is sold, shared or sent abroad. Where a newer version goes further, the grants of that category no longer hold
(CON-11, EDPB 05/2020 §110); where it only says the same in other words or does less, they do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_service.domain.durations import Duration
from consent_service.domain.errors import Fault, PolicyInvalid
from consent_service.domain.policy import Exemption, Policy, Texts, Tracker
from consent_service.domain.regions import ANYWHERE
from consent_service.domain.vocabulary import (
    CATEGORIES,
    Category,
    DntMode,
    GpcMode,
    Regime,
    SeparateConsent,
    TrackerScope,
)

ANNOUNCEMENT = timedelta(hours=24)
"""How long before an increase of tracking its announcement must stand (TPE, TSR-13)."""

_DNT_STRENGTH = {DntMode.RECORD: 0, DntMode.RESPECT: 1, DntMode.STRICT: 2}
_REGIME_STRENGTH = {Regime.NOTICE: 0, Regime.OPT_OUT: 1, Regime.OPT_IN: 2}
_ELSEWHERE = "ZZ"
"""A region that no table names (ISO 3166-1 leaves it to users)."""

_NARROWER = frozenset(
    {
        (TrackerScope.TRACK, TrackerScope.SHARE),
        (TrackerScope.TRACK, TrackerScope.INDIVIDUAL),
        (TrackerScope.TRACK, TrackerScope.AGGREGATE),
        (TrackerScope.INDIVIDUAL, TrackerScope.AGGREGATE),
    }
)
"""From one scope to another that reaches less far; every other change of scope counts as going further."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: its place in words, and whether it goes further than before in which category."""

    subject: str
    change: str
    widens: Category | None


def differences(old: Policy, new: Policy) -> tuple[Difference, ...]:
    """List all differences in substance between two versions, widening ones first."""
    found = [
        *_category_differences(old, new),
        *_tracker_differences(old, new),
        *_signal_differences(old, new),
        *_protection_differences(old, new),
        *_other_differences(old, new),
    ]
    return tuple(sorted(found, key=lambda d: (d.widens is None, d.subject, d.change)))


def widened(old: Policy, new: Policy) -> frozenset[Category]:
    """Give the categories in which a grant under `old` does not cover what `new` does."""
    found = (*_category_differences(old, new), *_tracker_differences(old, new))
    return frozenset(d.widens for d in found if d.widens is not None)


def check_announced(current: Policy | None, new: Policy, now: datetime) -> None:
    """Refuse a version that widens tracking sooner than 24 hours from now (TSR-13).

    Raises PolicyInvalid that names the widening differences.
    """
    if current is None or new.effective_from >= now + ANNOUNCEMENT:
        return
    wider = [d for d in differences(current, new) if d.widens is not None or d.change.startswith("weaker")]
    if wider:
        message = f"this version widens tracking ({wider[0].subject}: {wider[0].change}); it needs 24 hours' notice"
        raise PolicyInvalid("The policy widens tracking too soon.", (Fault("/effective_from", "TSR-13", message),))


def _category_differences(old: Policy, new: Policy) -> Iterable[Difference]:
    for category in CATEGORIES:
        before, after = old.categories[category].sells_or_shares, new.categories[category].sells_or_shares
        if before != after:
            yield Difference(
                f"category {category.value}", _turned("sells_or_shares", after), category if after else None
            )


def _signal_differences(old: Policy, new: Policy) -> Iterable[Difference]:
    if new.dnt is not old.dnt:
        weaker = _DNT_STRENGTH[new.dnt] < _DNT_STRENGTH[old.dnt]
        yield _protection("signals", f"dnt {old.dnt.value} becomes {new.dnt.value}", weaker=weaker)
    if new.gpc is not old.gpc:
        weaker = new.gpc is not GpcMode.HONOR
        yield _protection("signals", f"gpc {old.gpc.value} becomes {new.gpc.value}", weaker=weaker)


def _protection_differences(old: Policy, new: Policy) -> Iterable[Difference]:
    """Compare what protects a visitor who has said nothing, or who is a child, region by region."""
    for region in sorted(_regions_named(old) | _regions_named(new)):
        subject = f"region {region}"
        before, after = old.regime(region), new.regime(region)
        if before is not after:
            weaker = _REGIME_STRENGTH[after] < _REGIME_STRENGTH[before]
            yield _protection(subject, f"{before.value} becomes {after.value}", weaker=weaker)
        age, new_age = old.age_of_consent(region), new.age_of_consent(region)
        if age != new_age:
            yield _protection(subject, f"age of consent {age} becomes {new_age}", weaker=new_age < age)
        if _needs(old, region) != _needs(new, region):
            weaker = not _needs(old, region) <= _needs(new, region)
            yield _protection(subject, "separate consents changed", weaker=weaker)
    if old.child_directed is not new.child_directed:
        yield _protection("child_directed", _turned("it", new.child_directed), weaker=old.child_directed)


def _other_differences(old: Policy, new: Policy) -> Iterable[Difference]:
    """Compare what takes nothing from a visitor who has answered, yet is substance."""
    for region in sorted({ANYWHERE} | old.lifetimes.keys() | new.lifetimes.keys()):
        place = None if region == ANYWHERE else region
        before, after = old.lifetime(place), new.lifetime(place)
        if before != after:
            yield Difference(f"region {region}", f"choices hold {after}, not {before}", None)
    if old.cookie_cap != new.cookie_cap:
        yield Difference("cookie_cap", f"{new.cookie_cap}, not {old.cookie_cap}", None)
    if old.cross_device is not new.cross_device:
        yield Difference("cross_device", _turned("it", new.cross_device), None)
    if old.gpp is not new.gpp:
        yield Difference("outputs", _turned("gpp", new.gpp), None)


def _protection(subject: str, change: str, *, weaker: bool) -> Difference:
    return Difference(subject, f"{'weaker: ' if weaker else ''}{change}", None)


def _needs(policy: Policy, region: str) -> set[tuple[Category, SeparateConsent]]:
    return {(category, need) for category in CATEGORIES for need in policy.separate_needs(category, region)}


def _regions_named(policy: Policy) -> set[str]:
    ruled = [rule.regions for rule in policy.regimes] + [rule.regions for rule in policy.separate_consent]
    return {_ELSEWHERE, *policy.ages_of_consent}.union(*ruled) - {ANYWHERE}


def _tracker_differences(old: Policy, new: Policy) -> Iterable[Difference]:
    before = {_identity(old, t): t for t in old.trackers}
    after = {_identity(new, t): t for t in new.trackers}
    asked_for = {t.name for t in old.trackers if _needs_consent(t)}
    for identity, tracker in after.items():
        subject = f"tracker {tracker.name}"
        if identity not in before:
            needs = _needs_consent(tracker)
            freed = needs is None and tracker.name in asked_for
            yield Difference(subject, "weaker: needs no consent any more" if freed else "added", needs)
            continue
        for change, wider in _changes(before[identity], tracker):
            yield Difference(subject, change, tracker.category if wider else None)
    for identity, tracker in before.items():
        if identity not in after:
            yield Difference(f"tracker {tracker.name}", "removed", None)


def _identity(policy: Policy, tracker: Tracker) -> tuple[object, ...]:
    # A tracker that moves to another category or to another company is a new one to those who consented.
    provider = policy.providers[tracker.provider].name
    return (tracker.name, tracker.kind, tracker.domain, provider, tracker.category)


def _needs_consent(tracker: Tracker) -> Category | None:
    everywhere = tracker.exempt is not None and ANYWHERE in tracker.exempt.regions
    return None if everywhere or tracker.category is Category.STRICTLY_NECESSARY else tracker.category


def _changes(old: Tracker, new: Tracker) -> Iterable[tuple[str, bool]]:
    for name in ("third_party", "sells_or_shares", "cross_border"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield _turned(name, after), after
    if new.scope is not old.scope:
        yield f"scope {old.scope.value} becomes {new.scope.value}", (old.scope, new.scope) not in _NARROWER
    if old.duration != new.duration:
        yield "duration changed", _longest(new.duration) > _longest(old.duration)
    if _reworded(old.purpose, new.purpose):
        yield "purpose reworded", True
    if old.exempt != new.exempt:
        yield f"{'weaker: ' if _exempts_more(old.exempt, new.exempt) else ''}exemption changed", False


def _reworded(old: Texts, new: Texts) -> bool:
    # A language more or less is presentation; the same language with other words may be another purpose.
    common = old.keys() & new.keys()
    return not common or any(old[tag] != new[tag] for tag in common)


def _exempts_more(old: Exemption | None, new: Exemption | None) -> bool:
    if old is None or new is None:
        return old is None
    return old.basis is not new.basis or not new.regions <= old.regions


def _turned(name: str, on: bool) -> str:
    return f"{name} turned {'on' if on else 'off'}"


def _longest(duration: Duration | None) -> float:
    return 0 if duration is None else duration.months * 30.5 * 86_400 + duration.seconds
