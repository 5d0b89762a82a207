"""How a call is tried: time budget, retries, and the pause that spares a page a service that is away.

A flow is a generator that yields a `Call` (and is sent its `Reply`, or thrown `Unavailable`) or a `Pause`, and
returns its result. Both clients drive the same flows; only their transports differ.
"""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeVar

from consent_client.calls import Call, Reply
from consent_client.errors import Unavailable

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the next attempt."""

    seconds: float


Flow = Generator[Call | Pause, Reply | None, Result]

_MOST_ATTEMPTS = 3
_FIRST_WAIT = 0.02


@dataclass(slots=True)
class Breaker:
    """Stops asking for decisions for a moment after several calls in a row found the service away.

    Without it every page would wait out the whole time limit; with it one page a second does.
    """

    limit: int = 5
    rest: float = 1.0
    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    open_until: float = 0.0

    def refuses(self) -> bool:
        """Tell whether to deny without asking; the first asker after the rest is let through as a probe."""
        if self.failures < self.limit:
            return False
        now = self.clock()
        if now < self.open_until:
            return True
        self.open_until = now + self.rest
        return False

    def succeeded(self) -> None:
        """Note that the service is there."""
        self.failures = 0

    def failed(self) -> None:
        """Note that it was not."""
        self.failures += 1
        if self.failures >= self.limit:
            self.open_until = self.clock() + self.rest


def exchange(call: Call, *, budget: float, clock: Callable[[], float], wall: Callable[[], float]) -> Flow[Reply]:
    """Try a call until it is answered, for at most `budget` seconds and three attempts.

    `Retry-After` is obeyed where it fits in the budget; where it does not, the refusal is the answer.
    """
    deadline = clock() + budget
    wait = _FIRST_WAIT
    reply: Reply | None = None
    failure = Unavailable("no answer")
    for attempt in range(1, _MOST_ATTEMPTS + 1):
        try:
            reply = yield replace(call, timeout=min(call.timeout, max(deadline - clock(), 0.001)))
        except Unavailable as error:
            reply, failure = None, error
        if reply is not None and not reply.retryable:
            return reply
        asked = reply.retry_after(wall()) if reply is not None else None
        pause = wait if asked is None else asked
        if attempt == _MOST_ATTEMPTS or clock() + pause >= deadline:
            break
        yield Pause(pause)
        wait *= 2
    if reply is None:
        raise failure
    return reply
