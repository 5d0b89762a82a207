"""A way past ASGI for the answers that must be quick: the application takes a request whole and answers by a call.

ASGI gives every request a task, a dictionary, three coroutines and an event; for an answer of one piece they cost more
than finding it. So a request without any peculiarity is offered to the application first, once it is whole. Whatever it
does not take goes the ordinary way, now or after a look, and the answer is the same bytes.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

Headers = list[tuple[bytes, bytes]]
Answer = Callable[[int, bytes | None], None]
"""Called once: with the status, and header fields, an empty line and the body, or None for the ordinary way."""


class Shortcut(Protocol):
    """What an application offers that answers some requests without a task."""

    def __call__(self, request: "ShortCycle", state: Mapping[str, Any], answer: Answer, /) -> bool:
        """Take a request; False leaves it to the ordinary way at once."""


class ShortCycle:
    """A request that took the shortcut, in the place of uvicorn's own cycle until it is answered."""

    __slots__ = (
        "body", "disconnected", "headers", "keep_alive", "method", "more_body", "response_complete", "response_started",
        "target",
    )  # fmt: skip

    def __init__(self, method: bytes, target: bytes, headers: Headers) -> None:
        """Begin a request."""
        self.method = method
        self.target = target
        self.headers = headers
        self.body = b""
        self.more_body = False
        self.keep_alive = True
        self.disconnected = self.response_started = self.response_complete = False

    @property
    def message_event(self) -> "ShortCycle":
        """Nobody waits for a message: the request is whole."""
        return self

    def set(self) -> None:
        """Wake nobody."""
