"""Bounded memory: what was verified or answered lately, and documents kept fresh by their ETag."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from consent_client.calls import Call, Reply
from consent_client.errors import ConsentError, Unavailable
from consent_client.exchange import Flow

_log = logging.getLogger("consent_client")

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_NOT_MODIFIED = 304
_PATIENCE_WITHOUT = 1.0
"""Seconds between attempts while there is no copy at all."""


class Recent(Generic[Key, Value]):
    """The values used last, at most `size` of them; safe to use from several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()
        self.peek = self._values.get
        """Look a value up without marking it as used: as fast as a dictionary."""

    def get(self, key: Key) -> Value | None:
        """Look a value up and mark it as used."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value; the one unused for longest makes room."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)

    def forget(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        return len(self._values)


@dataclass(slots=True)
class Document(Generic[Value]):
    """A document of the service: fetched when first needed, revalidated by ETag, kept while the service is away."""

    path: str
    parse: Callable[[object], Value]
    fresh: float
    """Seconds after which it is asked for again."""
    patience: float = 10.0
    """Seconds between attempts, so that forged cookies or an outage cannot make every request fetch."""
    value: Value | None = None
    _etag: str | None = None
    _fetched: float = 0.0
    _attempted: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self, now: float, *, outdated: bool = False) -> bool:
        """Tell whether to fetch it now: it is missing, no longer fresh or said to be outdated, and not just tried."""
        patience = self.patience if self.value is not None else _PATIENCE_WITHOUT
        wanted = outdated or self.value is None or now - self._fetched >= self.fresh
        return wanted and now - self._attempted >= patience

    def claim(self, now: float, *, outdated: bool = False) -> bool:
        """Tell whether the caller is the one to fetch it; of several at once one is."""
        if not self.due(now, outdated=outdated):
            return False
        with self._lock:
            if not self.due(now, outdated=outdated):
                return False
            self._attempted = now
            return True

    def call(self, timeout: float, headers: dict[str, str]) -> Call:
        """Make the request that fetches or revalidates it."""
        known = {"if-none-match": self._etag} if self._etag is not None and self.value is not None else {}
        return Call("GET", self.path, headers={**headers, **known}, timeout=timeout)

    def take(self, reply: Reply, now: float) -> None:
        """Keep what came back; where it is no such document, raises ConsentError and keeps the copy at hand."""
        if reply.status == _NOT_MODIFIED and self.value is not None:
            self._fetched = now
            return
        document = reply.success()
        try:
            value = self.parse(document)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            raise Unavailable(f"the service answered with something else ({type(error).__name__})") from error
        self.value, self._etag, self._fetched = value, reply.headers.get("etag"), now


def refresh(
    document: Document[Value],
    clock: Callable[[], float],
    *,
    timeout: float,
    headers: dict[str, str],
    outdated: bool = False,
) -> Flow[Value | None]:
    """Give the document, fetched first where that is due; one attempt, and an older copy is better than none."""
    if document.claim(clock(), outdated=outdated):
        try:
            reply = yield document.call(timeout, headers)
            if reply is not None:
                document.take(reply, clock())
        except ConsentError as error:
            _log.warning("%s could not be fetched: %s", document.path, error)
    return document.value
