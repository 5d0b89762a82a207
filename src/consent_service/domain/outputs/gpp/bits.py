"""Bits as text of zeros and ones, and their base64url form (RFC 4648 §5) with GPP's padding."""

from consent_service.domain.outputs.gpp.errors import GppError

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_CHARACTER = 6
_BYTE = 8
_MOST_PADDING = 23
"""The most bits that any writer appends: some pad to 24, the least common multiple of byte and character."""


def number_bits(number: int, width: int) -> str:
    """Write a number with a fixed count of bits, the highest first."""
    if not 0 <= number < 1 << width:
        raise ValueError(f"{number} does not fit into {width} bits")
    return format(number, f"0{width}b")


def text_of(bits: str) -> str:
    """Write bits as characters, as the reference library does: filled up to bytes, then to whole characters."""
    for unit in (_BYTE, _CHARACTER):
        bits += "0" * (-len(bits) % unit)
    return "".join(_ALPHABET[int(bits[i : i + _CHARACTER], 2)] for i in range(0, len(bits), _CHARACTER))


class BitReader:
    """Reads bits from one part of a GPP string and knows the place of each in the whole."""

    def __init__(self, text: str, start: int) -> None:
        """Take the part and the position of its first character; raise GppError at a character outside base64url."""
        for offset, character in enumerate(text):
            if character not in _VALUES:
                raise GppError(start + offset, "a base64url character is expected")
        self._bits = "".join(format(_VALUES[character], f"0{_CHARACTER}b") for character in text)
        self._start = start
        self._next = 0

    @property
    def position(self) -> int:
        """The place in the whole string of the character that holds the next bit."""
        return self._start + self._next // _CHARACTER

    def bit(self) -> str:
        """Read one bit."""
        if self._next >= len(self._bits):
            raise GppError(self.position, "more characters are expected")
        self._next += 1
        return self._bits[self._next - 1]

    def number(self, width: int) -> int:
        """Read a number with a fixed count of bits."""
        return int("".join(self.bit() for _ in range(width)), 2)

    def finish(self) -> None:
        """Make sure that nothing but padding is left, of whichever width."""
        rest = self._bits[self._next :]
        if "1" in rest or len(rest) > _MOST_PADDING:
            raise GppError(self.position, "only padding may follow")
