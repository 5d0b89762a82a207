"""A board in memory that the workers of one service share, so that whichever answers `/metrics` speaks for all.

It is made before the workers are forked. Each lays its measurements on a place of its own; a worker that takes the
place of a dead one writes over what that left, which Prometheus takes for a counter that was reset.
"""

import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from consent_service.api.metric_families import FAMILIES, Sample

SECONDS = 1.0
"""How often a worker lays its measurements out."""
_PLACE_BYTES = 512 * 1024
_HEAD = 8  # process id and length, four bytes each
_BY_NAME = {family.name: family for family in FAMILIES}

_Key = tuple[str, tuple[str, ...]]


class MetricsBoard:
    """Places for so many workers."""

    def __init__(self, places: int) -> None:
        """Make an empty board; the file behind the lock has no name and ends with the processes."""
        self._memory = mmap.mmap(-1, places * _PLACE_BYTES)
        self._places = [number * _PLACE_BYTES for number in range(places)]
        self._lock, path = tempfile.mkstemp(prefix="consent-metrics-")
        Path(path).unlink()

    def lay(self, samples: Iterable[Sample]) -> None:
        """Lay this worker's measurements on its place; what is too long for it is left out."""
        rows = [[s.family.name, s.labels, s.value, s.numbers] for s in samples]
        data = orjson.dumps(rows)
        with self._locked():
            place = self._own()
            if place is not None and len(data) <= _PLACE_BYTES - _HEAD:
                self._memory[place + _HEAD : place + _HEAD + len(data)] = data
                self._memory[place : place + _HEAD] = _head(os.getpid(), len(data))

    def others(self) -> Iterator[Sample]:
        """Give what the other workers have laid out."""
        with self._locked():
            laid = [self._read(place) for place in self._places if self._owner(place) != os.getpid()]
        for data in laid:
            for name, labels, value, numbers in orjson.loads(data or b"[]"):
                yield Sample(_BY_NAME[name], tuple(labels), value, tuple(numbers))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # The system lets go of such a lock when its holder dies.
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def _own(self) -> int | None:
        owners = {place: self._owner(place) for place in self._places}
        mine = [place for place, owner in owners.items() if owner == os.getpid()]
        unused = [place for place, owner in owners.items() if owner == 0]
        left = [place for place, owner in owners.items() if not _alive(owner)]
        return next(iter((*mine, *unused, *left)), None)

    def _owner(self, place: int) -> int:
        return int.from_bytes(self._memory[place : place + 4], "big")

    def _read(self, place: int) -> bytes:
        length = int.from_bytes(self._memory[place + 4 : place + _HEAD], "big")
        return self._memory[place + _HEAD : place + _HEAD + length]


def merged(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Put the workers' measurements together: what each did adds up, what all see is told once."""
    found: dict[_Key, Sample] = {}
    for sample in samples:
        key = (sample.family.name, sample.labels)
        found[key] = _join(found[key], sample) if key in found else sample
    yield from found.values()


def _join(one: Sample, other: Sample) -> Sample:
    joined = {"sum": one.value + other.value, "max": max(one.value, other.value), "min": min(one.value, other.value)}
    numbers = tuple(a + b for a, b in zip(one.numbers, other.numbers, strict=True))
    return Sample(one.family, one.labels, joined[one.family.over_workers], numbers)


def _head(process: int, length: int) -> bytes:
    return process.to_bytes(4, "big") + length.to_bytes(4, "big")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
