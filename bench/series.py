"""Runs of one thing, interleaved with those of others, and the ratio of two such series."""

import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from bench import load
from bench.load import Load, Requests
from bench.servers import LOAD_CORE, Server


@dataclass(eq=False)
class Series:
    """The runs of one thing."""

    name: str
    kind: str
    server: Server
    requests: Requests
    per_call: int = 1
    runs: list[Load] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def run(self, seconds: float) -> None:
        """Measure once more."""
        before, begun = self.server.cpu_seconds(), time.perf_counter()
        found = load.run(self.server.port, self.requests, seconds, core=LOAD_CORE)
        share = found.seconds / (time.perf_counter() - begun)
        self.runs.append(found)
        used = (self.server.cpu_seconds() - before) * min(1.0, share * 1.1)
        self.cpu.append(1e6 * used / max(1, found.answers))
        print(f"  {self.name:46s} {found.rate * self.per_call:10,.0f}/s  {self.cpu[-1]:8.1f} µs", flush=True)

    @property
    def rate(self) -> float:
        """Give the median rate."""
        return statistics.median(run.rate for run in self.runs) * self.per_call

    def row(self, bare: "Series") -> dict[str, Any]:
        """Give the series as a row of the report."""
        if any(run.failures for run in self.runs):
            sys.exit(
                f"{self.name}: {sum(run.failures for run in self.runs)} answers were failures; nothing is reported"
            )
        busy = statistics.median(run.busy for run in self.runs)
        return {
            "name": self.name, "kind": self.kind, "rate": self.rate, "ratio": ratio(self, bare),
            "cpu": statistics.median(self.cpu), "busy": busy,
        }  # fmt: skip


def ratio(one: Series, other: Series) -> float:
    """Give the median of the rounds' ratios: what stood beside it in time is what counts."""
    pairs = zip(one.runs, other.runs, strict=True)
    return statistics.median(a.rate * one.per_call / b.rate / other.per_call for a, b in pairs)


def percentile(runs: list[Load], share: float) -> float:
    """Give how many milliseconds such a share of the answers takes at most: the median of the runs."""
    return 1e3 * statistics.median(run.percentile(share) for run in runs)
