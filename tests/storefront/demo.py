"""The demo as `make run` starts it, on free ports and files of its own, and a browser's cookie jar without a browser."""

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import environ
from pathlib import Path

import httpx
import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, str(ROOT / "scripts" / "run_demo.py")]
LINES = ("service", "shop", "docs", "dashboard", "key", "decision")


@dataclass(frozen=True)
class Demo:
    """A running demo."""

    said: Mapping[str, str]
    """What it printed, by the first word of the line."""
    third_party: str
    browsers: list["Browser"] = field(default_factory=list)

    @property
    def service(self) -> str:
        """The consent service's address."""
        return self.said["service"]

    @property
    def shop(self) -> str:
        """The shop's address."""
        return self.said["shop"]

    def browser(self, **headers: str) -> "Browser":
        """Open a browser that never was here before."""
        browser = Browser(self, {name.replace("_", "-"): value for name, value in headers.items()})
        self.browsers.append(browser)
        return browser


class Browser:
    """A visitor's browser, as far as HTTP goes: cookies of 127.0.0.1 go to shop and service alike."""

    def __init__(self, demo: Demo, headers: Mapping[str, str]) -> None:
        self.demo = demo
        self.http = httpx.Client(headers=dict(headers), timeout=30, follow_redirects=True)

    def look(self, path: str = "/", **headers: str) -> httpx.Response:
        """Open a page of the shop."""
        answer = self.http.get(self.demo.shop + path, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the shop."""
        answer = self.http.post(self.demo.shop + path, data=fields)
        assert answer.status_code == 200, answer.text
        return answer

    def choose(self, action: str, **members: object) -> None:
        """Answer the notice, as its script does."""
        version = self.http.get(f"{self.demo.service}/v1/consent").json()["policy_version"]
        body = {"action": action, "policy_version": version, "locale": "en", "method": "banner", **members}
        answer = self.http.put(f"{self.demo.service}/v1/consent", json=body, headers={"Origin": self.demo.shop})
        assert answer.status_code in {200, 201}, answer.text

    def withdraw(self) -> None:
        """Withdraw everything."""
        answer = self.http.delete(f"{self.demo.service}/v1/consent", headers={"Origin": self.demo.shop})
        assert answer.status_code == 200, answer.text

    @property
    def jar(self) -> set[str]:
        """Give the names of the cookies in the jar."""
        return {cookie.name for cookie in self.http.cookies.jar}

    def seconds_left(self, name: str) -> float:
        """Tell how long a cookie stays."""
        [cookie] = [cookie for cookie in self.http.cookies.jar if cookie.name == name]
        assert cookie.expires is not None
        return cookie.expires - time.time()

    def panel(self, name: str, **headers: str) -> dict[str, str]:
        """Read a panel of the page that says what happened: by name, what stands beside it."""
        section = re.search(
            rf'<section class="panel[^"]*" id="{name}">(.*?)</section>', self.look("/jar", **headers).text, re.DOTALL
        )
        assert section is not None
        rows = re.findall(r"<li><(?:code|span class=\"name\")>(.*?)</(?:code|span)>(.*?)</li>", section[1], re.DOTALL)
        return {label: re.sub(r"<[^>]+>", " ", rest).strip() for label, rest in rows}


@contextmanager
def running_demo() -> Iterator[Demo]:
    """Start the demo; the block begins when it has said where everything is."""
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        variables = variables_of(directory)
        third_party = f"http://localhost:{variables['THIRD_PARTY_PORT']}"
        with (directory / "log").open("wb") as log:
            demo = subprocess.Popen(
                PROGRAM, env={**environ, **variables}, cwd=directory, stdout=subprocess.PIPE, stderr=log, text=True
            )
            started: Demo | None = None
            try:
                started = Demo(said_by(demo, directory / "log"), third_party)
                yield started
            finally:
                for browser in started.browsers if started is not None else ():
                    browser.http.close()
                demo.send_signal(signal.SIGTERM)
                demo.communicate(timeout=60)


def variables_of(directory: Path) -> dict[str, str]:
    """Give the settings of a demo of its own; a busy machine gets more time than a visitor would be asked for."""
    return {
        "CONSENT_DATABASE_URL": f"sqlite:///{directory / 'consent.db'}",
        "CONSENT_KEYS_DIR": str(directory / "keys"),
        "CONSENT_PORT": str(free_port()),
        "CONSENT_TIMEOUT": "20",
        "DEMO_DIR": str(directory),
        "SHOP_PORT": str(free_port()),
        "THIRD_PARTY_PORT": str(free_port()),
    }


def said_by(demo: "subprocess.Popen[str]", log: Path) -> dict[str, str]:
    """Read what the demo prints until it has said everything."""
    assert demo.stdout is not None
    said: dict[str, str] = {}
    for line in demo.stdout:
        word, _, rest = line.partition(" ")
        said[word] = rest.strip()
        if word == LINES[-1]:
            return said
    pytest.fail(f"the demo did not start: {said} {log.read_text('utf-8', 'replace')[-3000:]}")
