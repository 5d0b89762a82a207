"""What every transition is given, what it gives back, and how an event is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from consent_service.domain.record import CategoryChoice, Choices, ConsentEvent, ConsentRecord
from consent_service.domain.record_text import StoredVisitor
from consent_service.domain.ruleset import Ruleset
from consent_service.domain.signals import NO_SIGNALS, Signals
from consent_service.domain.vocabulary import Category, Channel, Choice, EventType, Method


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of one request."""

    rules: Ruleset
    policy_sha256: str
    now: datetime
    new_id: Callable[[], str]
    """Makes a fresh UUID as text; a function so that a transition takes as many as it needs."""
    region: str | None = None
    signals: Signals = NO_SIGNALS
    method: Method = Method.API
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """The record as it is afterwards and what was recorded; no events means that nothing changed."""

    record: ConsentRecord
    events: tuple[ConsentEvent, ...] = field(default=())
    stored: StoredVisitor | None = None
    """The record as it is stored, once the store has written it out."""


def write_event(
    ctx: Context,
    record: ConsentRecord,
    event_type: EventType,
    *,
    channel: Channel = Channel.WEB,
    choices: Mapping[Category, bool] | None = None,
    details: Mapping[str, object] | None = None,
) -> ConsentEvent:
    """Write what happened, with the record as it is afterwards."""
    policy = ctx.rules.policy
    return ConsentEvent(
        event_id=ctx.new_id(),
        receipt_id=ctx.new_id(),
        event_type=event_type,
        event_time=ctx.now,
        site=record.site,
        visitor_id=record.visitor_id,
        channel=channel,
        method=ctx.method,
        policy_version=policy.version,
        policy_sha256=ctx.policy_sha256,
        locale=ctx.locale,
        region=ctx.region,
        regime=policy.regime(ctx.region),
        dnt=record.dnt,
        gpc=record.gpc_known,
        choices=choices,
        details=details or {},
    )


def status_changed(before: ConsentRecord, after: ConsentRecord) -> bool:
    """Tell whether the tracking status differs, whenever it was decided (`Tk: U`, TSR-10)."""
    return _status(before, after.updated_at) != _status(after, after.updated_at)


def _status(record: ConsentRecord, now: datetime) -> tuple[object, ...]:
    account = record.account
    return (
        _said(record.web, now),
        _said(record.email, now),
        (_said(account.web, now), _said(account.email, now)) if account else None,
        record.separate,
        record.dnt,
        record.gpc_known,
        record.opted_out_known,
        record.age_band,
        record.restricted,
        record.objections,
    )


def _said(choices: Choices, now: datetime) -> dict[Category, tuple[object, ...]]:
    # A grant counts with the version it was given under and only while it holds; renewing a lapsed one is a change.
    return {c: _standing(entry, now) for c, entry in choices.items() if c is not Category.STRICTLY_NECESSARY}


def _standing(entry: CategoryChoice, now: datetime) -> tuple[object, ...]:
    if entry.choice is Choice.DENIED:
        return (entry.choice,)
    return (entry.choice, entry.policy_version, now >= entry.expires_at)
