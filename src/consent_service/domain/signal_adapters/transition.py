"""What an automated expression changes about a record, stored once per change and never per request.

The protective part always has effect. A consent only fills what the visitor left open: a browser repeats it with
every request, and it must not bring back what was refused or withdrawn here (CON-20). Nor does it lift GPC.
"""

from collections.abc import Mapping
from dataclasses import replace

from consent_service.domain.record import AccountState, CategoryChoice, Choices, ConsentRecord
from consent_service.domain.signal_adapters.expression import Expression
from consent_service.domain.transitions.context import Context, Transition, write_event
from consent_service.domain.vocabulary import CATEGORIES, Category, Channel, Choice, EventType, Method

_ANSWERABLE = frozenset(CATEGORIES) - {Category.STRICTLY_NECESSARY}


def express(record: ConsentRecord, expression: Expression, ctx: Context) -> Transition:
    """Record what was expressed, as one event; nothing where the record says so already."""
    web = _answers(record, Channel.WEB, expression, ctx)
    email = _answers(record, Channel.EMAIL, replace(expression, consents=frozenset()), ctx)
    objections = record.objections | expression.objections
    if not web and not email and objections == record.objections:
        return Transition(record)
    changed = _stored(_stored(record, Channel.WEB, web, ctx), Channel.EMAIL, email, ctx)
    changed = replace(
        changed,
        objections=objections,
        separate=frozenset() if expression.withdrawals >= _ANSWERABLE else record.separate,
        revision=record.revision + 1,
        updated_at=ctx.now,
        region=ctx.region,
        policy_version=ctx.rules.policy.version,
    )
    changed = _unasked(changed, ctx)
    event_type = _event_type(record, changed, web, email, ctx)
    details = _details(expression, changed, email)
    by_signal = ctx._replace(method=Method.SIGNAL)
    return Transition(changed, (write_event(by_signal, changed, event_type, choices=web or None, details=details),))


def expressed_too(transition: Transition, expression: Expression, ctx: Context) -> Transition:
    """Add what the same request expressed to a change, as an event of its own."""
    if not expression:
        return transition
    found = express(transition.record, expression, ctx)
    return Transition(found.record, transition.events + found.events)


def _answers(record: ConsentRecord, channel: Channel, expression: Expression, ctx: Context) -> Mapping[Category, bool]:
    """Give the categories whose choice changes."""
    choices = _choices(record, channel, ctx)
    answers: dict[Category, bool] = {}
    for category in CATEGORIES:
        entry = choices.get(category)
        if category in expression.withdrawals and not _denied(entry):
            # E-mail is chosen apart: what was never granted there needs no denial.
            if channel is Channel.WEB or entry is not None:
                answers[category] = False
        elif category in expression.consents and not _denied(entry) and not _holds(entry, category, ctx):
            answers[category] = True
    return answers


def _denied(entry: CategoryChoice | None) -> bool:
    return entry is not None and entry.choice is Choice.DENIED


def _holds(entry: CategoryChoice | None, category: Category, ctx: Context) -> bool:
    return entry is not None and ctx.now < entry.expires_at and ctx.rules.covered(entry.policy_version, category)


def _sharing_account(record: ConsentRecord, ctx: Context) -> AccountState | None:
    # While an account shares choices across devices, the choices that count are the account's (IDN-07).
    return record.account if ctx.rules.policy.cross_device else None


def _choices(record: ConsentRecord, channel: Channel, ctx: Context) -> Choices:
    account = _sharing_account(record, ctx)
    if account is not None:
        return account.email if channel is Channel.EMAIL else account.web
    return record.choices(channel)


def _stored(record: ConsentRecord, channel: Channel, answers: Mapping[Category, bool], ctx: Context) -> ConsentRecord:
    if not answers:
        return record
    expires_at = ctx.rules.policy.lifetime(ctx.region).after(ctx.now)
    after = dict(_choices(record, channel, ctx))
    for category, granted in answers.items():
        was_granted = granted or (category in after and after[category].was_granted)
        choice = Choice.GRANTED if granted else Choice.DENIED
        after[category] = CategoryChoice(choice, ctx.now, expires_at, ctx.rules.policy.version, was_granted)
    account = _sharing_account(record, ctx)
    if account is not None:
        shared = replace(account, email=after) if channel is Channel.EMAIL else replace(account, web=after)
        return replace(record, account=shared)
    return replace(record, email=after) if channel is Channel.EMAIL else replace(record, web=after)


def _unasked(record: ConsentRecord, ctx: Context) -> ConsentRecord:
    # Who has answered everything is not asked again while the answers hold (CON-09).
    choices = _choices(record, Channel.WEB, ctx)
    if not choices.keys() >= _ANSWERABLE:
        return record
    until = min(choices[category].expires_at for category in _ANSWERABLE)
    return replace(record, re_prompt_not_before=max(until, record.re_prompt_not_before or until))


def _granted(record: ConsentRecord, ctx: Context) -> frozenset[tuple[Channel, Category]]:
    return frozenset(
        (channel, category)
        for channel in Channel
        for category, entry in _choices(record, channel, ctx).items()
        if entry.choice is Choice.GRANTED and category in _ANSWERABLE
    )


def _event_type(
    before: ConsentRecord,
    after: ConsentRecord,
    web: Mapping[Category, bool],
    email: Mapping[Category, bool],
    ctx: Context,
) -> EventType:
    if not web and not email:
        return EventType.OBJECTIONS
    granted_before, granted = _granted(before, ctx), _granted(after, ctx)
    if not granted:
        return EventType.WITHDRAWN if granted_before else EventType.REFUSED
    if not granted_before:
        return EventType.GIVEN
    return EventType.RENEWED if granted == granted_before else EventType.CHANGED


def _details(expression: Expression, after: ConsentRecord, email: Mapping[Category, bool]) -> dict[str, object]:
    details: dict[str, object] = {"signals": list(expression.signals)}
    if expression.objections:
        details["categories"] = sorted(category.value for category in after.objections)
    if email:
        details["email_choices"] = {category.value: granted for category, granted in email.items()}
    return details
