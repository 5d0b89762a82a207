"""What is set about a visitor beside the eight choices: opt-out of sale, age band, restriction, objections.

Sources: 11 CCR 7026 (opt-out), GDPR Art. 8 (children), Art. 18 (restriction), Art. 21 (objection).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from consent_service.domain.durations import Duration
from consent_service.domain.record import ConsentRecord
from consent_service.domain.transitions.context import Context, Transition, write_event
from consent_service.domain.transitions.signals import observe, with_signals
from consent_service.domain.vocabulary import AgeBand, Category, EventType

_NO_NEW_PROMPT = Duration(months=12)
"""After an opt-out California forbids asking again for twelve months (Civ. Code 1798.135(c)(4), CON-09)."""


def opt_out(record: ConsentRecord, ctx: Context) -> Transition:
    """Opt out of sale and sharing by form; for a customer the account as well."""
    if record.opted_out and (record.account is None or record.account.opted_out):
        return observe(record, ctx)
    account = None if record.account is None else replace(record.account, opted_out=True)
    later = _later(record.re_prompt_not_before, _NO_NEW_PROMPT.after(ctx.now))
    changed = replace(record, opted_out=True, account=account, re_prompt_not_before=later)
    return _recorded(record, changed, ctx, EventType.OPT_OUT)


def opt_in(record: ConsentRecord, ctx: Context) -> Transition:
    """Opt in to sale and sharing again; lifts a stored signal too, unless this very request carries it."""
    if not (record.opted_out_known or record.gpc_known):
        return observe(record, ctx)
    account = None if record.account is None else replace(record.account, opted_out=False)
    changed = with_signals(replace(record, opted_out=False, account=account), ctx, lifts_gpc=True)
    return _recorded(record, changed, ctx, EventType.OPT_IN)


def set_age_band(record: ConsentRecord, band: AgeBand, ctx: Context) -> Transition:
    """Note the age band that the shop knows."""
    if record.age_band is band:
        return observe(record, ctx)
    return _recorded(record, replace(record, age_band=band), ctx, EventType.AGE_BAND, {"age_band": band.value})


def set_restriction(record: ConsentRecord, restricted: bool, ctx: Context) -> Transition:
    """Restrict processing, or lift the restriction."""
    if record.restricted is restricted:
        return observe(record, ctx)
    details = {"restricted": restricted}
    return _recorded(record, replace(record, restricted=restricted), ctx, EventType.RESTRICTION, details)


def set_objections(record: ConsentRecord, categories: frozenset[Category], ctx: Context) -> Transition:
    """Set the whole list of categories objected to."""
    if record.objections == categories:
        return observe(record, ctx)
    details = {"categories": sorted(category.value for category in categories)}
    return _recorded(record, replace(record, objections=categories), ctx, EventType.OBJECTIONS, details)


def _recorded(
    before: ConsentRecord,
    changed: ConsentRecord,
    ctx: Context,
    event_type: EventType,
    details: Mapping[str, object] | None = None,
) -> Transition:
    after = replace(with_signals(changed, ctx, lifts_gpc=False), revision=before.revision + 1, updated_at=ctx.now)
    return Transition(after, (write_event(ctx, after, event_type, details=details),))


def _later(first: datetime | None, second: datetime) -> datetime:
    return second if first is None else max(first, second)
