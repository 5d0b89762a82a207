"""The requests that are measured, as bytes; each maker runs inside the load generator's process."""

import itertools
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from bench.load import Requests
from bench.servers import KEY, ROOT

_MOST = 300_000
"""Requests made beforehand; each visitor among them is drawn at random from all."""
_TRACKERS_OF_A_CALL = 10
POLICY = yaml.safe_load((ROOT / "policies" / "storefront.yaml").read_text("utf-8"))
HEADERS = f"Host: consent.example\r\nAuthorization: Bearer {KEY}\r\n"


def sample(ids: Path, most: int = _MOST) -> list[str]:
    """Draw visitors at random from a file of one id a line, without reading it whole."""
    width = 23
    count = ids.stat().st_size // width
    draw = random.Random(count)  # noqa: S311 - the same visitors in every run
    with ids.open("rb") as lines:
        found = []
        for place in sorted(draw.randrange(count) for _ in range(min(most, count))):
            lines.seek(place * width)
            found.append(lines.read(width - 1).decode())
    draw.shuffle(found)
    return found


def hello() -> Requests:
    """Ask bare uvicorn, with the same header fields."""
    return lambda: itertools.repeat(f"GET / HTTP/1.1\r\n{HEADERS}\r\n".encode())


def hello_post() -> Requests:
    """Write to bare uvicorn, as large a body as a consent's."""
    return lambda: (_put("POST", "/", str(uuid.uuid4())) for _ in itertools.count())


def decisions(ids: Path) -> Requests:
    """Ask for decisions about random visitors."""

    def make() -> Iterator[bytes]:
        return itertools.cycle(
            f"GET /v1/visitors/{visitor}/decisions?region=FR HTTP/1.1\r\n{HEADERS}\r\n".encode()
            for visitor in sample(ids)
        )

    return make


def writes(ids: Path) -> Requests:
    """Store what random visitors say, each under an Idempotency-Key of its own."""

    def make() -> Iterator[bytes]:
        visitors = sample(ids)
        return (
            _put("PUT", f"/v1/visitors/{visitor}/consent", str(uuid.uuid4())) for visitor in itertools.cycle(visitors)
        )

    return make


def batches(ids: Path) -> Requests:
    """Ask for 100 tracker answers in a call: ten visitors, ten trackers each."""

    def make() -> Iterator[bytes]:
        visitors = sample(ids, 30_000)
        names = [tracker["name"].replace("*", "XYZ") for tracker in POLICY["trackers"]]
        return itertools.cycle([_batch(visitors[at : at + 10], names, at) for at in range(0, len(visitors) - 10, 10)])

    return make


def _batch(visitors: Sequence[str], names: Sequence[str], turn: int) -> bytes:
    start = turn % max(1, len(names) - _TRACKERS_OF_A_CALL)
    asked = names[start : start + _TRACKERS_OF_A_CALL]
    body = json.dumps({"requests": [{"visitor_id": v, "region": "FR", "trackers": asked} for v in visitors]}).encode()
    return _with_body("POST", "/v1/decisions", body)


_BODIES = [
    json.dumps(
        {
            "action": "custom",
            "policy_version": POLICY["version"],
            "locale": "en",
            "method": "banner",
            "choices": {
                name: name == "strictly_necessary" or bool(number >> place & 1)
                for place, name in enumerate(POLICY["categories"])
            },
        }
    ).encode()
    for number in range(64)
]
_turn = itertools.count()


def _put(method: str, path: str, key: str) -> bytes:
    return _with_body(method, path, _BODIES[next(_turn) % len(_BODIES)], f"Idempotency-Key: {key}\r\n")


def _with_body(method: str, path: str, body: bytes, more: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\n{HEADERS}{more}Content-Type: application/json\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
