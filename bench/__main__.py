"""`make bench` and `make bench-full`: P1 to P10 of the quality bars, each beside bare uvicorn in the same minutes.

Every server runs on one core, the load comes from the other, and rounds are interleaved: bare, ours, ordinary, bare,
ours … so that what disturbs one disturbs all. Figures are medians.
"""

import gzip
import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bench import evidence, load, report, requests, sdk
from bench.data import Seeded, fill_ordinary
from bench.load import Load, Requests
from bench.servers import (
    BUFFERS_GB,
    DIRECTORY,
    LOAD_CORE,
    ROOT,
    SERVER_CORE,
    Postgres,
    Server,
    hello,
    ordinary,
    service,
)

_ANSWERS_OF_A_BATCH = 100


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    command: str
    postgres: int
    sqlite: int
    ordinary: int
    rounds: int
    seconds: float
    paced: float
    requests: int
    budget: float
    """Seconds in which seeding must end."""


SHORT = Scale("bench", 50_000, 50_000, 20_000, 3, 2.5, 8.0, 100_000, 120)
FULL = Scale("bench-full", 10_000_000, 10_000_000, 1_000_000, 3, 5.0, 30.0, 1_000_000, 75 * 60)


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


def main() -> None:
    """Measure and write the report."""
    scale = FULL if "--full" in sys.argv[1:] else SHORT
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with ExitStack() as stack:
        postgres = Postgres()
        stack.callback(postgres.stop)
        postgres.start()
        suffix = "-full" if scale is FULL else ""
        small = Seeded("small", postgres.database("bench_small"))
        large = Seeded("postgres" + suffix, postgres.database("bench" + suffix.replace("-", "_")))
        lite = Seeded("sqlite" + suffix, f"sqlite:///{DIRECTORY / f'bench{suffix}.db'}")
        small.grow(10_000, begun + scale.budget)
        lite.grow(scale.sqlite, begun + scale.budget)
        large.grow(scale.postgres, begun + scale.budget)
        for seeded in (small, lite, large):
            seeded.warm()
        postgres.pin(LOAD_CORE)
        results = measure(stack, scale, postgres, small, large, lite)
    results["notes"].append(f"The whole run took {(time.monotonic() - begun) / 60:.0f} minutes, seeding included.")
    report.write(results)


def measure(
    stack: ExitStack, scale: Scale, postgres: Postgres, small: Seeded, large: Seeded, lite: Seeded
) -> dict[str, Any]:
    """Start everything, run the rounds, and gather the figures."""
    start_seconds = [first_answer(large) for _ in range(3)]
    bare_server = stack.enter_context(hello())
    on_postgres = stack.enter_context(service(large.url))
    on_small = stack.enter_context(service(small.url))
    on_sqlite = stack.enter_context(service(lite.url))
    ordinary_server = stack.enter_context(ordinary(postgres.database("ordinary")))
    known = requests.sample(large.ids, scale.ordinary)
    fill_ordinary(postgres.database("ordinary"), known)
    ordinary_ids = DIRECTORY / "ordinary.ids"
    ordinary_ids.write_text("".join(f"{visitor}\n" for visitor in known), "ascii")
    postgres.pin(LOAD_CORE)

    bare = Series("bare uvicorn, GET", "bare", bare_server, requests.hello())
    bare_post = Series("bare uvicorn, POST", "bare", bare_server, requests.hello_post())
    reads = Series(
        f"decision, PostgreSQL, {large.count:,} visitors", "ours", on_postgres, requests.decisions(large.ids)
    )
    few = Series(f"decision, PostgreSQL, {small.count:,} visitors", "ours", on_small, requests.decisions(small.ids))
    lites = Series(f"decision, SQLite, {lite.count:,} visitors", "ours", on_sqlite, requests.decisions(lite.ids))
    calls = Series(
        "tracker answers in calls of 100, PostgreSQL",
        "ours",
        on_postgres,
        requests.batches(large.ids),
        _ANSWERS_OF_A_BATCH,
    )
    writes = Series("durable write, PostgreSQL", "ours", on_postgres, requests.writes(large.ids))
    usual = Series("decision, ordinary way, PostgreSQL", "ordinary", ordinary_server, requests.decisions(ordinary_ids))
    usual_writes = Series("write, ordinary way, PostgreSQL", "ordinary", ordinary_server, requests.writes(ordinary_ids))
    lite_writes = Series("durable write, SQLite", "ours", on_sqlite, requests.writes(lite.ids))
    everything = [bare, reads, lites, few, calls, usual, bare_post, writes, lite_writes, usual_writes]
    posts = {bare_post, writes, lite_writes, usual_writes}
    for number in range(scale.rounds):
        print(f"round {number + 1} of {scale.rounds}", flush=True)
        for series in everything:
            series.run(scale.seconds)

    postgres.checkpoint(large.url)
    paced = load.run(on_postgres.port, requests.decisions(large.ids), scale.paced, core=LOAD_CORE, rate=reads.rate / 2)
    shared = Series("many visitors, all on one core", "ours", on_postgres, requests.decisions(large.ids))
    shared_few = Series("few visitors, all on one core", "ours", on_small, requests.decisions(small.ids))
    postgres.pin(SERVER_CORE)
    for _ in range(scale.rounds):
        shared.run(scale.seconds)
        shared_few.run(scale.seconds)
    postgres.pin(LOAD_CORE)
    served = sum(run.answers for series in (reads, calls, writes) for run in series.runs) + paced.answers
    if served < scale.requests:
        rest = load.run(
            on_postgres.port, requests.decisions(large.ids), (scale.requests - served) / reads.rate, core=LOAD_CORE
        )
        served += rest.answers
    resident = on_postgres.resident()
    proofs = [
        evidence.note("PostgreSQL", on_postgres.port, large.ids),
        evidence.note("SQLite", on_sqlite.port, lite.ids),
    ]
    workers = two_workers(scale, large)
    verified, verifying = sdk.rates(on_postgres.port)
    figures = {
        "P1": f"**{ratio(reads, bare):.2f}** at {large.count:,} visitors",
        "P2": f"**{ratio(lites, bare):.2f}** at {lite.count:,} visitors",
        "P3": f"**{ratio(shared, shared_few):.2f}** at {large.count:,} visitors",
        "P4": f"**{ratio(writes, bare_post):.3f}**",
        "P5": f"**{paced.percentile(0.99) * 1e3:.1f} ms** at {reads.rate / 2:,.0f}/s",
        "P6": f"**{ratio(calls, bare):.1f}**",
        "P7": f"**{verified:,.0f}/s; {verifying:,.0f}/s**",
        "P8": f"**{statistics.median(start_seconds):.1f} s; {resident / 1e6:.0f} MB** after {served:,} requests",
        "P9": f"**{large.notes['bytes'] / 1e3:.2f} KB** PostgreSQL, **{lite.notes['bytes'] / 1e3:.2f} KB** SQLite",
        "P10": banner(),
    }
    notes = [
        "One core serves, the load comes from the other by `bench/load.py`: 32 kept connections, random visitors.",
        f"PostgreSQL has {BUFFERS_GB} GB of buffers and runs on the load's core, but for P3.",
        f"P3 with service and database on one core: {shared.rate:,.0f} decisions/s beside {shared_few.rate:,.0f}.",
        f"Where the database fills the load's core together with the generator, P3 is {ratio(reads, few):.2f}.",
        f"Two workers on both cores, load and database beside them, answer {workers:.2f} times as much as one.",
        f"Beside `bench/ordinary.py`, which keeps no log: decisions {ratio(reads, usual):.0f} times as many.",
        f"Writes beside the same: {ratio(writes, usual_writes):.1f} times as many.",
        *proofs,
        f"Seeding: {large.notes['rate']:,.0f} visitors a second on PostgreSQL, {lite.notes['rate']:,.0f} on SQLite.",
    ]
    if large.count < scale.postgres or lite.count < scale.sqlite:
        notes.append("Fewer visitors than meant: the time for seeding was up. Running it again goes on from there.")
    rows = [series.row(bare_post if series in posts else bare) for series in everything]
    return {"command": scale.command, "figures": figures, "rates": rows, "notes": notes}


def first_answer(seeded: Seeded) -> float:
    """Give the seconds from starting the process to its first decision."""
    begun = time.perf_counter()
    with service(seeded.url) as server:
        load.run(server.port, requests.decisions(seeded.ids), 0.01, core=LOAD_CORE, connections=1)
        return time.perf_counter() - begun - 0.0115


def two_workers(scale: Scale, seeded: Seeded) -> float:
    """Give the throughput of two workers by that of one, both free to use every core."""
    rates = []
    for workers in (1, 2):
        with service(seeded.url, workers=workers, cores=tuple(sorted({SERVER_CORE, LOAD_CORE}))) as server:
            rates.append(load.run(server.port, requests.decisions(seeded.ids), scale.seconds, core=LOAD_CORE).rate)
    return rates[1] / rates[0]


def banner() -> str:
    """Give the size of the banner's script; how long it blocks is measured in a browser (tests/browser)."""
    script = ROOT / "src" / "consent_service" / "web" / "choices.js"
    if not script.exists():
        return "not measured: no built banner in this tree"
    return f"**{len(gzip.compress(script.read_bytes(), 9)) / 1e3:.1f} KB**; blocking time by `make banner-figures`"


if __name__ == "__main__":
    main()
