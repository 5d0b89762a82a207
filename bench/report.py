"""Writes docs/performance.md and its charts from what was measured."""

import json
import platform
import re
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.chart import Bar, bars
from bench.servers import ROOT

DOCS = ROOT / "docs"
GOALS: dict[str, tuple[str, str, str]] = {
    "P1": ("decisions on PostgreSQL ÷ bare uvicorn", "0.40", "0.60"),
    "P2": ("decisions on SQLite ÷ bare uvicorn", "0.40", "0.65"),
    "P3": ("decisions at the most visitors ÷ at 10,000", "0.85", "0.95"),
    "P4": ("durable writes on PostgreSQL ÷ bare uvicorn POST", "0.12", "0.25"),
    "P5": ("p99 of a decision at half of peak load", "5 ms", "2 ms"),
    "P6": ("tracker answers in calls of 100 ÷ bare uvicorn requests", "3", "10"),
    "P7": (
        "SDK: decisions from a signed state, verified before / with verification",
        "200,000/s; 5,000/s",
        "1,000,000/s; 7,000/s",
    ),
    "P8": ("start to first answer; resident memory after many requests", "2 s; 150 MB", "1 s; 90 MB"),
    "P9": ("disk for a visitor with three events", "2.0 KB", "1.0 KB"),
    "P10": ("banner script, minified and gzipped", "12 KB", "8 KB"),
}
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


def machine() -> str:
    """Name the machine: processor, cores, memory, versions; never a path or a host."""
    cpu = re.search(r"model name\s*: (.+)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s*(\d+)", _read("/proc/meminfo"))
    cores = len(re.findall(r"^processor", _read("/proc/cpuinfo"), re.MULTILINE))
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("uvicorn", "uvloop", "httptools", "fastapi", "sqlalchemy", "asyncpg")
    )
    return (
        f"{cpu[1] if cpu else platform.machine()}, {cores} cores, {int(memory[1]) // 1_048_576 if memory else '?'} GB, "
        f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {versions}"
    )


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""


def write(results: dict[str, Any]) -> None:
    """Put the results between the marks of docs/performance.md, the charts beside it, and the figures into a file."""
    results |= {"machine": machine(), "day": datetime.now(UTC).date().isoformat()}
    (DOCS / "performance.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    (DOCS / "performance.svg").write_text(_chart(results), "utf-8")
    page = DOCS / "performance.md"
    text = page.read_text("utf-8")
    head, tail = text.split(_BEGIN)[0], text.split(_END)[1]
    page.write_text(f"{head}{_BEGIN}\n{_table(results)}\n{_END}{tail}", "utf-8")
    print(_table(results))


def _table(results: dict[str, Any]) -> str:
    lines = [
        f"Measured on {results['day']} by `make {results['command']}`: {results['machine']}.",
        "",
        "| | what | at least | goal | measured |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {what} | {least} | {goal} | {results['figures'].get(name, 'not measured')} |"
        for name, (what, least, goal) in GOALS.items()
    ]
    lines += ["", "![Requests a second on one core](performance.svg)", ""]
    lines += ["| median of interleaved runs | a second | ÷ bare uvicorn | µs of processor a request | generator busy |"]
    lines += ["|---|---|---|---|---|"]
    lines += [
        f"| {row['name']} | {row['rate']:,.0f} | {row['ratio']:.3f} | {row['cpu']:,.1f} | {row['busy']:.0%} |"
        for row in results["rates"]
    ]
    lines += ["", *(f"- {note}" for note in results["notes"])]
    return "\n".join(lines)


def _chart(results: dict[str, Any]) -> str:
    rows = [Bar(row["name"], row["rate"], row["kind"]) for row in results["rates"]]
    return bars("Requests a second on one core (a batch counts its 100 answers)", rows)
