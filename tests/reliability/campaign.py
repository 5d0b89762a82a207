"""How long a campaign is, and how it says what it found: figures beside the name of the machine.

In CI each runs in its short form; `CONSENT_CAMPAIGN=long` (what the make targets set) asks for the number that
docs/reliability.md states, `CONSENT_TIMES` for another one. Times are bars of the long form only: a busy test machine
must not fail a change.
"""

import os
import platform
from pathlib import Path

LONG = os.environ.get("CONSENT_CAMPAIGN") == "long"


def times(short: int, full: int) -> int:
    """Give how often to do it."""
    return int(os.environ.get("CONSENT_TIMES") or (full if LONG else short))


def seconds_allowed(bar: float) -> float:
    """Give the bar in the long form, and one that nothing reaches in the short one."""
    return bar if LONG else 3600.0


def figures(bar: str, subject: str, **found: object) -> None:
    """Print what was found."""
    listed = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items())
    print(f"\n{bar} {subject}: {listed}  [{machine()}]")


def machine() -> str:
    """Name the machine: processor, cores, memory, kernel and Python."""
    words = Path("/proc/cpuinfo").read_text("utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = next((line.partition(":")[2].strip() for line in words.splitlines() if "model name" in line), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{model or platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )
