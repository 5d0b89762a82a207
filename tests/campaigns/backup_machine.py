"""An installation that is backed up, lost and restored: its keys, its database, and the service that really listens on it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.ports import free_port

SERVICE = Path(sys.executable).with_name("consent-service")
KEY = "drill-0123456789-0123456789-0123456789"
_ANSWER = {"action": "accept_all", "policy_version": "2026-11-22", "locale": "en", "method": "banner"}


class DrillFailed(Exception):
    """A step did not end as it must."""


@dataclass(frozen=True)
class Machine:
    """A directory with keys, and a database."""

    directory: Path
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """Give the settings."""
        return {
            **os.environ,
            "CONSENT_DATABASE_URL": self.url,
            "CONSENT_KEYS_DIR": str(self.directory / "keys"),
            "CONSENT_BOOTSTRAP_KEY": KEY,
            "CONSENT_PUBLIC_URL": "https://consent.example",
            "CONSENT_ADDRESS_WRITES_PER_MINUTE": "100000",
        }

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command; gives exit status and everything it said."""
        done = subprocess.run(
            [SERVICE, *arguments], env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )
        return done.returncode, done.stdout + done.stderr

    def must(self, *arguments: str) -> str:
        """Run a command that must succeed."""
        status, said = self.run(*arguments)
        if status:
            raise DrillFailed(f"{' '.join(arguments)} ended with {status}: {said}")
        return said

    def must_fail(self, *arguments: str) -> str:
        """Run a command that must end with status 1 and one line; gives the line."""
        status, said = self.run(*arguments)
        if status != 1 or "Traceback" in said:
            raise DrillFailed(f"{' '.join(arguments)} ended with {status}: {said}")
        return said.strip().splitlines()[-1]

    @contextmanager
    def serving(self) -> Iterator[httpx.Client]:
        """Serve, and kill the service afterwards as a power cut would."""
        port = free_port()
        with (self.directory / "log").open("ab") as log:
            process = subprocess.Popen([SERVICE, "serve", "--port", str(port)], env=self.environment, stderr=log)
            headers = {"Authorization": f"Bearer {KEY}"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
                try:
                    _wait_until_ready(client)
                    yield client
                finally:
                    process.kill()
                    process.wait()


def _wait_until_ready(client: httpx.Client) -> None:
    for _ in range(300):
        try:
            if client.get("/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise DrillFailed("the service did not start")


def accept(client: httpx.Client, visitors: int) -> str:
    """Let visitors accept; gives the id of the last."""
    visitor = ""
    for _ in range(visitors):
        visitor = client.post("/v1/visitors").json()["visitor_id"]
        client.put(f"/v1/visitors/{visitor}/consent", json=_ANSWER).raise_for_status()
    return visitor


def is_granted(client: httpx.Client, visitor: str) -> bool:
    """Ask for a decision about a visitor."""
    answer = client.get(f"/v1/visitors/{visitor}/decisions", params={"region": "FR"}).json()
    return bool(answer["categories"]["advertising"]["allow"])


def say(text: str) -> None:
    """Print one step."""
    sys.stdout.write(f"A6 {text}\n")
    sys.stdout.flush()


def keep(client: httpx.Client, path: Path) -> Path:
    """Fetch the newest checkpoint and write it to a place outside the machine."""
    path.write_text(client.get("/v1/evidence/checkpoint").raise_for_status().text, "utf-8")
    return path


def decides_as_before(machine: Machine, visitor: str) -> None:
    """Serve on a restored machine and ask about a visitor who had accepted."""
    with machine.serving() as client:
        if not is_granted(client, visitor):
            raise DrillFailed("the restored service does not know its visitors")
