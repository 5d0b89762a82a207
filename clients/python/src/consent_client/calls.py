"""Requests to the service and their answers, as plain values: nothing here knows a network."""

import email.utils
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from consent_client.errors import ConsentError, Problem, ServiceUnavailable, Unavailable

MAX_BODY = 4 * 1024 * 1024
"""Bytes of an answer that are read; no answer of the service is nearly as large."""

_NOT_NOW = frozenset({502, 503, 504})
_RETRYABLE = _NOT_NOW | {429}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Every call can be repeated: it reads, or it carries an idempotency key."""

    method: str
    path: str
    body: object = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 0.3
    """Seconds for the whole attempt."""

    def content(self) -> bytes | None:
        """Give the body's bytes."""
        return None if self.body is None else json.dumps(self.body, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever it was."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def retryable(self) -> bool:
        """Tell whether asking again may help."""
        return self.status in _RETRYABLE

    def retry_after(self, now: float) -> float | None:
        """Give the seconds that `Retry-After` asks to wait (RFC 9110 §10.2.3), None where it says nothing."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
        except (ValueError, TypeError, OverflowError):
            return None

    def json(self) -> object:
        """Give the body's JSON; raises Unavailable where it is none."""
        try:
            value: object = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Unavailable("the service answered with something that is not JSON") from error
        return value

    def success(self) -> dict[str, object]:
        """Give the JSON object of a successful answer; raises the error that another answer stands for."""
        if not 200 <= self.status < 300:  # noqa: PLR2004
            raise self.error()
        if not self.body:
            return {}
        value = self.json()
        if not isinstance(value, dict):
            raise Unavailable("the service answered with something other than an object")
        return value

    def error(self) -> ConsentError:
        """Give the error that an unsuccessful answer stands for."""
        try:
            problem = self.json()
        except Unavailable:
            problem = None
        if not isinstance(problem, dict) or not isinstance(problem.get("code"), str):
            return Unavailable(f"the service answered {self.status} without saying why")
        kind = ServiceUnavailable if self.status in _NOT_NOW else Problem
        return kind(self.status, problem["code"], str(problem.get("detail") or ""), problem)
