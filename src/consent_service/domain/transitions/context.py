"""What every transition is given, what it gives back, and how an event is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from consent_service.domain.record import AccountState, CategoryChoice, Choices, ConsentEvent, ConsentRecord
from consent_service.domain.record_text import StoredVisitor
from consent_service.domain.ruleset import Ruleset
from consent_service.domain.signals import NO_SIGNALS, Signals
from consent_service.domain.vocabulary import CATEGORIES, Category, Channel, Choice, EventType, Method

_ANSWERABLE = tuple(c for c in CATEGORIES if c is not Category.STRICTLY_NECESSARY)


class Context(NamedTuple):
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
    now = after.updated_at
    return (
        _standing_apart(before) != _standing_apart(after)
        or not _same(before.web, after.web, now)
        or not _same(before.email, after.email, now)
        or not _same_account(before.account, after.account, now)
    )


def _standing_apart(record: ConsentRecord) -> tuple[object, ...]:
    return (
        record.separate,
        record.dnt,
        record.gpc_known,
        record.opted_out_known,
        record.age_band,
        record.restricted,
        record.objections,
    )


def _same_account(before: AccountState | None, after: AccountState | None, now: datetime) -> bool:
    if before is None or after is None:
        return before is after
    return _same(before.web, after.web, now) and _same(before.email, after.email, now)


def _same(before: Choices, after: Choices, now: datetime) -> bool:
    return all(_alike(before.get(category), after.get(category), now) for category in _ANSWERABLE)


def _alike(before: CategoryChoice | None, after: CategoryChoice | None, now: datetime) -> bool:
    # A grant counts with the version it was given under and only while it holds; renewing a lapsed one is a change.
    if before is None or after is None:
        return before is after
    if before.choice is not after.choice:
        return False
    if after.choice is Choice.DENIED:
        return True
    lapsed = (now >= before.expires_at, now >= after.expires_at)
    return before.policy_version == after.policy_version and lapsed[0] is lapsed[1]
