"""`make run`: it says where everything is, ends everything it started, and has one clear line for a taken port."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from scripts import run_demo
from tests.storefront.demo import LINES, PROGRAM, Demo, said_by, variables_of

PORTS = ("CONSENT_PORT", "SHOP_PORT", "THIRD_PARTY_PORT")


def test_it_prints_one_line_for_each_thing_and_the_first_decision_works(demo: Demo) -> None:
    """Contract §9."""
    assert tuple(demo.said) == LINES
    assert demo.said["docs"] == f"{demo.service}/docs"
    assert demo.said["dashboard"] == f"{demo.service}/ops"
    [address] = re.findall(r"'(http[^']+)'", demo.said["decision"])
    answer = httpx.get(address, headers={"Authorization": f"Bearer {demo.said['key']}"})
    assert answer.json()["categories"]["advertising"] == {"allow": False, "reason": "no_record"}


@pytest.mark.parametrize("taken", PORTS)
def test_a_taken_port_is_told_in_one_line_before_anything_is_started(tmp_path: Path, taken: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        variables = variables_of(tmp_path) | {taken: str(listener.getsockname()[1])}
        ran = subprocess.run(
            PROGRAM, env={**os.environ, **variables}, capture_output=True, text=True, check=False, timeout=60
        )
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr == f"port {variables[taken]} is taken or not to be had: set {taken} to another\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_that_was_started(tmp_path: Path, number: signal.Signals) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            PROGRAM, env={**os.environ, **variables_of(tmp_path)}, stdout=subprocess.PIPE, stderr=output, text=True
        )
        said_by(demo, log)
        children = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(number)
        demo.communicate(timeout=60)
    assert len(children) >= 3
    assert [child for child in children if child.is_running()] == []
    assert "Traceback" not in log.read_text("utf-8", "replace")


def test_the_shops_key_is_made_once_and_anew_for_another_database(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_demo, "VAR", tmp_path)
    monkeypatch.setattr(run_demo, "KEYS", tmp_path / "keys.json")
    first = run_demo.shop_key(demo.service, {"every scope": demo.said["key"]})
    kept = run_demo.demo_keys()
    assert kept["shop"] == first
    assert run_demo.shop_key(demo.service, {**kept, "every scope": demo.said["key"]}) == first
    assert run_demo.shop_key(demo.service, {"every scope": demo.said["key"], "shop": "cs_manage_of_another"}) != first
