"""P7: how many decisions the Python SDK makes from a signed state, in this process."""

import json
import time
import urllib.request
from collections.abc import Callable

from bench.requests import POLICY
from bench.servers import KEY
from consent_client import ConsentClient

_SECONDS = 1.0


def rates(port: int) -> tuple[float, float]:
    """Give decisions a second from a state already verified, and with verification each time."""
    address = f"http://127.0.0.1:{port}"
    client = ConsentClient(address, KEY, timeout=5)
    state = _state(address)
    decided = client.from_state(state, {})
    if not decided.allows("session_id") and not decided.allows("technical"):
        raise RuntimeError("a state that grants everything allows nothing")

    def verify() -> None:
        client.core.states.forget()
        client.from_state(state, {}).allows("technical")

    return _rate(lambda: decided.allows("technical")), _rate(verify)


def _rate(work: Callable[[], object]) -> float:
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < _SECONDS:
        for _ in range(100):
            work()
        count += 100
    return count / (time.perf_counter() - begun)


def _state(address: str) -> str:
    """Accept everything as a visitor's banner does, and give the signed state."""
    body = {"action": "accept_all", "policy_version": POLICY["version"], "locale": "en", "method": "banner"}
    headers = {"Content-Type": "application/json", "Origin": POLICY["origins"][0]}
    asked = urllib.request.Request(f"{address}/v1/consent", json.dumps(body).encode(), headers, method="PUT")  # noqa: S310 - our own
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310 - our own server
        cookies = answer.headers.get_all("Set-Cookie")
    return next(c.split("=", 1)[1].split(";")[0] for c in cookies if c.startswith("consent_state="))
