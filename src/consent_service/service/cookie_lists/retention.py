"""Reads how long a cookie list says something stays: from free text to `session` or an ISO 8601 duration."""

import re
from dataclasses import dataclass

from consent_service.domain.durations import Duration
from consent_service.domain.vocabulary import TrackerKind

SESSION = "session"
LONGEST = "P400D"
"""What is entered where a list says "forever": the longest that browsers keep a cookie."""

_SHOWN = 80
"""A text in the report is cut to so many characters."""
_SESSION_WORDS = frozenset(
    {"session", "sessions", "seesion", "session cookie", "browser session"}
    | {"end of session", "end of session (browser)"}
)
_ENDLESS = frozenset({"forever", "unlimited", "permanent", "persistent", "no expiration", "never", "never expires"})
_STORAGES = {
    "local storage": (TrackerKind.LOCAL_STORAGE, LONGEST),
    "localstorage": (TrackerKind.LOCAL_STORAGE, LONGEST),
    "session storage": (TrackerKind.SESSION_STORAGE, SESSION),
    "sessionstorage": (TrackerKind.SESSION_STORAGE, SESSION),
}
_AMOUNT = re.compile(
    r"(?<![\w.,])(?P<count>[0-9]{1,9}|an?|one) ?"
    r"(?P<unit>years?|y|months?|mths?|weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|seconds?|secs?)\b"
)
_RENEWED = re.compile(r" ?(after (the )?last (activity|visit|use)|from set ?/ ?update)?")
"""Words after a length that say when it begins, not how long it is."""
_UNITS = {
    "y": ("P{}Y", 31_557_600),
    "mo": ("P{}M", 2_629_800),
    "mt": ("P{}M", 2_629_800),
    "w": ("P{}W", 604_800),
    "d": ("P{}D", 86_400),
    "h": ("PT{}H", 3_600),
    "mi": ("PT{}M", 60),
    "s": ("PT{}S", 1),
}
"""By the first letters of the unit: its ISO 8601 form and about how many seconds it has."""


@dataclass(frozen=True, slots=True)
class Retention:
    """A lifetime as the policy document writes it, by which technique, and what is in doubt about it."""

    duration: str
    kind: TrackerKind = TrackerKind.COOKIE
    doubt: str = ""


def parse_retention(text: str) -> Retention:
    """Read a lifetime; where the text gives none, enter the session, so that nothing is kept longer than is known."""
    words = " ".join(text.casefold().split()).rstrip(".")
    if words in _SESSION_WORDS:
        return Retention(SESSION)
    if words in _STORAGES:
        kind, duration = _STORAGES[words]
        doubt = "" if duration == SESSION else f"local storage has no end; {LONGEST} is entered"
        return Retention(duration, kind, doubt)
    if words in _ENDLESS:
        return Retention(LONGEST, doubt=f"the retention “{text}” has no end; {LONGEST} is entered")
    first = _AMOUNT.match(words)
    if first and _RENEWED.fullmatch(words[first.end() :]) and (duration := _duration(first)):
        return Retention(duration)
    return _in_doubt(text, words)


def _in_doubt(text: str, words: str) -> Retention:
    lengths = [(_seconds(amount), duration) for amount in _AMOUNT.finditer(words) if (duration := _duration(amount))]
    if lengths:
        longest = max(lengths)[1]
        return Retention(longest, doubt=f"the retention “{_short(text)}” is not one length; {longest} is entered")
    return Retention(SESSION, doubt=f"the retention “{_short(text)}” gives no length; session is entered")


def _unit(amount: re.Match[str]) -> tuple[str, int]:
    unit = amount["unit"]
    return _UNITS.get(unit[:2]) or _UNITS[unit[:1]]


def _count(amount: re.Match[str]) -> int:
    return int(amount["count"]) if amount["count"].isdigit() else 1


def _seconds(amount: re.Match[str]) -> int:
    return _count(amount) * _unit(amount)[1]


def _duration(amount: re.Match[str]) -> str:
    """Give the ISO 8601 form, or nothing where it is no duration, such as `0 days`."""
    form = _unit(amount)[0].format(_count(amount))
    try:
        Duration.parse(form)
    except ValueError:
        return ""
    return form


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
