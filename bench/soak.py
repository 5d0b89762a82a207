"""`make soak`: half of peak load for twenty minutes; memory and connections must stay flat.

The load is what a shop does: mostly decisions, some batches, some writes. The slope is that of a straight line through
the second half of the samples, by least squares: memory that grows for ever shows there, memory that fills up once does
not.
"""

import statistics
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bench import load, requests
from bench.chart import line
from bench.data import FEW, Seeded
from bench.report import DOCS, machine
from bench.servers import DIRECTORY, LOAD_CORE, Postgres, Server, service

SECONDS = 1_200.0
_LONG = 600.0
"""Seconds from which on memory is judged and the report is written; before, it is still filling up."""
_GROWTH = 2.0
"""How many percent memory may grow over the second half of the run."""
Sample = tuple[float, float, int]


def main() -> int:
    """Soak; 1 where memory or connections grow."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    postgres = Postgres()
    try:
        postgres.start()
        seeded = Seeded(f"postgres-{FEW}", postgres.database(f"bench_{FEW}"))
        seeded.grow(FEW, time.monotonic() + 600)
        postgres.pin(LOAD_CORE)
        with service(seeded.url) as server:
            return _soak(server, seeded.ids, seconds)
    finally:
        postgres.stop()


def _soak(server: Server, ids: Path, seconds: float) -> int:
    mixed = _mixed(ids)
    peak = load.run(server.port, mixed, min(5.0, seconds / 10), core=LOAD_CORE).rate
    samples: list[Sample] = []
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(server, samples, ended, max(0.5, seconds / 600)))
    watcher.start()
    found = load.run(server.port, mixed, seconds, core=LOAD_CORE, rate=peak / 2)
    ended.set()
    watcher.join()
    return _report(samples, found, peak, seconds)


def _mixed(ids: Path) -> load.Requests:
    def make() -> Iterator[bytes]:
        reads, writes, batches = requests.decisions(ids)(), requests.writes(ids)(), requests.batches(ids)()
        turn = 0
        while True:
            turn += 1
            yield next(writes) if turn % 50 == 0 else next(batches) if turn % 100 == 1 else next(reads)

    return make


def _watch(server: Server, samples: list[Sample], ended: threading.Event, pause: float) -> None:
    begun = time.monotonic()
    while not ended.wait(pause):
        samples.append(((time.monotonic() - begun) / 60, server.resident() / 1e6, server.connections()))


def _report(samples: list[Sample], found: load.Load, peak: float, seconds: float) -> int:
    settled = samples[len(samples) // 2 :]
    slope = 60 * statistics.linear_regression([s[0] for s in settled], [s[1] for s in settled]).slope
    level = statistics.mean(s[1] for s in settled)
    connections = {s[2] for s in settled}
    # Over a short run the noise of one page looks like a slope; what counts is growth within the time looked at.
    grown = slope * (settled[-1][0] - settled[0][0]) / 60
    flat = (grown < _GROWTH * level / 100 or seconds < _LONG) and max(connections) - min(connections) <= 2  # noqa: PLR2004 - a pool's connection more or less
    text = (
        f"{seconds / 60:.0f} minutes at {peak / 2:,.0f} requests a second (half of peak; "
        f"97 % decisions, 2 % writes, 1 % batches): {found.answers:,} answers, "
        f"{found.failures} failures, p99 {found.percentile(0.99) * 1e3:.1f} ms; "
        f"memory {samples[0][1]:.0f} MB at first, "
        f"{level:.0f} MB in the second half, there {slope:+.1f} MB an hour; "
        f"connections {min(connections)} to {max(connections)}. "
        f"{'Flat.' if flat and not found.failures else 'NOT FLAT.'}"
    )
    print(text)
    if seconds >= _LONG:
        _write(samples, text)
    return 0 if flat and not found.failures else 1


def _write(samples: list[Sample], text: str) -> None:
    drawn = line("Resident memory at half of peak load", [(s[0], s[1]) for s in samples], "MB")
    (DOCS / "soak.svg").write_text(drawn, "utf-8")
    page = DOCS / "performance.md"
    head, rest = page.read_text("utf-8").split("<!-- soak: begin -->")
    tail = rest.split("<!-- soak: end -->")[1]
    here = f"{text} Measured on: {machine()}.\n\n![Resident memory over time](soak.svg)"
    page.write_text(f"{head}<!-- soak: begin -->\n{here}\n<!-- soak: end -->{tail}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
