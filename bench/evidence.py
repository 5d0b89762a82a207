"""How long the evidence of one large log takes: proofs from its stored nodes, the checkpoint, one write alone."""

import json
import random
import statistics
import time
import uuid
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from bench.requests import POLICY, sample
from bench.servers import KEY

_TIMES = 200
_DRAW = random.Random(1)  # noqa: S311 - which entries are asked about, no secret


def note(name: str, port: int, ids: Path) -> str:
    """Say how long each takes, one request at a time, on a log that nobody else writes to."""
    client = _Client(port)
    size = int(client.call("GET", "/v1/evidence/checkpoint")["size"])
    inclusion = _median(lambda: client.call("GET", f"/v1/evidence/proof/inclusion?seq={_DRAW.randrange(size)}"))
    consistency = _median(
        lambda: client.call("GET", f"/v1/evidence/proof/consistency?from={_DRAW.randrange(1, size)}&to={size}")
    )
    checkpoint = _median(lambda: client.call("GET", "/v1/evidence/checkpoint"))
    visitors = iter(sample(ids, _TIMES))
    body = json.dumps({"action": "reject_all", "policy_version": POLICY["version"]})
    write = _median(lambda: client.call("PUT", f"/v1/visitors/{next(visitors)}/consent", body))
    return (
        f"Evidence on {name} with {size:,} entries, one request at a time, median: inclusion proof {inclusion:.1f} ms, "
        f"consistency proof {consistency:.1f} ms, checkpoint {checkpoint:.1f} ms, durable write {write:.1f} ms."
    )


class _Client:
    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        """Give the answer; the log's size where it is a checkpoint."""
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        if body is not None:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:  # noqa: PLR2004 - OK
            raise RuntimeError(f"{method} {path.partition('?')[0]} was answered with {answer.status}")
        if path.endswith("checkpoint"):
            return {"size": text.splitlines()[1]}
        found: dict[str, Any] = json.loads(text)
        return found


def _median(call: Callable[[], object]) -> float:
    """Give the median milliseconds of some calls."""
    found: list[float] = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(found)
