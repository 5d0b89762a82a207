"""What a process takes from the system: the time and randomness, in this one place."""

import secrets
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Tell the time: the service's only clock."""
    return datetime.now(UTC)


_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


class RandomIds:
    """Makes random UUIDs (RFC 9562, version 4), the service's only source of ids.

    Randomness is taken from the system for many ids at once: a call for each would cost as much as a decision.
    """

    _AT_ONCE = 256
    _BYTES = 16

    def __init__(self) -> None:
        """Begin without a store of randomness."""
        self._random = b""
        self._used = 0

    def __call__(self) -> str:
        """Make one id; not for several threads at once."""
        if self._used == len(self._random):
            self._random, self._used = secrets.token_bytes(self._AT_ONCE * self._BYTES), 0
        start, self._used = self._used, self._used + self._BYTES
        digits = self._random[start : self._used].hex()
        # Version 4 and the variant of RFC 9562 §4.1 in their places, without the detour over uuid.UUID.
        variant = _VARIANT[digits[16]]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
