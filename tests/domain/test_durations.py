"""ISO 8601 durations: what is read, and calendar arithmetic that stays inside the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent_service.domain.durations import Duration

DAY = 86_400
MOMENTS = st.datetimes(timezones=st.just(UTC))
DURATIONS = st.builds(Duration, st.integers(0, 200_000), st.integers(0, 10**11))


@pytest.mark.parametrize(
    ("text", "months", "seconds"),
    [
        ("P6M", 6, 0),
        ("P1Y", 12, 0),
        ("P400D", 0, 400 * DAY),
        ("P2W", 0, 14 * DAY),
        ("PT1S", 0, 1),
        ("PT30M", 0, 1_800),
        ("PT36H", 0, 36 * 3_600),
        ("P1Y2M3DT4H5M6S", 14, 3 * DAY + 4 * 3_600 + 5 * 60 + 6),
    ],
)
def test_what_is_read(text: str, months: int, seconds: int) -> None:
    """Contract §10: ISO 8601 durations, PT1S up; M is months before the T and minutes after it."""
    assert Duration.parse(text) == Duration(months, seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1",
        "6M",
        "P6M ",
        "p6m",
        "-P6M",
        "P-6M",
        "P0.5D",
        "P1DT",
        "P1W1D",
        "P1M1Y",
        "PT1S1M",
        "P٦M",
        "P1YT",
    ],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["P0D", "PT0S", "P0Y0M0DT0H0M0S", "P0W"])
def test_nothing_is_no_duration(text: str) -> None:
    """Contract §10: PT1S up."""
    with pytest.raises(ValueError, match="at least PT1S"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("start", "text", "end"),
    [
        ("2026-11-24T09:00:00", "P6M", "2027-05-24T09:00:00"),
        ("2026-08-31T00:00:00", "P6M", "2027-02-28T00:00:00"),
        ("2027-08-31T00:00:00", "P6M", "2028-02-29T00:00:00"),
        ("2028-02-29T00:00:00", "P1Y", "2029-02-28T00:00:00"),
        ("2026-12-31T23:59:59", "P1M", "2027-01-31T23:59:59"),
        ("2026-11-24T09:00:00", "P1M1D", "2026-12-25T09:00:00"),
        ("2026-11-24T09:00:00", "PT90M", "2026-11-24T10:30:00"),
    ],
)
def test_months_are_calendar_months(start: str, text: str, end: str) -> None:
    """CON-08: six months are six months, at the end of a month its last day."""
    begin, expected = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (start, end))
    assert Duration.parse(text).after(begin) == expected


def test_before_goes_the_other_way() -> None:
    """Retention counts backwards: 24 months before a moment."""
    moment = datetime(2028, 2, 29, tzinfo=UTC)
    assert Duration(months=24).before(moment) == datetime(2026, 2, 28, tzinfo=UTC)
    assert Duration(seconds=1).before(moment) == moment - timedelta(seconds=1)
    assert Duration(months=2).before(moment) == datetime(2027, 12, 29, tzinfo=UTC)


def test_seconds_of_a_month_depend_on_the_month() -> None:
    """TRK-08: whole seconds from the moment it begins."""
    month = Duration(months=1)
    assert month.in_seconds(datetime(2027, 2, 1, tzinfo=UTC)) == 28 * DAY
    assert month.in_seconds(datetime(2026, 12, 1, tzinfo=UTC)) == 31 * DAY


def test_the_ends_of_the_calendar_are_the_ends() -> None:
    """A duration of ten thousand years is no error; what would lie outside is given as the edge."""
    long = Duration.parse("P9999Y")
    last, first = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert (long.after(now), long.before(now)) == (last, first)
    assert (Duration(seconds=10**12).after(now), Duration(seconds=10**12).before(now)) == (last, first)


@given(DURATIONS, MOMENTS)
@example(Duration(0, 1), datetime.max.replace(tzinfo=UTC))
@example(Duration(1, 0), datetime.min.replace(tzinfo=UTC))
def test_later_is_never_earlier(duration: Duration, moment: datetime) -> None:
    """Total: any duration from any moment, forwards and back."""
    assert duration.before(moment) <= moment <= duration.after(moment)
    assert duration.in_seconds(moment) >= 0


@given(DURATIONS.filter(lambda duration: duration != Duration()))
def test_what_is_written_is_read_again(duration: Duration) -> None:
    """The text of a duration is one (months, days and seconds as they are)."""
    bounded = Duration(duration.months % 99_999, duration.seconds % (DAY * 999_999))
    assert bounded == Duration() or Duration.parse(str(bounded)) == bounded


def test_text_is_short() -> None:
    assert [str(Duration.parse(text)) for text in ("P1Y", "P13M", "P400D", "PT1H", "P1M1DT1S")] == [
        *("P12M", "P13M", "P400D", "PT3600S", "P1M1DT1S"),
    ]
