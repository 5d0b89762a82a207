"""Fibonacci coding: each number is a sum of Fibonacci numbers, no two adjacent, and its code ends with `11`."""

from consent_service.domain.outputs.gpp.bits import BitReader
from consent_service.domain.outputs.gpp.errors import GppError

_LONGEST = 24
"""The most bits of a code that is read; 24 reach beyond 46,000, and no section has a number near that."""


def _fibonacci(count: int) -> list[int]:
    numbers = [1, 2]
    while len(numbers) < count:
        numbers.append(numbers[-1] + numbers[-2])
    return numbers[:count]


_NUMBERS = _fibonacci(_LONGEST)


def fibonacci_bits(number: int) -> str:
    """Write a number from 1 on; the smallest Fibonacci number comes first."""
    if not 1 <= number <= _NUMBERS[-1]:
        raise ValueError(f"{number} has no Fibonacci code here")
    code = ""
    for value in reversed([value for value in _NUMBERS if value <= number]):
        code = ("1" if value <= number else "0") + code
        number -= value if value <= number else 0
    return code + "1"


def read_fibonacci(reader: BitReader) -> int:
    """Read one number."""
    start = reader.position
    number, before = 0, "0"
    for value in _NUMBERS:
        bit = reader.bit()
        if before == bit == "1":
            return number
        number += value if bit == "1" else 0
        before = bit
    raise GppError(start, "a Fibonacci code is expected")
