"""The decision whether a tracker, or anything of a category, may run for a visitor now.

The ordered rules of contract §5, total and pure: every input has an answer, nothing is raised, and in doubt the
answer denies. `judge` is the one place where the order stands; tables that other code builds for speed are built by
calling it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_service.domain import regions
from consent_service.domain.durations import Duration
from consent_service.domain.policy import Policy, Tracker
from consent_service.domain.record import CategoryChoice, ConsentRecord
from consent_service.domain.ruleset import Ruleset
from consent_service.domain.signals import Signals
from consent_service.domain.vocabulary import (
    ALLOWING_REASONS,
    CATEGORIES,
    CHILD_PROTECTED_CATEGORIES,
    TRACKING_CATEGORIES,
    YOUNGEST_AGE,
    AgeBand,
    Category,
    Channel,
    Choice,
    Dnt,
    DntMode,
    ExemptBasis,
    Reason,
    Regime,
    SeparateConsent,
    TrackerKind,
)

_LAW_CAPS: Mapping[ExemptBasis, Duration] = {ExemptBasis.AUDIENCE_MEASUREMENT: Duration(months=13)}
"""How long an exempt tracker may live by law (CNIL 2020-091: 13 months, not extended by visits)."""

_OBJECTABLE = frozenset({ExemptBasis.AUDIENCE_MEASUREMENT, ExemptBasis.UI_CUSTOMISATION})
"""Exemptions that end where the visitor objects (PECR Sched. A1, REG-03)."""

_SECOND = timedelta(seconds=1)
NO_CATEGORIES: frozenset[Category] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one question."""

    category: Category | None
    reason: Reason
    tracker: str | None = None
    max_age: int | None = None
    """Whole seconds for which it may stay on the device, where it stays longer than the session."""

    @property
    def allow(self) -> bool:
        """Tell whether it may run."""
        return self.reason in ALLOWING_REASONS


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything about a visitor at one moment that the rules look at."""

    rules: Ruleset
    record: ConsentRecord | None
    region: str | None
    now: datetime
    regime: Regime
    dnt: Dnt | None
    gpc: bool
    """On now or on record, whether or not it has effect here."""
    gpc_effective: bool
    opted_out: bool
    child: bool
    minor: bool
    """Too young to be sold without an opt-in (REG-06)."""
    objections: frozenset[Category]
    """On record, or in this very request by a signal that is not on record."""

    def choice(self, category: Category, channel: Channel) -> CategoryChoice | None:
        """Give the choice that counts: the account's where choices are shared across devices, else the browser's."""
        record = self.record
        if record is None:
            return None
        if self.rules.policy.cross_device and record.account is not None:
            return (record.account.email if channel is Channel.EMAIL else record.account.web).get(category)
        return (record.email if channel is Channel.EMAIL else record.web).get(category)

    @property
    def sale_share_opt_out(self) -> bool:
        """Tell whether sale and sharing are off for this visitor, by signal or by form."""
        return self.gpc_effective or self.opted_out


def situate(
    rules: Ruleset,
    record: ConsentRecord | None,
    signals: Signals,
    region: str | None,
    now: datetime,
    unrecorded: frozenset[Category] = NO_CATEGORIES,
) -> Situation:
    """Gather what the rules look at; the request's signal counts where it is present, else the stored one.

    `unrecorded` are categories that the request withdraws or objects to without a record that could hold it.
    """
    policy = rules.policy
    gpc = signals.gpc or (record is not None and record.gpc_known)
    band = record.age_band if record is not None else AgeBand.UNKNOWN
    age = YOUNGEST_AGE[band]
    child = policy.child_directed if age is None else age < policy.age_of_consent(region)
    return Situation(
        rules=rules,
        record=record,
        region=region,
        now=now,
        regime=policy.regime(region),
        dnt=signals.dnt if signals.dnt is not None or record is None else record.dnt,
        gpc=gpc,
        gpc_effective=gpc and policy.gpc_honored(region),
        opted_out=record is not None and record.opted_out_known,
        child=child,
        minor=policy.child_directed if age is None else age < regions.SALE_OPT_IN_AGE,
        objections=unrecorded if record is None else record.objections | unrecorded,
    )


def judge(
    s: Situation,
    category: Category,
    channel: Channel,
    *,
    exempt: bool,
    shares: bool,
    needs: frozenset[SeparateConsent],
) -> Reason:
    """Apply rules 2 to 8 of contract §5 in their order; the first that applies wins."""
    if exempt:
        return Reason.EXEMPT
    if s.record is not None and s.record.restricted:
        return Reason.RESTRICTED
    if s.child and category in CHILD_PROTECTED_CATEGORIES:
        return Reason.CHILD
    if category in s.objections:
        return Reason.OBJECTED
    if shares and s.gpc_effective:
        return Reason.GPC
    if shares and s.opted_out:
        return Reason.OPTED_OUT
    return _judge_choice(s, category, channel, shares=shares, needs=needs)


def _judge_choice(
    s: Situation, category: Category, channel: Channel, *, shares: bool, needs: frozenset[SeparateConsent]
) -> Reason:
    mode = s.rules.policy.dnt
    do_not_track = s.dnt is Dnt.DO_NOT_TRACK and category in TRACKING_CATEGORIES
    missing = bool(needs - s.record.separate) if s.record is not None else bool(needs)
    without = Reason.NO_RECORD
    choice = s.choice(category, channel)
    if choice is not None:
        if choice.choice is Choice.DENIED:
            return Reason.WITHDRAWN if choice.was_granted else Reason.REFUSED
        lapsed = lapse(s, category, choice)
        if lapsed is None:
            if do_not_track and mode is DntMode.STRICT:
                return Reason.DNT
            return Reason.SEPARATE_CONSENT if missing else Reason.GRANTED
        without = lapsed
    if do_not_track and mode is not DntMode.RECORD:
        return Reason.DNT
    if s.regime is Regime.OPT_IN or (shares and s.minor):
        return without
    # Silence must never allow more than a grant does, so what needs a separate consent needs it here as well.
    return Reason.SEPARATE_CONSENT if missing else Reason.REGION_DEFAULT


def lapse(s: Situation, category: Category, choice: CategoryChoice) -> Reason | None:
    """Tell why a grant no longer holds, or None while it does."""
    if s.now >= choice.expires_at:
        return Reason.EXPIRED
    return None if s.rules.covered(choice.policy_version, category) else Reason.POLICY_CHANGED


def decide_category(s: Situation, category: Category) -> Decision:
    """Decide for a category as a whole, on the web."""
    needs = s.rules.policy.separate_needs(category, s.region)
    if SeparateConsent.CROSS_BORDER in needs and category not in s.rules.crossing:
        needs -= {SeparateConsent.CROSS_BORDER}
    entry = s.rules.policy.categories[category]
    exempt = category is Category.STRICTLY_NECESSARY
    reason = judge(s, category, Channel.WEB, exempt=exempt, shares=entry.sells_or_shares, needs=needs)
    return Decision(category, reason)


def decide_categories(s: Situation) -> tuple[Decision, ...]:
    """Decide for all eight categories, in the order of the vocabulary."""
    return tuple(decide_category(s, category) for category in CATEGORIES)


def decide_tracker(s: Situation, name: str) -> Decision:
    """Decide for a tracker by name; of several entries of one name every one must be allowed."""
    decisions = [_decide_entry(s, tracker, name) for tracker in s.rules.find(name)]
    if not decisions:
        return Decision(None, Reason.UNREGISTERED, name)
    for decision in decisions:
        if not decision.allow:
            return decision
    ages = [d.max_age for d in decisions if d.max_age is not None]
    return Decision(decisions[0].category, decisions[0].reason, name, min(ages, default=None))


def exempt_here(s: Situation, tracker: Tracker) -> bool:
    """Tell whether a tracker needs no consent in this situation (rule 2; WP194, REG-03, REG-04, TRK-09)."""
    if tracker.category is Category.STRICTLY_NECESSARY:
        return True
    if tracker.exempt is None or not regions.covers(tracker.exempt.regions, s.region):
        return False
    if tracker.exempt.basis in _OBJECTABLE and tracker.category in s.objections:
        return False
    if tracker.exempt.basis is ExemptBasis.SOCIAL_SHARE_MEMBER:
        return s.record is not None and s.record.account is not None
    return True


def judge_tracker(s: Situation, tracker: Tracker) -> Reason:
    """Apply the rules to one entry of the policy."""
    needs = s.rules.policy.separate_needs(tracker.category, s.region)
    if not tracker.cross_border:
        needs -= {SeparateConsent.CROSS_BORDER}
    exempt = exempt_here(s, tracker)
    return judge(s, tracker.category, channel_of(tracker), exempt=exempt, shares=tracker.sells_or_shares, needs=needs)


def channel_of(tracker: Tracker) -> Channel:
    """Tell on which channel a tracker runs: e-mail pixels in mails, everything else on the web."""
    return Channel.EMAIL if tracker.kind is TrackerKind.EMAIL_PIXEL else Channel.WEB


def _decide_entry(s: Situation, tracker: Tracker, name: str) -> Decision:
    reason = judge_tracker(s, tracker)
    if reason not in ALLOWING_REASONS:
        return Decision(tracker.category, reason, name)
    max_age = max_age_of(s.rules.policy, tracker, reason, s.now, left_of(s, tracker))
    return Decision(tracker.category, reason, name, max_age)


def left_of(s: Situation, tracker: Tracker) -> int | None:
    """Give the whole seconds that are left of the choice about a tracker; None where there is no choice."""
    choice = s.choice(tracker.category, channel_of(tracker))
    return None if choice is None else (choice.expires_at - s.now) // _SECOND


def max_age_of(policy: Policy, tracker: Tracker, reason: Reason, now: datetime, left: int | None) -> int | None:
    """Give the least of the declared duration, the caps of site and law, and what is left of the choice (TRK-08)."""
    if tracker.duration is None or not tracker.stored or tracker.kind is TrackerKind.SESSION_STORAGE:
        return None
    bounds = [tracker.duration.in_seconds(now), policy.cookie_cap.in_seconds(now)]
    if reason is Reason.EXEMPT and tracker.exempt is not None and tracker.exempt.basis in _LAW_CAPS:
        bounds.append(_LAW_CAPS[tracker.exempt.basis].in_seconds(now))
    if reason is Reason.GRANTED and left is not None:
        bounds.append(left)
    return min(bounds)
