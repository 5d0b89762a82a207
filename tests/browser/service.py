"""The real service for the browser tests: started as an operator would, reached through the shop's own host."""

import contextlib
import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_port

COMMAND = Path(sys.executable).with_name("consent-service")
PLENTY = "1000000"
START_SECONDS = 60
NOT_HANDED_ON = {"host", "connection", "content-length", "accept-encoding"}
HOP_BY_HOP = {"connection", "date", "server", "transfer-encoding", "content-length"}


@dataclass
class Answer:
    """What goes back to the browser."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Service:
    """A running service."""

    address: str
    key: str
    policy: dict[str, Any]

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes, region: str) -> Answer:
        """Hand on one request, as the proxy of a shop does: with the host that was asked for, and the region."""
        sent = {name: value for name, value in headers.items() if name.lower() not in NOT_HANDED_ON}
        sent |= {"X-Region": region, "X-Forwarded-Host": headers.get("Host", "")}
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=30)
        with contextlib.closing(connection):
            connection.request(method, target, body or None, sent)
            answer = connection.getresponse()
            fields = tuple((name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP)
            return Answer(answer.status, answer.read(), fields)

    def ask(self, path: str, document: object = None, method: str | None = None) -> Any:
        """Ask as staff or as the shop's servers do; with a document, post it unless another method is named."""
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method)  # noqa: S310 - our own address
        request.add_header("Authorization", f"Bearer {self.key}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own address
            return json.load(answer)


@contextlib.contextmanager
def serving(directory: Path, policy: dict[str, Any], **environment: str) -> Iterator[Service]:
    """Serve a policy from a new SQLite file; `environment` adds settings."""
    file = directory / "policy.json"
    file.write_text(json.dumps(policy), "utf-8")
    address, key = f"http://127.0.0.1:{(port := free_port())}", f"cs_admin_{secrets.token_urlsafe(32)}"
    settings = {
        "CONSENT_PORT": str(port),
        "CONSENT_POLICY": str(file),
        "CONSENT_DATABASE_URL": f"sqlite:///{directory / 'consent.db'}",
        "CONSENT_KEYS_DIR": str(directory / "keys"),
        "CONSENT_BOOTSTRAP_KEY": key,
        "CONSENT_TRUSTED_PROXIES": "127.0.0.1/32",
        "CONSENT_REGION_HEADER": "X-Region",
        "CONSENT_DEV": "1",
        "CONSENT_ADDRESS_WRITES_PER_MINUTE": PLENTY,
        "CONSENT_ADDRESS_READS_PER_MINUTE": PLENTY,
    }
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [COMMAND, "serve"], env=os.environ | settings | environment, cwd=directory, stderr=log, stdout=log
        )
        try:
            _wait(address, process, directory / "log")
            yield Service(address, key, policy)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(START_SECONDS * 10):
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"{address}/readyz", timeout=5).close()  # noqa: S310 - our own address
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"the service did not start: {log.read_text()}")
