"""The sources' types hold (clients/browser/tsconfig.json): checked where a TypeScript compiler is at hand."""

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2] / "clients" / "browser"


def test_the_sources_are_typed_without_a_fault() -> None:
    """The compiler is no part of the project's dependencies: `npm install --global typescript` brings one."""
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("left out: no TypeScript compiler (`tsc`) on the PATH; nothing that is built or run needs one")
    found = subprocess.run([compiler, "--project", SOURCES], check=False, capture_output=True, text=True, timeout=120)
    assert (found.returncode, found.stdout) == (0, "")
