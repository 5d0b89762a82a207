"""Schemathesis against a served process, with a key of every scope (C1): all checks, all phases, no failure."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.service import BOOTSTRAP

BIN = Path(sys.executable).parent
CONFIG = Path(__file__).with_name("schemathesis.toml")
PLENTY = "1000000"
"""So many requests a minute that no limit is met."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Serve the sample policy from a fresh SQLite file; gives the address."""
    port = free_port()
    settings = {
        "CONSENT_PORT": str(port),
        "CONSENT_BOOTSTRAP_KEY": BOOTSTRAP,
        "CONSENT_VISITOR_WRITES_PER_MINUTE": PLENTY,
        "CONSENT_ADDRESS_WRITES_PER_MINUTE": PLENTY,
        "CONSENT_ADDRESS_READS_PER_MINUTE": PLENTY,
    }
    with (tmp_path / "log").open("w") as log:
        command = [str(BIN / "consent-service"), "serve"]
        process = subprocess.Popen(command, cwd=tmp_path, env=os.environ | settings, stderr=log)
        try:
            yield _ready(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _ready(address: str, process: "subprocess.Popen[bytes]") -> str:
    for _ in range(600):
        try:
            if httpx.get(f"{address}/readyz", trust_env=False).is_success:
                return address
        except httpx.TransportError:
            assert process.poll() is None, "the service has ended"
        time.sleep(0.1)
    raise TimeoutError("the service does not get ready")


@pytest.mark.slow
def test_whatever_fits_the_document_is_answered_as_the_document_says(address: str, tmp_path: Path) -> None:
    """C1: and what does not fit is refused, without a key nothing is served, and nothing answers with 500."""
    command = [
        str(BIN / "schemathesis"), "--config-file", str(CONFIG), "run", f"{address}/openapi.json",
        "--header", f"Authorization: Bearer {BOOTSTRAP}",
        "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful",
        "--max-examples", "20", "--generation-deterministic", "--continue-on-failure", "--no-color",
    ]  # fmt: skip
    run = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=900)

    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
    assert '"status": 500' not in (tmp_path / "log").read_text("utf-8")
