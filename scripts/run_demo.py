"""Starts the service on the sample policy, a small shop and a stand-in for third parties, and says where each is.

What it makes stands in `var/`, or in DEMO_DIR; `make clean` removes it. Settings given in the environment are kept; the
shop listens on SHOP_PORT, the third party on THIRD_PARTY_PORT. However this program ends, what it started ends with it.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("DEMO_DIR", ROOT / "var"))
KEYS = VAR / "demo-keys.json"
SERVICE = Path(sys.executable).with_name("consent-service")
START_SECONDS = 60
END_SECONDS = 30
DEFAULTS = {
    "CONSENT_DATABASE_URL": f"sqlite:///{VAR / 'consent.db'}",
    "CONSENT_KEYS_DIR": str(VAR / "keys"),
    "CONSENT_HOST": "127.0.0.1",
    "CONSENT_PORT": "8080",
    "CONSENT_DEV": "1",
    "CONSENT_INSECURE_COOKIES": "1",
    "SHOP_PORT": "8081",
    "THIRD_PARTY_PORT": "8082",
    # Seconds that the shop waits for a decision: a newcomer's machine may be busy with building things.
    "CONSENT_TIMEOUT": "2",
}
Child = subprocess.Popen[bytes]


class DidNotStart(Exception):
    """Something of the demo did not come up; the message says what, in one line."""


def demo_keys() -> dict[str, str]:
    """Give the keys of the demo; made on the first run."""
    VAR.mkdir(exist_ok=True)
    if not KEYS.exists():
        KEYS.touch(mode=0o600)
        KEYS.write_text(json.dumps({"every scope": f"cs_admin_{secrets.token_urlsafe(32)}"}), "utf-8")
    keys: dict[str, str] = json.loads(KEYS.read_text("utf-8"))
    return keys


def check_ports(environment: Mapping[str, str]) -> None:
    """Find a port that is taken before anything is started."""
    for name in ("CONSENT_PORT", "SHOP_PORT", "THIRD_PARTY_PORT"):
        host = environment["CONSENT_HOST"] if name == "CONSENT_PORT" else "127.0.0.1"
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                # Port 0 would be any port, and nobody could say which.
                probe.bind((host, int(environment[name]) or -1))
            except (OSError, ValueError, OverflowError):
                raise DidNotStart(
                    f"port {environment[name]} is taken or not to be had: set {name} to another"
                ) from None


@contextmanager
def running(command: Sequence[str | Path], environment: Mapping[str, str], address: str) -> Iterator[Child]:
    """Run a program from when it answers until the block ends."""
    child = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        wait_until_ready(address, child)
        yield child
    finally:
        child.terminate()
        try:
            child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_until_ready(address: str, child: Child) -> None:
    """Wait for a program to answer; raises DidNotStart where it ended or does not come up."""
    for _ in range(START_SECONDS * 10):
        if child.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, TimeoutError, OSError):
            time.sleep(0.1)
    raise DidNotStart(f"{address} does not answer; the lines above say why")


def shop_key(service: str, keys: dict[str, str]) -> str:
    """Give the key of the shop, which may decide and manage visitors and nothing else; made where there is none yet."""
    if "shop" not in keys or not works(service, keys["shop"]):
        body = json.dumps({"scope": "manage", "name": "demo shop", "site": "default"}).encode()
        headers = {"Authorization": f"Bearer {keys['every scope']}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{service}/v1/keys", body, headers)  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:  # noqa: S310 - our own address
                keys["shop"] = json.load(answer)["key"]
        except urllib.error.HTTPError as error:
            raise DidNotStart(f"no key could be made for the shop: the service answered {error.code}") from error
        KEYS.write_text(json.dumps({**demo_keys(), "shop": keys["shop"]}), "utf-8")
    return keys["shop"]


def works(service: str, key: str) -> bool:
    """Tell whether the service takes a key; another database knows other keys."""
    headers = {"Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"{service}/v1/trackers", headers=headers)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request, timeout=START_SECONDS):  # noqa: S310 - our own address
            return True
    except urllib.error.HTTPError:
        return False


def tell(service: str, shop: str, key: str) -> None:
    """Say in one line each where everything is."""
    visitor = secrets.token_urlsafe(16)
    decision = f"{service}/v1/visitors/{visitor}/decisions?region=FR"
    print(f"service    {service}")
    print(f"shop       {shop}")
    print(f"docs       {service}/docs")
    print(f"dashboard  {service}/ops")
    print(f"key        {key}")
    print(f"decision   curl -H 'Authorization: Bearer {key}' '{decision}'", flush=True)


def run(environment: dict[str, str], keys: dict[str, str]) -> int:
    """Start all three, tell, and stay until one of them ends."""
    check_ports(environment)
    service = f"http://{environment['CONSENT_HOST']}:{environment['CONSENT_PORT']}"
    shop = f"http://127.0.0.1:{environment['SHOP_PORT']}"
    # The same machine under another name: to a browser somebody else, with a cookie jar of its own.
    third_party = f"http://localhost:{environment['THIRD_PARTY_PORT']}"
    with ExitStack() as started:
        children = [started.enter_context(running([SERVICE, "serve"], environment, f"{service}/readyz"))]
        environment |= {
            "CONSENT_URL": service,
            "CONSENT_KEY": shop_key(service, keys),
            "THIRD_PARTY_URL": third_party,
            "SHOP_SECRET": secrets.token_urlsafe(32),
        }
        for name, address, file in (("third-party", third_party, "/"), ("shop", shop, "/static/shop.css")):
            command = [sys.executable, "-m", "examples.storefront", name, address.rpartition(":")[2]]
            children.append(started.enter_context(running(command, environment, address + file)))
        tell(service, shop, keys["every scope"])
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
    return 1


def end(number: int, _: FrameType | None) -> None:
    """Leave in good order, ending what was started."""
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)  # once is enough
    raise SystemExit(0 if number == signal.SIGINT else 128 + number)


def main() -> int:
    """Run the demo; 1 with one clear line where it cannot."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    try:
        keys = demo_keys()
        keys["every scope"] = os.environ.get("CONSENT_BOOTSTRAP_KEY", keys["every scope"])
        return run({**DEFAULTS, **os.environ, "CONSENT_BOOTSTRAP_KEY": keys["every scope"]}, keys)
    except DidNotStart as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
