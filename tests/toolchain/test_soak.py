"""The short form of `make soak`: the mixed load runs, nothing fails, and connections stay as many as they were."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_short_soak_fails_nothing(tmp_path: Path) -> None:
    """D3; whether memory is flat shows in the long form only."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.soak", "6"],
        cwd=ROOT, env={**os.environ, "CONSENT_BENCH_DIR": str(tmp_path)},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert (done.returncode, " 0 failures" in done.stdout) == (0, True), done.stdout + done.stderr
