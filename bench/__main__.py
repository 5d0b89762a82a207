"""`make bench` and `make bench-full`: P1 to P10 of the quality bars, each beside bare uvicorn in the same minutes.

Every server runs on one core, the load comes from the other, and rounds are interleaved: bare, ours, ordinary, bare,
ours … so that what disturbs one disturbs all. Figures are medians.
"""

import gzip
import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from bench import evidence, load, report, requests, sdk
from bench.data import FEW, Seeded, fill_ordinary
from bench.huge_pages import huge_pages
from bench.series import Series, percentile, ratio
from bench.servers import (
    BUFFERS_GB,
    DIRECTORY,
    LOAD_CORE,
    ROOT,
    SERVER_CORE,
    Postgres,
    hello,
    ordinary,
    service,
)

_ANSWERS_OF_A_BATCH = 100


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    command: str
    visitors: tuple[int, ...]
    """How many visitors there are, on either database; the last is the most."""
    ordinary: int
    rounds: int
    seconds: float
    paced: float
    requests: int
    budget: float
    """Seconds in which seeding must end."""


SHORT = Scale("bench", (50_000,), 20_000, 3, 2.5, 8.0, 100_000, 120)
FULL = Scale("bench-full", (1_000_000, 10_000_000), 1_000_000, 3, 5.0, 30.0, 1_000_000, 75 * 60)


def main() -> None:
    """Measure and write the report."""
    scale = FULL if "--full" in sys.argv[1:] else SHORT
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with ExitStack() as stack:
        huge = stack.enter_context(huge_pages(BUFFERS_GB << 30))
        postgres = Postgres()
        stack.callback(postgres.stop)
        postgres.start()
        few = Seeded(f"postgres-{FEW}", postgres.database(f"bench_{FEW}"))
        lites = [Seeded(f"sqlite-{count}", f"sqlite:///{DIRECTORY / f'bench-{count}.db'}") for count in scale.visitors]
        larges = [Seeded(f"postgres-{count}", postgres.database(f"bench_{count}")) for count in scale.visitors]
        few.grow(FEW, begun + scale.budget)
        for count, lite, large in zip(scale.visitors, lites, larges, strict=True):
            lite.grow(count, begun + scale.budget)
            large.grow(count, begun + scale.budget)
        for seeded in (few, *lites, *larges):
            seeded.warm()
        postgres.pin(LOAD_CORE)
        results = measure(stack, scale, postgres, few, larges, lites)
    results["notes"].insert(1, buffers(huge))
    results["notes"].append(f"The whole run took {(time.monotonic() - begun) / 60:.0f} minutes, seeding included.")
    report.write(results)


def measure(
    stack: ExitStack, scale: Scale, postgres: Postgres, few: Seeded, larges: list[Seeded], lites: list[Seeded]
) -> dict[str, Any]:
    """Start everything, run the rounds, and gather the figures."""
    large, lite = larges[-1], lites[-1]
    start_seconds = [first_answer(large) for _ in range(3)]
    bare_server = stack.enter_context(hello())
    ordinary_server = stack.enter_context(ordinary(postgres.database("ordinary")))
    known = requests.sample(large.ids, scale.ordinary)
    fill_ordinary(postgres.database("ordinary"), known)
    ordinary_ids = DIRECTORY / "ordinary.ids"
    ordinary_ids.write_text("".join(f"{visitor}\n" for visitor in known), "ascii")

    bare = Series("bare uvicorn, GET", "bare", bare_server, requests.hello())
    bare_post = Series("bare uvicorn, POST", "bare", bare_server, requests.hello_post())
    on_postgres = [_decisions(stack, "PostgreSQL", seeded) for seeded in larges]
    on_sqlite = [_decisions(stack, "SQLite", seeded) for seeded in lites]
    reads, reads_few, server = on_postgres[-1], _decisions(stack, "PostgreSQL", few), on_postgres[-1].server
    calls = Series(
        "tracker answers in calls of 100, PostgreSQL", "ours", server, requests.batches(large.ids), _ANSWERS_OF_A_BATCH
    )
    writes = Series("durable write, PostgreSQL", "ours", server, requests.writes(large.ids))
    lite_writes = Series("durable write, SQLite", "ours", on_sqlite[-1].server, requests.writes(lite.ids))
    usual = Series("decision, ordinary way, PostgreSQL", "ordinary", ordinary_server, requests.decisions(ordinary_ids))
    usual_writes = Series("write, ordinary way, PostgreSQL", "ordinary", ordinary_server, requests.writes(ordinary_ids))
    gets = [bare, *on_postgres, *on_sqlite, reads_few, calls, usual]
    posts = [bare_post, writes, lite_writes, usual_writes]
    postgres.pin(LOAD_CORE)
    for series in posts:  # uncounted: what is remembered of the rules fills with the first ten thousand writes
        load.run(series.server.port, series.requests, scale.seconds, core=LOAD_CORE)
    for number in range(scale.rounds):
        print(f"round {number + 1} of {scale.rounds}", flush=True)
        for series in (*gets, *posts):
            series.run(scale.seconds)

    postgres.checkpoint(large.url)
    paced, bare_paced = [], []
    for _ in range(scale.rounds):
        for series, runs in ((reads, paced), (bare, bare_paced)):
            seconds = scale.paced / scale.rounds
            runs.append(load.run(series.server.port, series.requests, seconds, core=LOAD_CORE, rate=reads.rate / 2))
    shared = Series("many visitors, all on one core", "ours", server, requests.decisions(large.ids))
    shared_few = Series("few visitors, all on one core", "ours", reads_few.server, requests.decisions(few.ids))
    postgres.pin(SERVER_CORE)
    # Many short runs: the two differ by less than a machine does from one second to another.
    for _ in range(3 * scale.rounds):
        shared.run(scale.seconds / 2)
        shared_few.run(scale.seconds / 2)
    postgres.pin(LOAD_CORE)
    served = sum(run.answers for runs in (reads.runs, calls.runs, writes.runs, paced) for run in runs)
    if served < scale.requests:
        seconds = (scale.requests - served) / reads.rate
        served += load.run(server.port, requests.decisions(large.ids), seconds, core=LOAD_CORE).answers
    resident = server.resident()
    proofs = [
        evidence.note("PostgreSQL", server.port, large.ids),
        evidence.note("SQLite", on_sqlite[-1].server.port, lite.ids),
    ]
    workers = two_workers(scale, large)
    verified, verifying = sdk.rates(server.port)
    figures = {
        "P1": _beside_bare(on_postgres, larges, bare),
        "P2": _beside_bare(on_sqlite, lites, bare),
        "P3": f"**{ratio(shared, shared_few):.2f}** at {large.count:,} visitors",
        "P4": f"**{ratio(writes, bare_post):.3f}**",
        "P5": f"**{percentile(paced, 0.99):.1f} ms** at {reads.rate / 2:,.0f}/s",
        "P6": f"**{ratio(calls, bare):.1f}**",
        "P7": f"**{verified:,.0f}/s; {verifying:,.0f}/s**",
        "P8": f"**{statistics.median(start_seconds):.1f} s; {resident / 1e6:.0f} MB** after {served:,} requests",
        "P9": f"**{large.notes['bytes'] / 1e3:.2f} KB** PostgreSQL, **{lite.notes['bytes'] / 1e3:.2f} KB** SQLite",
        "P10": banner(),
    }
    bare_tail = (
        f"Bare uvicorn at the same rate: median {percentile(bare_paced, 0.5):.1f} ms, "
        f"p99 {percentile(bare_paced, 0.99):.1f} ms."
    )
    notes = [
        "One core serves, the load comes from the other by `bench/load.py`: 32 kept connections, random visitors.",
        "Before the first round each kind of write ran once, uncounted, as long as a round.",
        f"P3 with service and database on one core: {shared.rate:,.0f} decisions/s beside {shared_few.rate:,.0f}.",
        f"Where the database fills the load's core together with the generator, P3 is {ratio(reads, reads_few):.2f}.",
        f"At half of peak load the median decision takes {percentile(paced, 0.5):.1f} ms. {bare_tail}",
        f"Two workers on both cores, load and database beside them, answer {workers:.2f} times as much as one.",
        f"Beside `bench/ordinary.py`, which keeps no log: decisions {ratio(reads, usual):.0f} times as many.",
        f"Writes beside the same: {ratio(writes, usual_writes):.1f} times as many.",
        *proofs,
        f"Seeding: {large.notes['rate']:,.0f} visitors a second on PostgreSQL, {lite.notes['rate']:,.0f} on SQLite.",
    ]
    if min(large.count, lite.count) < scale.visitors[-1]:
        notes.append("Fewer visitors than meant: the time for seeding was up. Running it again goes on from there.")
    rows = [series.row(bare) for series in gets] + [series.row(bare_post) for series in posts]
    return {"command": scale.command, "figures": figures, "rates": rows, "notes": notes}


def _decisions(stack: ExitStack, database: str, seeded: Seeded) -> Series:
    """Start the service on a database; its decisions are what is measured."""
    server = stack.enter_context(service(seeded.url))
    return Series(f"decision, {database}, {seeded.count:,} visitors", "ours", server, requests.decisions(seeded.ids))


def _beside_bare(measured: list[Series], databases: list[Seeded], bare: Series) -> str:
    pairs = zip(measured, databases, strict=True)
    return ", ".join(f"**{ratio(series, bare):.2f}** at {seeded.count:,} visitors" for series, seeded in pairs)


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


def buffers(huge: bool) -> str:
    """Say how PostgreSQL keeps pages in memory."""
    pages = "huge pages" if huge else "ordinary pages (huge ones take root)"
    return f"PostgreSQL has {BUFFERS_GB} GB of buffers in {pages} and runs on the load's core, but for P3."


def banner() -> str:
    """Give the size of the banner's script; how long it blocks is measured in a browser (tests/browser)."""
    script = ROOT / "src" / "consent_service" / "web" / "choices.js"
    if not script.exists():
        return "not measured: no built banner in this tree"
    return f"**{len(gzip.compress(script.read_bytes(), 9)) / 1e3:.1f} KB**; blocking time by `make banner-figures`"


if __name__ == "__main__":
    main()
