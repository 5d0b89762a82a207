"""How long a tracker stays, read from what cookie lists say in free text."""

import pytest

from consent_service.service.cookie_lists.retention import parse_retention


@pytest.mark.parametrize(
    ("text", "duration", "sure"),
    [
        ("2 years", "P2Y", True),
        ("13 Months", "P13M", True),
        ("3 weeks", "P3W", True),
        ("365 days ", "P365D", True),
        ("24 hours", "PT24H", True),
        ("30 mins", "PT30M", True),
        ("90 sec", "PT90S", True),
        ("one year", "P1Y", True),
        ("2 years after last activity", "P2Y", True),
        ("10 years from set/ update", "P10Y", True),
        ("Session", "session", True),
        ("Seesion", "session", True),
        ("End of session (browser)", "session", True),
        ("Session to 30 days", "P30D", False),
        ("30 minutes, 3w or 1y depending on value", "P1Y", False),
        ("6 months by default, modifiable", "P6M", False),
        ("forever", "P400D", False),
        ("1.5 years", "session", False),
        ("0 days", "session", False),
        ("999999999 years", "session", False),
        ("10 Nov 2030", "session", False),
        ("Varies", "session", False),
        ("", "session", False),
    ],
)
def test_a_lifetime_is_read_or_a_person_is_asked(text: str, duration: str, sure: bool) -> None:
    found = parse_retention(text)
    assert (found.duration, not found.doubt) == (duration, sure)
