"""The real service as a process of its own, to be killed, stopped and started at will."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
KEY = "bootstrap-0123456789-0123456789"
AUTHORIZATION = {"Authorization": f"Bearer {KEY}"}
_START_SECONDS = 180.0
_END_SECONDS = 60.0
_PATIENCE = 0.05


@dataclass
class ServiceProcess:
    """One replica on loopback; its port stays the same over kill and start."""

    directory: Path
    database_url: str
    module: str = "tests.support.run_service"
    """What to run: a test may put a service with a fault of its own in place of the real one."""
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> str:
        """Give where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Give the process's number."""
        if self._process is None:
            raise RuntimeError("it does not run")
        return self._process.pid

    @property
    def log(self) -> Path:
        """Give the file that holds what it said."""
        return self.directory / f"service-{self.port}.log"

    @property
    def environment(self) -> dict[str, str]:
        """Give its settings."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("CONSENT_")},
            "CONSENT_DATABASE_URL": self.database_url,
            "CONSENT_KEYS_DIR": str(self.directory / "keys"),
            "CONSENT_BOOTSTRAP_KEY": KEY,
            "CONSENT_PORT": str(self.port),
            "CONSENT_INSECURE_COOKIES": "1",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
            **self.settings,
        }

    def start(self) -> None:
        """Start and wait until it is ready; raises RuntimeError with what it said where it is not."""
        self.begin()
        self.wait_until_ready()

    def begin(self) -> None:
        """Start without waiting."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def wait_until_ready(self) -> None:
        """Wait for it."""
        until = time.monotonic() + _START_SECONDS
        while not self.ready():
            if time.monotonic() > until or (self._process is not None and self._process.poll() is not None):
                raise RuntimeError(self.log.read_text("utf-8", "replace")[-4000:])
            time.sleep(_PATIENCE)

    def ready(self) -> bool:
        """Tell whether it takes work."""
        try:
            return httpx.get(f"{self.address}/readyz", timeout=5.0).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_END_SECONDS)
            self._process = None

    def stop(self) -> int:
        """Ask it to end in order; gives its exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(_END_SECONDS)
        self._process = None
        return status

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of the service with the same settings."""
        return subprocess.run(
            [sys.executable, "-c", "from consent_service.cli import main; main()", *words],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip


@contextmanager
def service_process(
    directory: Path, database_url: str, module: str = "tests.support.run_service", **settings: str
) -> Iterator[ServiceProcess]:
    """Give a replica that is started by whoever wants it, and is gone when the block ends."""
    process = ServiceProcess(directory, database_url, module, settings)
    try:
        yield process
    finally:
        process.kill()
