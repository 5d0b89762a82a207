"""The counters that reports are made of."""

from dataclasses import dataclass
from typing import Literal, Protocol

from consent_service.domain.counts import Counts


@dataclass(frozen=True, slots=True)
class CountQuery:
    """Which of a site's counters to sum, and by what; days are numbered from 1970 and both included."""

    site: str
    channel: str
    first_day: int
    last_day: int
    group_by: Literal["day", "policy_version", "region"]


@dataclass(frozen=True, slots=True)
class CountGroup:
    """The figures of one group; its name is a day's number, a policy version or a region."""

    group: int | str
    counts: Counts


class ReportCounts(Protocol):
    """The counters that reports are made of; only the change writer adds to them."""

    async def sums(self, query: CountQuery) -> list[CountGroup]:
        """Sum the figures of a range of days for each group, in the groups' order; reads no events."""
