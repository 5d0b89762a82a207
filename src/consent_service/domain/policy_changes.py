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
from consent_service.domain.policy import Policy, Tracker
from consent_service.domain.vocabulary import CATEGORIES, Category, DntMode

ANNOUNCEMENT = timedelta(hours=24)
"""How long before an increase of tracking its announcement must stand (TPE, TSR-13)."""

_DNT_STRENGTH = {DntMode.RECORD: 0, DntMode.RESPECT: 1, DntMode.STRICT: 2}


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
    ]
    return tuple(sorted(found, key=lambda d: (d.widens is None, d.subject, d.change)))


def widened(old: Policy, new: Policy) -> frozenset[Category]:
    """Give the categories in which a grant under `old` does not cover what `new` does."""
    return frozenset(d.widens for d in differences(old, new) if d.widens is not None)


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
    if _DNT_STRENGTH[new.dnt] < _DNT_STRENGTH[old.dnt]:
        yield Difference("signals", f"weaker: dnt {old.dnt.value} becomes {new.dnt.value}", None)
    if new.gpc is not old.gpc:
        weaker = "weaker: " if new.gpc.value != "honor" else ""
        yield Difference("signals", f"{weaker}gpc {old.gpc.value} becomes {new.gpc.value}", None)


def _tracker_differences(old: Policy, new: Policy) -> Iterable[Difference]:
    before = {_identity(old, t): t for t in old.trackers}
    after = {_identity(new, t): t for t in new.trackers}
    for identity, tracker in after.items():
        subject = f"tracker {tracker.name}"
        if identity not in before:
            yield Difference(subject, "added", _needs_consent(tracker))
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
    everywhere = tracker.exempt is not None and "*" in tracker.exempt.regions
    return None if everywhere or tracker.category is Category.STRICTLY_NECESSARY else tracker.category


def _changes(old: Tracker, new: Tracker) -> Iterable[tuple[str, bool]]:
    for name in ("third_party", "sells_or_shares", "cross_border"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield _turned(name, after), after
    if new.scope is not old.scope:
        yield f"scope {old.scope.value} becomes {new.scope.value}", True
    if old.duration != new.duration:
        yield "duration changed", _longest(new.duration) > _longest(old.duration)
    if new.purpose != old.purpose and set(old.purpose.items()) - set(new.purpose.items()):
        yield "purpose reworded", True
    if old.exempt != new.exempt:
        yield "exemption changed", False


def _turned(name: str, on: bool) -> str:
    return f"{name} turned {'on' if on else 'off'}"


def _longest(duration: Duration | None) -> float:
    return 0 if duration is None else duration.months * 30.5 * 86_400 + duration.seconds
