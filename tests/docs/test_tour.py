"""The tour in docs/tour.md, walked against a service that really listens."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.curl import missing, parse, steps
from tests.support.ports import free_port

TOUR = Path(__file__).parents[2] / "docs" / "tour.md"
SERVICE = Path(sys.executable).with_name("consent-service")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Start the service as `make run` does; gives the variables that the page asks the reader to set."""
    port, key = free_port(), f"cs_admin_{secrets.token_urlsafe(32)}"
    environment = {
        **os.environ,
        "CONSENT_BOOTSTRAP_KEY": key,
        "CONSENT_DATABASE_URL": f"sqlite:///{tmp_path / 'consent.db'}",
        "CONSENT_KEYS_DIR": str(tmp_path / "keys"),
        "CONSENT_PORT": str(port),
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([SERVICE, "serve"], env=environment, stderr=output)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", log)
            yield {"SERVICE": f"http://127.0.0.1:{port}", "KEY": key}
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def wait_until_ready(address: str, log: Path) -> None:
    """Wait for a service that has just been started."""
    for _ in range(150):
        try:
            if httpx.get(f"{address}/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"the service did not start: {log.read_text()}")


def walk(variables: dict[str, str]) -> list[str]:
    """Send every request of the tour in order; gives what did not come out as the page says."""
    differences: list[str] = []
    with httpx.Client() as client:
        for command, answer in steps(TOUR):
            curl = parse(command, variables)
            response = client.request(curl.method, curl.url, headers=curl.headers, content=curl.body)
            found = response.json()
            if "VISITOR" not in variables:
                variables["VISITOR"] = found["visitor_id"]
            differences += [f"{curl.method} {curl.url}{text}" for text in missing(json.loads(answer), found)]
    return differences


def test_every_answer_of_the_tour_is_as_the_page_says(service: dict[str, str]) -> None:
    assert walk(service) == []


def test_the_tour_has_all_its_steps() -> None:
    assert len(steps(TOUR)) == 15


def test_a_wrong_answer_on_the_page_would_be_found() -> None:
    assert missing({"a": [{"b": 1}]}, {"a": [{"b": 2, "c": 3}]}) == ["/a/0/b: 2 where the page says 1"]
