"""What a visitor says: accept, reject, choose, dismiss, withdraw; and choices imported from elsewhere.

Sources: GDPR Art. 7, rules.md CON-01 to CON-20; contract §4 and §5 ("Signals and storage").
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from consent_service.domain.errors import Fault, ImportOutdated, InvalidInput
from consent_service.domain.record import CategoryChoice, Choices, ConsentRecord, revised
from consent_service.domain.transitions.context import Context, Transition, write_event
from consent_service.domain.transitions.signals import signal_changes
from consent_service.domain.vocabulary import (
    CATEGORIES,
    Action,
    Category,
    Channel,
    Choice,
    EventType,
    Method,
    SeparateConsent,
)

_ALWAYS = Category.STRICTLY_NECESSARY
_REJECTED: Mapping[Category, bool] = {category: category is _ALWAYS for category in CATEGORIES}


@dataclass(frozen=True, slots=True)
class Submission:
    """One answer of the visitor; `choices` holds exactly the eight categories with `custom` and is None otherwise."""

    action: Action
    choices: Mapping[Category, bool] | None = None
    channel: Channel = Channel.WEB
    separate: frozenset[SeparateConsent] | None = None
    """The consents given apart; None leaves those on record as they are."""
    decided_at: datetime | None = None
    """When the choice was made elsewhere; for imports only."""


def submit(record: ConsentRecord, submission: Submission, ctx: Context) -> Transition:
    """Record an answer together with the signals of the same request, as one event.

    Raises ImportOutdated where an import is older than what is on record, InvalidInput where it lies in the future.
    """
    if submission.action is Action.DISMISS:
        return _dismiss(record, ctx)
    answer = _answer(submission)
    before = _current(record, ctx, submission.channel)
    decided_at = _decided_at(before, submission, ctx)
    if ctx.method is Method.IMPORT:
        answer = _not_raised(answer, before)
    after = _choose(before, answer, decided_at, ctx)
    stored = _stored(record, submission.channel, after, ctx)
    lifts_gpc = _lifts_gpc(answer, submission.channel, ctx)
    changes = stored | signal_changes(record, ctx, lifts_gpc=lifts_gpc, account=stored.get("account"))
    changes |= {"separate": _separate(record, submission, answer), **_touched(record, ctx)}
    if submission.channel is Channel.WEB:
        changes |= _answered(record, ctx, after[_ALWAYS].expires_at)
    changed = revised(record, changes)
    event_type = EventType.IMPORTED if ctx.method is Method.IMPORT else _event_type(before, after)
    details = _details(changed, decided_at, ctx)
    event = write_event(ctx, changed, event_type, channel=submission.channel, choices=answer, details=details)
    return Transition(changed, (event,))


def withdraw(record: ConsentRecord, ctx: Context) -> Transition:
    """Withdraw everything on every channel, with one call and no body (CON-06)."""
    changed = record
    expires_at = ctx.now
    for channel in Channel:
        after = _choose(_current(record, ctx, channel), _REJECTED, ctx.now, ctx)
        changed = _store(changed, channel, after, ctx)
        expires_at = after[_ALWAYS].expires_at
    changes = signal_changes(changed, ctx, lifts_gpc=False) | _touched(record, ctx)
    changed = replace(changed, separate=frozenset(), **changes, **_answered(record, ctx, expires_at))
    details = {"channels": [channel.value for channel in Channel]}
    event = write_event(ctx, changed, EventType.WITHDRAWN, choices=_REJECTED, details=details)
    return Transition(changed, (event,))


def _dismiss(record: ConsentRecord, ctx: Context) -> Transition:
    # Closing the banner is no choice: nothing is granted or refused, but it is not asked again at once (CON-07).
    later = ctx.rules.policy.lifetime(ctx.region).after(ctx.now)
    changes = signal_changes(record, ctx, lifts_gpc=False) | _touched(record, ctx) | _answered(record, ctx, later)
    changed = replace(record, **changes)
    return Transition(changed, (write_event(ctx, changed, EventType.DISMISSED),))


def _answer(submission: Submission) -> Mapping[Category, bool]:
    if submission.action is Action.ACCEPT_ALL:
        return dict.fromkeys(CATEGORIES, True)
    if submission.action is Action.REJECT_ALL or submission.choices is None:
        return _REJECTED
    return {category: submission.choices.get(category, False) or category is _ALWAYS for category in CATEGORIES}


def _current(record: ConsentRecord, ctx: Context, channel: Channel) -> Choices:
    if ctx.rules.policy.cross_device and record.account is not None:
        return record.account.email if channel is Channel.EMAIL else record.account.web
    return record.choices(channel)


def _store(record: ConsentRecord, channel: Channel, after: Choices, ctx: Context) -> ConsentRecord:
    return revised(record, _stored(record, channel, after, ctx))


def _stored(record: ConsentRecord, channel: Channel, after: Choices, ctx: Context) -> dict[str, Any]:
    # While an account shares choices across devices they are the account's; the browser keeps its own (IDN-07).
    account = record.account
    if ctx.rules.policy.cross_device and account is not None:
        shared = replace(account, email=after) if channel is Channel.EMAIL else replace(account, web=after)
        return {"account": shared}
    return {"email": after} if channel is Channel.EMAIL else {"web": after}


def _choose(before: Choices, answer: Mapping[Category, bool], decided_at: datetime, ctx: Context) -> Choices:
    expires_at = ctx.rules.policy.lifetime(ctx.region).after(decided_at)
    version = ctx.rules.policy.version
    after: dict[Category, CategoryChoice] = {}
    said: dict[tuple[bool, bool], CategoryChoice] = {}
    for category, granted in answer.items():
        was_granted = granted or (category in before and before[category].was_granted)
        if (granted, was_granted) not in said:
            choice = Choice.GRANTED if granted else Choice.DENIED
            said[granted, was_granted] = CategoryChoice(choice, decided_at, expires_at, version, was_granted)
        after[category] = said[granted, was_granted]
    return after


def _decided_at(before: Choices, submission: Submission, ctx: Context) -> datetime:
    if submission.decided_at is None or ctx.method is not Method.IMPORT:
        return ctx.now
    if submission.decided_at > ctx.now:
        fault = Fault("/decided_at", "in-the-future", "an imported choice cannot lie in the future")
        raise InvalidInput("The imported choice lies in the future.", (fault,))
    newest = max((entry.decided_at for entry in before.values()), default=None)
    if newest is not None and submission.decided_at < newest:
        raise ImportOutdated
    return submission.decided_at


def _not_raised(answer: Mapping[Category, bool], before: Choices) -> Mapping[Category, bool]:
    # An import never brings back what the visitor withdrew here (CON-20).
    return {c: on and not _withdrawn(before.get(c)) for c, on in answer.items()} | {_ALWAYS: True}


def _withdrawn(entry: CategoryChoice | None) -> bool:
    return entry is not None and entry.choice is Choice.DENIED and entry.was_granted


def _separate(
    record: ConsentRecord, submission: Submission, answer: Mapping[Category, bool]
) -> frozenset[SeparateConsent]:
    if answer == _REJECTED and submission.channel is Channel.WEB:
        return frozenset()
    return record.separate if submission.separate is None else submission.separate


def _lifts_gpc(answer: Mapping[Category, bool], channel: Channel, ctx: Context) -> bool:
    # The signal stays on record until the visitor, without it, grants what it denied (SIG-11; 11 CCR 7025(c)(3)).
    categories = ctx.rules.policy.categories
    granted = any(on and categories[category].sells_or_shares for category, on in answer.items())
    imported = ctx.method is Method.IMPORT
    return granted and channel is Channel.WEB and not ctx.signals.gpc and not imported


def _touched(record: ConsentRecord, ctx: Context) -> dict[str, Any]:
    return {"revision": record.revision + 1, "updated_at": ctx.now, "region": ctx.region}


def _answered(record: ConsentRecord, ctx: Context, re_prompt_not_before: datetime) -> dict[str, Any]:
    # The banner has had its answer under this version; a longer wait, asked for by an opt-out of sale, stands (CON-09).
    later = re_prompt_not_before
    if record.opted_out and record.re_prompt_not_before is not None:
        later = max(later, record.re_prompt_not_before)
    return {"policy_version": ctx.rules.policy.version, "re_prompt_not_before": later}


def _granted(choices: Choices) -> frozenset[Category]:
    return frozenset(c for c, entry in choices.items() if entry.choice is Choice.GRANTED and c is not _ALWAYS)


def _event_type(before: Choices, after: Choices) -> EventType:
    granted_before, granted = _granted(before), _granted(after)
    if not granted:
        return EventType.WITHDRAWN if granted_before else EventType.REFUSED
    if not granted_before:
        return EventType.GIVEN
    return EventType.RENEWED if granted == granted_before else EventType.CHANGED


def _details(record: ConsentRecord, decided_at: datetime, ctx: Context) -> dict[str, object]:
    details: dict[str, object] = {}
    if record.separate:
        details["separate_consents"] = sorted(item.value for item in record.separate)
    if ctx.method is Method.IMPORT:
        details["decided_at"] = decided_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return details
