"""ISO 8601 durations, with calendar arithmetic for years and months."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Self

_PATTERN = re.compile(
    r"P(?:(?P<weeks>\d{1,5})W"
    r"|(?=\d|T\d)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?(?:(?P<seconds>\d{1,9})S)?)?)",
    re.ASCII,
)
_PLAIN_YEARS, _PLAIN_MONTHS, _PLAIN_SECONDS = 5_000, 12_000, 10**10
_EDGES = {1: datetime.max, -1: datetime.min}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in calendar months and in seconds (ISO 8601-1 §5.5.2)."""

    months: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `P6M`, `P400D`, `PT1S` and the like; whole numbers only, nothing shorter than a second.

        Raises ValueError with a sentence that says what is expected.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise ValueError("not an ISO 8601 duration such as P6M, P400D or PT30M")
        part = {name: int(value or 0) for name, value in match.groupdict().items()}
        seconds = ((part["weeks"] * 7 + part["days"]) * 24 + part["hours"]) * 3600
        duration = cls(part["years"] * 12 + part["months"], seconds + part["minutes"] * 60 + part["seconds"])
        if not duration.months and not duration.seconds:
            raise ValueError("a duration must be at least PT1S")
        return duration

    def __str__(self) -> str:
        """Write the duration in ISO 8601, in months, days and seconds."""
        days, rest = divmod(self.seconds, 86_400)
        months = f"{self.months}M" if self.months else ""
        return f"P{months}{f'{days}D' if days else ''}{f'T{rest}S' if rest else ''}"

    def after(self, start: datetime) -> datetime:
        """Give the moment that lies this long after `start`; the 31st becomes the last day of a shorter month.

        A moment outside the years 1 to 9999 is given as the last (or first) one there is.
        """
        if self._is_plain(start):
            return start + timedelta(seconds=_seconds_from(self, start.date()))
        return self._shift(start, 1)

    def before(self, end: datetime) -> datetime:
        """Give the moment that lies this long before `end`."""
        return self._shift(end, -1)

    def in_seconds(self, start: datetime) -> int:
        """Give the whole seconds that this lasts when it begins at `start`."""
        return _seconds_from(self, start.date()) if self._is_plain(start) else self._exact_seconds(start)

    def _is_plain(self, start: datetime) -> bool:
        """Tell whether the day alone decides how long a month is; near the end of time the hour counts as well."""
        return start.year < _PLAIN_YEARS and self.months < _PLAIN_MONTHS and self.seconds < _PLAIN_SECONDS

    def _exact_seconds(self, start: datetime) -> int:
        return int((self._shift(start, 1) - start).total_seconds())

    def _shift(self, moment: datetime, sign: int) -> datetime:
        edge = _EDGES[sign].replace(tzinfo=moment.tzinfo)
        year, month = divmod(moment.year * 12 + moment.month - 1 + sign * self.months, 12)
        if not 1 <= year <= edge.max.year:
            return edge
        day = min(moment.day, calendar.monthrange(year, month + 1)[1])
        try:
            return moment.replace(year=year, month=month + 1, day=day) + sign * timedelta(seconds=self.seconds)
        except OverflowError:
            return edge


@lru_cache(4_096)
def _seconds_from(duration: Duration, day: date) -> int:
    return duration._exact_seconds(datetime(day.year, day.month, day.day, tzinfo=UTC))  # noqa: SLF001 - this file's own
