"""What of the evidence may go once it is old, and what must stay.

Two laws hold whatever is asked for. A purge never turns a no into a yes: a record goes only where it says nothing that
a stranger's would not. And what a remaining record rests on stays with it, so that a choice that still counts can be
proved (GDPR Art. 7(1)). Records of opt-outs are kept for 24 months at least (11 CCR 7101, EVD-10).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent_service.domain.durations import Duration
from consent_service.domain.moments import parse_moment
from consent_service.domain.record import CategoryChoice, ConsentRecord
from consent_service.domain.vocabulary import AgeBand, Category, Channel, Choice, Dnt, EventType, Regime

EVIDENCE_MONTHS = 36
"""How long the evidence of a choice is kept after the choice has lapsed (rules.md §3.4)."""
OPT_OUT_FLOOR = Duration(months=24)
"""How long records of opt-outs are kept whatever a purge asks for (11 CCR 7101)."""

_SALE = frozenset({EventType.OPT_OUT.value, EventType.OPT_IN.value})
_ACCOUNT = frozenset({EventType.ACCOUNT_LINKED.value, EventType.ACCOUNT_UNLINKED.value})
_REFUSALS = frozenset({EventType.REFUSED.value, EventType.WITHDRAWN.value})
_NO_CHILD = frozenset({AgeBand.UNKNOWN, AgeBand.ADULT})

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a visitor that still has its payload."""

    seq: int
    time: datetime
    event: Event


Due = Callable[[Entry], bool]
"""Tells whether an entry is old enough to go."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What goes of one visitor: entries' payloads, and the record where nothing speaks for it any more."""

    remove: tuple[int, ...] = ()
    held: tuple[int, ...] = ()
    """Entries that are due, and opt-outs too young to go."""
    forget: bool = False


def older_than(limit: Duration, now: datetime) -> Due:
    """Let entries go that are older than a limit."""
    cut = limit.before(now)
    return lambda entry: entry.time < cut


def by_policy(lifetime: Callable[[str | None], Duration], now: datetime) -> Due:
    """Let entries go whose choice lapsed 36 months ago, with the lifetime that the policy gives it in its region."""

    def due(entry: Entry) -> bool:
        said = entry.event.get("decided_at")
        lapsed = lifetime(entry.event.get("region")).after(parse_moment(said) if said else entry.time)
        return Duration(months=EVIDENCE_MONTHS).after(lapsed) < now

    return due


def judge(record: ConsentRecord | None, entries: Sequence[Entry], due: Due, now: datetime) -> Verdict:
    """Say what goes of one visitor; `entries` are all that still have a payload, in their order."""
    old = [entry for entry in entries if due(entry)]
    floor = OPT_OUT_FLOOR.before(now)
    held = tuple(entry.seq for entry in old if is_opt_out(entry.event) and entry.time >= floor)
    old = [entry for entry in old if entry.seq not in held]
    untouched = record is None or due(Entry(-1, record.updated_at, {"region": record.region}))
    if len(old) == len(entries) and untouched and not (record and still_counts(record, now)):
        return Verdict(tuple(entry.seq for entry in old), held, forget=record is not None)
    resting_on = newest_of_each_kind(entries)
    return Verdict(tuple(entry.seq for entry in old if entry.seq not in resting_on), held)


def is_opt_out(event: Event) -> bool:
    """Tell whether an event is a record of an opt-out of sale or sharing: by form, by signal, or by refusing there."""
    refused_there = event.get("event_type") in _REFUSALS and event.get("regime") == Regime.OPT_OUT.value
    return event.get("event_type") in _SALE or event.get("gpc") is True or refused_there


def still_counts(record: ConsentRecord, now: datetime) -> bool:
    """Tell whether a record says anything that a stranger's would not; a refusal does however old it is."""
    account = record.account
    said = [record.web, record.email, *((account.web, account.email) if account else ())]
    return (
        any(_counts(choice, now) for choices in said for name, choice in choices.items() if _may_be_refused(name))
        or record.opted_out_known
        or record.gpc_known
        or record.dnt is Dnt.DO_NOT_TRACK
        or record.restricted
        or bool(record.objections)
        or record.age_band not in _NO_CHILD
        or account is not None
        or (record.re_prompt_not_before is not None and record.re_prompt_not_before > now)
    )


def newest_of_each_kind(entries: Iterable[Entry]) -> frozenset[int]:
    """Name the entries that a record rests on: the newest of all, and of each kind the newest."""
    newest: dict[str, int] = {}
    for entry in entries:
        newest |= dict.fromkeys(("any", *_kinds(entry.event)), entry.seq)
    return frozenset(newest.values())


def _kinds(event: Event) -> Iterable[str]:
    kind = event.get("event_type")
    # A signal such as ADPC speaks of single categories, so each category has a newest event of its own.
    yield from (f"{Channel.EMAIL.value} {name}" for name in event.get("email_choices", ()))
    if event.get("choices") is not None:
        channels = event.get("channels") or (event["channel"],)
        yield from (f"{channel} {name}" for channel in channels for name in event["choices"])
    elif kind in _SALE:
        yield EventType.OPT_OUT.value
    elif kind in _ACCOUNT:
        yield EventType.ACCOUNT_LINKED.value
    elif isinstance(kind, str):
        yield kind


def _may_be_refused(category: Category) -> bool:
    return category is not Category.STRICTLY_NECESSARY


def _counts(choice: CategoryChoice, now: datetime) -> bool:
    return choice.choice is Choice.DENIED or choice.expires_at > now
