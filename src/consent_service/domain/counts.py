"""What reports are made of: how often something happened, counted as events are written and free of persons.

A counter's row is one day (UTC) of one channel under one policy version in one region; it holds no visitor id, so an
erasure or purge leaves it as it is (EVD-14). What is counted is said here once, for all stores.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from consent_service.domain.record import Choices, ConsentEvent, ConsentRecord
from consent_service.domain.vocabulary import CATEGORIES, Category, Channel, Choice, Dnt, EventType, Method

FIGURES: tuple[str, ...] = (
    "answers",
    "accepted_all",
    "refused_all",
    "withdrawals",
    "dismissals",
    "dnt",
    "gpc",
    "asked_again",
    "refused_again",
    "signals",
    "opt_outs",
    "opt_ins",
    "imports",
    *(f"granted_{category.value}" for category in CATEGORIES),
    *(f"withdrawn_{category.value}" for category in CATEGORIES),
)
"""The figures of a row, in their order.

`answers` are choices made here, withdrawals of everything among them. Of them, `dnt` and `gpc` were given under that
signal, and `asked_again` to the banner by one who had answered or dismissed it before.
"""

Counts = list[int]
"""One row's figures, in the order of FIGURES."""

_PLACE = {name: place for place, name in enumerate(FIGURES)}
_FIRST_GRANTED = _PLACE[f"granted_{CATEGORIES[0].value}"]
_FIRST_WITHDRAWN = _PLACE[f"withdrawn_{CATEGORIES[0].value}"]
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_WITHOUT_CHOICES = {
    EventType.DISMISSED: "dismissals",
    EventType.SIGNAL: "signals",
    EventType.OPT_OUT: "opt_outs",
    EventType.OPT_IN: "opt_ins",
    EventType.IMPORTED: "imports",
}

_Eight = tuple[bool, ...]
_NOTHING: _Eight = (False,) * len(CATEGORIES)


class CountKey(NamedTuple):
    """What a row counts; a region that is not known is the empty text."""

    site: str
    day: int
    """Whole days since 1970-01-01, in UTC."""
    channel: str
    policy_version: str
    region: str


Tally = dict[CountKey, Counts]


def day_number(day: date) -> int:
    """Give the whole days since 1970-01-01."""
    return day.toordinal() - _EPOCH_DAY


def day_of(number: int) -> date:
    """Give the day of so many whole days since 1970-01-01."""
    return date.fromordinal(number + _EPOCH_DAY)


def count(tally: Tally, before: ConsentRecord | None, event: ConsentEvent) -> None:
    """Count an event into its row; `before` is the visitor's record as the event found it."""
    for channel in _channels(before, event):
        key = CountKey(
            event.site, day_number(event.event_time), channel.value, event.policy_version, event.region or ""
        )
        add_places(tally, key, _places(before, event, channel))


def add_places(tally: Tally, key: CountKey, places: Iterable[int]) -> None:
    """Add one to some figures of a row."""
    counts = tally.get(key)
    if counts is None:
        counts = tally[key] = [0] * len(FIGURES)
    for place in places:
        counts[place] += 1


def add(into: Counts, counts: Counts) -> None:
    """Add one row's figures to another's."""
    for place, number in enumerate(counts):
        into[place] += number


def _channels(before: ConsentRecord | None, event: ConsentEvent) -> Iterator[Channel]:
    yield event.channel
    # Withdrawing everything is one event; it speaks of e-mail as well where something was chosen there.
    if "channels" in event.details and before is not None and _choices(before, Channel.EMAIL):
        yield Channel.EMAIL


def _places(before: ConsentRecord | None, event: ConsentEvent, channel: Channel) -> tuple[int, ...]:
    if event.choices is None or event.event_type is EventType.IMPORTED:
        name = _WITHOUT_CHOICES.get(event.event_type)
        return () if name is None else (_PLACE[name],)
    by_banner = event.method is Method.BANNER and channel is Channel.WEB
    again = by_banner and before is not None and before.policy_version is not None
    held = _NOTHING if before is None else _granted(_choices(before, channel))
    # A signal such as ADPC speaks of single categories; the others stay as they were.
    said = tuple([event.choices.get(category, had) for category, had in zip(CATEGORIES, held, strict=True)])
    withdrawal = event.event_type is EventType.WITHDRAWN and "channels" in event.details
    return _places_of(said, held, event.dnt is Dnt.DO_NOT_TRACK, event.gpc, again, withdrawal)


@lru_cache(maxsize=4096)
def _places_of(said: _Eight, held: _Eight, dnt: bool, gpc: bool, again: bool, withdrawal: bool) -> tuple[int, ...]:
    refused = not any(
        on for category, on in zip(CATEGORIES, said, strict=True) if category is not Category.STRICTLY_NECESSARY
    )
    marks = {
        "answers": True,
        "accepted_all": all(said),
        "refused_all": refused and not withdrawal,
        "withdrawals": withdrawal,
        "dnt": dnt,
        "gpc": gpc,
        "asked_again": again,
        "refused_again": again and refused,
    }
    granted = (_FIRST_GRANTED + number for number, on in enumerate(said) if on)
    pairs = enumerate(zip(held, said, strict=True))
    withdrawn = (_FIRST_WITHDRAWN + number for number, (had, on) in pairs if had and not on)
    return (*(_PLACE[name] for name, on in marks.items() if on), *granted, *withdrawn)


def _choices(record: ConsentRecord, channel: Channel) -> Choices:
    # Where choices travel with the login they are the account's (IDN-05); otherwise it has none.
    account = record.account
    shared = None if account is None else (account.email if channel is Channel.EMAIL else account.web)
    return shared or record.choices(channel)


def _granted(choices: Choices) -> _Eight:
    if not choices:
        return _NOTHING
    return tuple([c in choices and choices[c].choice is Choice.GRANTED for c in CATEGORIES])
