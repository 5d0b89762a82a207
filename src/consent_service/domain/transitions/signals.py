"""What a browser signals, stored once per change and never per request (SIG-14 to SIG-16, SIG-20)."""

from dataclasses import replace
from typing import Any

from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.signals import Signals
from consent_service.domain.transitions.context import Context, Transition, write_event
from consent_service.domain.vocabulary import EventType


def news(record: ConsentRecord, signals: Signals) -> bool:
    """Tell whether a request shows a signal that differs from what is stored; absence is never news (SIG-15)."""
    account_unaware = record.account is not None and not record.account.gpc
    gpc_news = signals.gpc and (not record.gpc or account_unaware)
    return gpc_news or (signals.dnt is not None and signals.dnt is not record.dnt)


def observe(record: ConsentRecord, ctx: Context) -> Transition:
    """Store the signals of a request that makes no choice, as one event; nothing where there is no news."""
    if not news(record, ctx.signals):
        return Transition(record)
    changed = with_signals(record, ctx, lifts_gpc=False)
    changed = replace(changed, revision=record.revision + 1, updated_at=ctx.now)
    return Transition(changed, (write_event(ctx, changed, EventType.SIGNAL),))


def with_signals(record: ConsentRecord, ctx: Context, lifts_gpc: bool) -> ConsentRecord:
    """Give the record with the request's signals stored, on the account as well where the visitor is known."""
    return replace(record, **signal_changes(record, ctx, lifts_gpc=lifts_gpc))


def signal_changes(
    record: ConsentRecord, ctx: Context, *, lifts_gpc: bool, account: AccountState | None = None
) -> dict[str, Any]:
    """Give the members of the record that the request's signals change; one copy of a record can then take them all.

    `account` is the visitor's where the same change has touched it already.
    """
    signals = ctx.signals
    account = account or record.account
    if account is not None:
        account = replace(account, gpc=signals.gpc or (account.gpc and not lifts_gpc))
    return {
        "dnt": record.dnt if signals.dnt is None else signals.dnt,
        "gpc": signals.gpc or (record.gpc and not lifts_gpc),
        "account": account,
    }
