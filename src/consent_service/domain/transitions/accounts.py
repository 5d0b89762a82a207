"""Logging in and out: what a browser and a customer's account share (11 CCR 7025(c)(1), CNIL 2025-131).

The opt-out signal and the opt-out of sale always travel with the account. Choices do so only where the policy says
`cross_device`, and then grants, refusals and withdrawals alike (IDN-04, IDN-05).
"""

from collections.abc import Mapping
from dataclasses import replace

from consent_service.domain.record import NOTHING, AccountState, CategoryChoice, Choices, ConsentRecord
from consent_service.domain.transitions.context import Context, Transition, write_event
from consent_service.domain.transitions.signals import observe, with_signals
from consent_service.domain.vocabulary import CATEGORIES, Category, Choice, EventType


def link(record: ConsentRecord, account: AccountState, ctx: Context) -> Transition:
    """Log the browser in to an account, as the store knows it or new; again with the same account changes nothing."""
    if record.account is not None and record.account.account == account.account:
        return observe(record, ctx)
    joined = replace(
        account,
        gpc=account.gpc or record.gpc or ctx.signals.gpc,
        opted_out=account.opted_out or record.opted_out,
    )
    synced = False
    if ctx.rules.policy.cross_device:
        synced = bool(account.web or account.email)
        joined = replace(
            joined, web=_protective(record.web, account.web), email=_protective(record.email, account.email)
        )
    changed = replace(_touch(record, joined, ctx), notice_due=synced)
    details: Mapping[str, object] = {"synced": synced}
    return Transition(changed, (write_event(ctx, changed, EventType.ACCOUNT_LINKED, details=details),))


def unlink(record: ConsentRecord, ctx: Context) -> Transition:
    """Log the browser out; its own choices count again (IDN-07)."""
    if record.account is None:
        return observe(record, ctx)
    changed = replace(_touch(record, None, ctx), notice_due=False)
    return Transition(changed, (write_event(ctx, changed, EventType.ACCOUNT_UNLINKED),))


def told(record: ConsentRecord, ctx: Context) -> Transition:
    """Note that the visitor was told of the choices that came from other devices; once for each login."""
    if not record.notice_due:
        return observe(record, ctx)
    changed = replace(_touch(record, record.account, ctx), notice_due=False)
    return Transition(changed, (write_event(ctx, changed, EventType.NOTICE, details={"notice": "synced"}),))


def _touch(record: ConsentRecord, account: AccountState | None, ctx: Context) -> ConsentRecord:
    seen = with_signals(record, ctx, lifts_gpc=False)
    return replace(seen, account=account, revision=record.revision + 1, updated_at=ctx.now)


def _protective(device: Choices, account: Choices) -> Choices:
    """Join two sets of choices so that a login never raises what either side refused (IDN-08)."""
    if not device or not account:
        return account or device
    joined: dict[Category, CategoryChoice] = {}
    for category in CATEGORIES:
        sides = [side[category] for side in (device, account) if category in side]
        if not sides:
            continue
        refusals = [side for side in sides if side.choice is Choice.DENIED]
        kept = min(refusals or sides, key=lambda side: side.expires_at)
        joined[category] = replace(kept, was_granted=any(side.was_granted for side in sides))
    return joined or NOTHING
