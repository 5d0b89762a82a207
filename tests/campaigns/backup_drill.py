"""A6: back up a serving installation, lose it, restore it on another machine, and verify; on both databases.

Run as a program (`make drill-backup`) it prints each step. The service really listens and is really killed. What must
fail does: an older state against a checkpoint kept elsewhere, and a file that was cut off.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.ports import free_port
from tests.support.postgres import PostgresServer, create_database

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


def drill(name: str, machine: Machine, other: Machine, copy: "Copy") -> None:
    """Go through the whole drill on one database."""
    machine.directory.mkdir()
    other.directory.mkdir()
    with machine.serving() as client:
        visitor = accept(client, 50)
        copy.take()
        shutil.copytree(machine.directory / "keys", other.directory / "keys")
        covered = _keep(machine, machine.directory / "covered.txt")
        accept(client, 5)
        newer = _keep(machine, machine.directory / "newer.txt")
    say(f"{name}: backed up while serving, then killed")
    copy.restore()
    other.must("evidence", "verify", "--checkpoint", str(covered))
    say(f"{name}: restored elsewhere, the log verifies against the checkpoint of the moment of the backup")
    with other.serving() as client:
        if not is_granted(client, visitor):
            raise DrillFailed("the restored service does not know its visitors")
    say(f"{name}: the restored service decides as before")
    said = other.must_fail("evidence", "verify", "--checkpoint", str(newer))
    say(f"{name}: against a younger checkpoint it fails, as it must: {said.partition('sound: ')[2]}")


def _keep(machine: Machine, path: Path) -> Path:
    path.write_text(machine.must("evidence", "checkpoint"), "utf-8")
    return path


@dataclass(frozen=True)
class SqliteCopy:
    """A copy by the service's own command."""

    machine: Machine
    other: Machine
    file: Path

    def take(self) -> None:
        """Copy."""
        self.machine.must("backup", str(self.file))

    def restore(self) -> None:
        """Put the copy in its place."""
        shutil.copy(self.file, self.other.directory / "consent.db")

    def cut_off(self) -> None:
        """Restore half of the copy; the command that verifies it must fail."""
        target = self.other.directory / "consent.db"
        target.with_name("consent.db-wal").unlink(missing_ok=True)
        target.with_name("consent.db-shm").unlink(missing_ok=True)
        content = self.file.read_bytes()
        target.write_bytes(content[: len(content) // 2])
        say(f"SQLite: a file that was cut off fails, as it must: {self.other.must_fail('evidence', 'verify')}")


@dataclass(frozen=True)
class PostgresCopy:
    """A copy by PostgreSQL's own tools."""

    server: PostgresServer
    source: str
    target: str
    file: Path

    def take(self) -> None:
        """Copy."""
        self._tool("pg_dump", "--format=custom", f"--file={self.file}", self.source)

    def restore(self) -> None:
        """Fill the other database."""
        self._tool("pg_restore", "--exit-on-error", f"--dbname={self.target}", str(self.file))

    def _tool(self, program: str, *arguments: str) -> None:
        subprocess.run([self.server._programs / program, *arguments], check=True, timeout=300)


Copy = SqliteCopy | PostgresCopy


def main() -> int:
    """Run the drill on both databases."""
    server = PostgresServer()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        machine, other = (Machine(root / part, f"sqlite:///{root / part / 'consent.db'}") for part in ("one", "other"))
        try:
            copy = SqliteCopy(machine, other, root / "copy.db")
            drill("SQLite", machine, other, copy)
            copy.cut_off()
            server.start()
            source, target = create_database(server.url), create_database(server.url, template="template0")
            dump = PostgresCopy(server, source, target, root / "copy.dump")
            drill("PostgreSQL", Machine(root / "three", source), Machine(root / "four", target), dump)
        except DrillFailed as failure:
            say(f"FAILED: {failure}")
            return 1
        finally:
            server.remove()
    say("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
