"""The header of a GPP string: which sections follow, in which order."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from consent_service.domain.outputs.gpp.bits import BitReader, number_bits, text_of
from consent_service.domain.outputs.gpp.errors import GppError
from consent_service.domain.outputs.gpp.fibonacci import fibonacci_bits, read_fibonacci

_TYPE = 3
_VERSION = 1
_TYPE_BITS = 6
_COUNT_BITS = 12


def encode_header(ids: Iterable[int]) -> str:
    """Write the header for these section ids."""
    runs = _runs(sorted(set(ids)))
    bits = number_bits(_TYPE, _TYPE_BITS) + number_bits(_VERSION, _TYPE_BITS) + number_bits(len(runs), _COUNT_BITS)
    last = 0
    for first, end in runs:
        bits += ("1" if end > first else "0") + fibonacci_bits(first - last)
        bits += fibonacci_bits(end - first) if end > first else ""
        last = end
    return text_of(bits)


def decode_header(text: str, most: int) -> tuple[int, ...]:
    """Read the ids that a header names; more than `most` are refused before they are counted out."""
    reader = BitReader(text, 0)
    if reader.number(_TYPE_BITS) != _TYPE:
        raise GppError(0, "a header is expected, which starts with D")
    if reader.number(_TYPE_BITS) != _VERSION:
        raise GppError(1, "version 1 of the header is expected")
    ids: list[int] = []
    last = 0
    for _ in range(reader.number(_COUNT_BITS)):
        place = reader.position
        is_run = reader.bit() == "1"
        first = last + read_fibonacci(reader)
        last = first + read_fibonacci(reader) if is_run else first
        if len(ids) + last - first + 1 > most:
            raise GppError(place, f"the header names more than the {most} section(s) that follow it")
        ids.extend(range(first, last + 1))
    reader.finish()
    return tuple(ids)


def _runs(ids: Sequence[int]) -> list[tuple[int, int]]:
    if not ids:
        return []
    breaks = [i for i, (one, other) in enumerate(pairwise(ids), start=1) if other != one + 1]
    return [(ids[i], ids[j - 1]) for i, j in pairwise([0, *breaks, len(ids)])]
