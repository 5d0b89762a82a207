"""Starts the service on the sample policy for a first look, and says in one line each where everything is.

What it makes stands in `var/`; `make clean` removes it. Settings that are given in the environment are kept.
"""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
KEYS = VAR / "demo-keys.json"
SERVICE = Path(sys.executable).with_name("consent-service")
START_SECONDS = 30
DEFAULTS = {
    "CONSENT_DATABASE_URL": f"sqlite:///{VAR / 'consent.db'}",
    "CONSENT_KEYS_DIR": str(VAR / "keys"),
    "CONSENT_HOST": "127.0.0.1",
    "CONSENT_PORT": "8080",
    "CONSENT_DEV": "1",
    "CONSENT_INSECURE_COOKIES": "1",
}


def demo_keys() -> dict[str, str]:
    """Give the keys of the demo; made on the first run."""
    VAR.mkdir(exist_ok=True)
    if not KEYS.exists():
        KEYS.touch(mode=0o600)
        KEYS.write_text(json.dumps({"every scope": f"cs_admin_{secrets.token_urlsafe(32)}"}), "utf-8")
    keys: dict[str, str] = json.loads(KEYS.read_text("utf-8"))
    return keys


def wait_until_ready(address: str, service: "subprocess.Popen[bytes]") -> bool:
    """Wait for the service; False where it ended or does not come up."""
    for _ in range(START_SECONDS * 10):
        if service.poll() is not None:
            return False
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=1):  # noqa: S310 - our own address
                return True
        except (urllib.error.URLError, TimeoutError, OSError):
            time.sleep(0.1)
    return False


def main() -> int:
    """Start, tell, and stay until the service ends."""
    key = demo_keys()["every scope"]
    environment = {**DEFAULTS, "CONSENT_BOOTSTRAP_KEY": key, **os.environ}
    address = f"http://{environment['CONSENT_HOST']}:{environment['CONSENT_PORT']}"
    service = subprocess.Popen([SERVICE, "serve"], env=environment)
    try:
        if not wait_until_ready(address, service):
            print("the service did not start; its last lines above say why", file=sys.stderr)
            return 1
        visitor = secrets.token_urlsafe(16)
        print(f"service    {address}")
        print(f"docs       {address}/docs")
        print(f"key        {environment['CONSENT_BOOTSTRAP_KEY']}")
        print(
            "decision   "
            f"curl -H 'Authorization: Bearer {environment['CONSENT_BOOTSTRAP_KEY']}' "
            f"'{address}/v1/visitors/{visitor}/decisions?region=FR'",
            flush=True,
        )
        return service.wait()
    except KeyboardInterrupt:
        return service.wait()
    finally:
        if service.poll() is None:
            service.terminate()
            service.wait()


if __name__ == "__main__":
    sys.exit(main())
