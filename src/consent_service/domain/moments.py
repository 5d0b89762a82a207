"""Moments as whole microseconds since 1970 in UTC: how they are stored, and the same on every database."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(moment: datetime) -> int:
    """Give the microseconds since 1970 in UTC; refuses a moment without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be stored")
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """Give the moment of so many microseconds since 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def parse_moment(text: str) -> datetime:
    """Read an RFC 3339 date-time; raises ValueError with a sentence that says what is expected."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("an RFC 3339 date-time such as 2026-11-22T00:00:00Z is expected") from None
    if moment.tzinfo is None:
        raise ValueError("the date-time needs a time zone, such as Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the date-time lies outside the years 1 to 9999") from None
