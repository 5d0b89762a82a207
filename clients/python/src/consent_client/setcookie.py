"""Cookies on the wire, read as browsers read them (RFC 6265bis §5): leniently, the last of equal attributes wins."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate

from consent_client.vocabulary import STATE_COOKIE, VISITOR_COOKIE

_MAX_AGE = re.compile(r"-?\d+")
_DATE = re.compile(
    r"(?:[A-Za-z]{3,9},? )?(\d{1,2})[ -](Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ -](\d{4}) "
    r"(\d{2}):(\d{2}):(\d{2}) GMT",
    re.IGNORECASE,
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.IGNORECASE)
_FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One Set-Cookie field."""

    line: str
    name: str
    lifetime: float | None
    """Seconds that it asks to stay, None for a session; not above zero: it deletes the cookie."""

    @property
    def deletes(self) -> bool:
        """Tell whether it removes the cookie from the browser."""
        return self.lifetime is not None and self.lifetime <= 0

    def outlives(self, max_age: int | None) -> bool:
        """Tell whether it would stay longer than allowed, None being the session."""
        return self.lifetime is not None and (max_age is None or self.lifetime > max_age)

    def capped(self, max_age: int | None) -> str:
        """Give the field with its lifetime cut down to what is allowed."""
        parts = [p for p in self.line.split(";") if p.partition("=")[0].strip().lower() not in {"max-age", "expires"}]
        return ";".join([*parts, *([] if max_age is None else [f" Max-Age={max_age}"])])


def parse_set_cookie(line: str, now: float) -> SetCookie:
    """Read a Set-Cookie field; `now` is the time of day in seconds.

    An `Expires` in a form that only browsers understand counts as never, so that it is capped and not taken for a
    deletion.
    """
    first, *attributes = line.split(";")
    name, separator, _ = first.partition("=")
    max_age: float | None = None
    expires: float | None = None
    for attribute in attributes:
        label, _, text = (part.strip(" \t") for part in attribute.partition("="))
        if label.lower() == "max-age" and _MAX_AGE.fullmatch(text):
            max_age = float(text[:19])
        elif label.lower() == "expires":
            expires = _seconds_until(text, now)
    return SetCookie(line, name.strip(" \t") if separator else "", max_age if max_age is not None else expires)


def parse_cookies(fields: Iterable[str]) -> dict[str, str]:
    """Read the Cookie fields of a request; the first of equal names counts, as servers do.

    Where the two cookies of the service come twice with different values, somebody else may have planted one:
    then neither counts.
    """
    cookies: dict[str, str] = {}
    doubtful: set[str] = set()
    for field in fields:
        for pair in field.split(";"):
            name, separator, value = (part.strip(" \t") for part in pair.partition("="))
            if separator and cookies.setdefault(name, value) != value:
                doubtful.add(name)
    for name in doubtful & {VISITOR_COOKIE, STATE_COOKIE}:
        del cookies[name]
    return cookies


def expiring_lines(name: str, path: str, domain: str, host: str | None) -> list[str]:
    """Give the fields that remove a cookie, whichever way it was set.

    Where the table names no domain, the cookie may belong to the host alone or to a domain above it, as analytics
    scripts set theirs; the browser ignores what does not fit.
    """
    if not _NAME.fullmatch(name) or re.search(r"[;\r\n\0]", path + domain):
        return []
    domains = [domain.lstrip(".")] if domain else _domains_of(host)
    ending = f"Path={path}; Max-Age=0; Expires={formatdate(0, usegmt=True)}"
    return [f"{name}=; {ending}", *(f"{name}=; Domain={d}; {ending}" for d in domains)]


def _domains_of(host: str | None) -> list[str]:
    bare = (host or "").rpartition(":")[0] if (host or "").rpartition(":")[2].isdigit() else (host or "")
    labels = bare.split(".")
    if not _HOST.fullmatch(bare) or labels[-1].isdigit():
        return []
    return [".".join(labels[start:]) for start in range(max(0, len(labels) - 3), len(labels) - 1)]


def _seconds_until(text: str, now: float) -> float:
    match = _DATE.fullmatch(text)
    if match is None:
        return _FOREVER
    day, month, year, hour, minute, second = match.groups()
    date = int(year), _MONTHS.index(month.lower()) + 1, int(day)
    try:
        moment = datetime(*date, int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return _FOREVER
    return moment.timestamp() - now
