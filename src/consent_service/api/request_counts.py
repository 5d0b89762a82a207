"""How many requests came and how long they took, by the route's template, so that there are only so many names."""

from consent_service.measures import SECONDS, Count, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
OTHER = "other"

RequestKey = tuple[str, str, int]
"""Route, method, status."""


class RequestCounts:
    """The counts of one process since it started."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.counts: dict[RequestKey, Count] = {}
        self.seconds: dict[str, Histogram] = {}

    def counter(self, route: str, method: str, status: int) -> Count:
        """Give the counter of one kind of answer; a method that is no usual one is counted as another."""
        return self.counts.setdefault((route, method if method in METHODS else OTHER, status), Count())

    def took(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer and its time, from the request's head to the end of the answer."""
        self.counter(route, method, status).times += 1
        histogram = self.seconds.get(route)
        if histogram is None:
            histogram = self.seconds[route] = Histogram(SECONDS)
        histogram.observe(seconds)
