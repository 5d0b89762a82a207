"""Plain numbers that the busy places keep about themselves; `/metrics` reads them when it is asked.

Nothing here knows a metrics system: an observation is one addition, so that it costs a hot path nothing.
"""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts how many observations fell below each bound, and their sum."""

    __slots__ = ("bounds", "numbers", "whole")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Take the upper bounds, in order; what lies above the last is counted too."""
        self.bounds = tuple(bounds)
        self.numbers = [0] * (len(self.bounds) + 1)
        self.whole = 0.0

    def observe(self, value: float) -> None:
        """Count one observation."""
        self.numbers[bisect_left(self.bounds, value)] += 1
        self.whole += value


SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Count:
    """How often something happened."""

    __slots__ = ("times",)

    def __init__(self) -> None:
        """Begin at none."""
        self.times = 0
