"""The auditor's walk in docs/evidence.md, against a service that really listens, with the auditor's own program."""

import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import httpx
import pytest

from tests.campaigns.evidence_erasure import REWRITE
from tests.docs.curl import missing, parse
from tests.docs.test_tour import SERVICE, wait_until_ready
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "evidence.md"
PROGRAM = ROOT / "clients" / "auditor" / "verify_consent_evidence.py"
_STEP = re.compile(r"```bash\n(?P<command>.*?)\n```(?:\n\n```(?P<kind>json|text)\n(?P<answer>.*?)\n```)?", re.DOTALL)


@dataclass
class Auditor:
    """Somebody with a folder, a terminal, and what the page told them to write down."""

    folder: Path
    environment: dict[str, str]
    known: dict[str, str] = field(default_factory=dict)

    def follow(self, command: str) -> str:
        """Do what the page says; gives what came out."""
        told, _, file = command.partition(" > ")
        said = self._ask(told) if told.startswith("curl ") else self._run(told)
        if file:
            (self.folder / file).write_text(said, "utf-8")
        return said

    def _ask(self, command: str) -> str:
        curl = parse(command, self.known)
        answer = httpx.request(curl.method, curl.url, headers=curl.headers, content=curl.body)
        assert answer.is_success, f"{command}: {answer.text}"
        return answer.text

    def _run(self, command: str) -> str:
        words = shlex.split(Template(command).safe_substitute(self.known))
        program = {"python": sys.executable, "consent-service": str(SERVICE)}.get(words[0], words[0])
        done = subprocess.run(
            [program, *words[1:]], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def compare(self, kind: str, answer: str, said: str) -> list[str]:
        """Hold what came out against the page, and write down what the page gives a name."""
        told = Template(answer).safe_substitute(self.known)
        if kind == "json":
            expected, found = json.loads(told), json.loads(said)
            self._write_down(expected, found)
            return missing(expected, found)
        pattern = ".*".join(map(re.escape, told.split("…")))
        return [] if re.fullmatch(pattern, said.strip()) else [f"{said.strip()!r} where the page says {told!r}"]

    def _write_down(self, expected: object, found: object) -> None:
        if isinstance(expected, dict) and isinstance(found, dict):
            for name, value in expected.items():
                self._write_down(value, found.get(name))
        elif isinstance(expected, str) and expected.startswith("$"):
            self.known[expected[1:]] = str(found)


@pytest.fixture
def auditor(tmp_path: Path) -> Iterator[Auditor]:
    """Start the service, and give an auditor their program."""
    port, key = free_port(), f"cs_admin_{secrets.token_urlsafe(32)}"
    environment = {
        **os.environ,
        "CONSENT_BOOTSTRAP_KEY": key,
        "CONSENT_DATABASE_URL": f"sqlite:///{tmp_path / 'consent.db'}",
        "CONSENT_KEYS_DIR": str(tmp_path / "keys"),
        "CONSENT_PORT": str(port),
    }
    folder = tmp_path / "auditor"
    folder.mkdir()
    shutil.copy(PROGRAM, folder)
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([SERVICE, "serve"], env=environment, stderr=output)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", log)
            yield Auditor(folder, environment, {"SERVICE": f"http://127.0.0.1:{port}", "KEY": key})
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def walk(auditor: Auditor) -> list[str]:
    """Follow the whole page; gives what did not come out as it says."""
    differences: list[str] = []
    for step in _STEP.finditer(PAGE.read_text("utf-8")):
        said = auditor.follow(step["command"])
        if step["kind"]:
            differences += [
                f"{step['command']}: {text}" for text in auditor.compare(step["kind"], step["answer"], said)
            ]
    return differences


def test_an_auditor_who_follows_the_page_proves_what_it_says(auditor: Auditor) -> None:
    """Export, checkpoint, offline verification of one visitor's proof, before and after the erasure (EVD-02, EVD-11)."""
    assert walk(auditor) == []


def test_the_walk_has_all_its_steps() -> None:
    assert len(_STEP.findall(PAGE.read_text("utf-8"))) == 22


@pytest.mark.parametrize("statement", REWRITE)
def test_the_operator_of_a_postgresql_is_told_what_to_run(statement: str) -> None:
    """A5: what the campaign runs before it finds no byte."""
    assert statement in PAGE.read_text("utf-8")
