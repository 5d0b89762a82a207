"""Reads an untrusted document member by member and remembers every fault with its pointer.

A reader never raises on bad input: it notes a fault and gives a harmless stand-in, so that one pass names
everything that is wrong. The caller must look at `faults` before it uses what was read. A member that is absent is
no fault of its readers (`only` has named it where it is required); one that is null is.
"""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TypeVar

from consent_service.domain.errors import Fault

Value = TypeVar("Value")
Word = TypeVar("Word", bound=Enum)

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
"""Control characters but tab and newline, and lone surrogates."""

MAX_TEXT = 10_000
"""The longest text a document may hold, in characters."""


class Node:
    """One place in a document: its value, its RFC 6901 pointer and the list of faults that all places share."""

    __slots__ = ("absent", "faults", "pointer", "value")

    def __init__(
        self, value: object, pointer: str = "", faults: list[Fault] | None = None, *, absent: bool = False
    ) -> None:
        """Stand at a value; without a list of faults this is the document itself."""
        self.value = value
        self.absent = absent
        self.pointer = pointer
        self.faults: list[Fault] = [] if faults is None else faults

    def fault(self, code: str, message: str) -> None:
        """Note that something is wrong here."""
        self.faults.append(Fault(self.pointer, code, message))

    def _expected(self, code: str, message: str) -> None:
        if not self.absent:
            self.fault(code, message)

    def at(self, member: str | int) -> "Node":
        """Go to a member, which may be absent (then its value is None)."""
        pointer = f"{self.pointer}/{str(member).replace('~', '~0').replace('/', '~1')}"
        if isinstance(self.value, list) and isinstance(member, int):
            return Node(self.value[member], pointer, self.faults)
        if isinstance(self.value, dict) and isinstance(member, str) and member in self.value:
            return Node(self.value[member], pointer, self.faults)
        return Node(None, pointer, self.faults, absent=True)

    def has(self, member: str) -> bool:
        """Tell whether a member is there, null included."""
        return isinstance(self.value, dict) and member in self.value

    def only(self, required: frozenset[str], optional: frozenset[str] = frozenset()) -> None:
        """Ask for an object with these members and no others."""
        if not isinstance(self.value, dict):
            self._expected("object-expected", "an object is expected")
            return
        for name in sorted(required - self.value.keys()):
            self.at(name).fault("missing", "this member is required")
        for name in sorted(map(str, self.value.keys() - required - optional)):
            self.at(name).fault("unknown-member", "no such member is known here")

    def members(self) -> Iterator[tuple[str, "Node"]]:
        """Go through an object's members; anything else is a fault and has none."""
        if not isinstance(self.value, dict):
            self._expected("object-expected", "an object is expected")
            return
        for name in self.value:
            if isinstance(name, str):
                yield name, self.at(name)
            else:
                self.fault("name-expected", "member names must be texts; put quotes around them")

    def items(self) -> Iterator["Node"]:
        """Go through a list's items; anything else is a fault and has none."""
        if not isinstance(self.value, list):
            self._expected("list-expected", "a list is expected")
            return
        for index in range(len(self.value)):
            yield self.at(index)

    def text(self, *, empty: bool = False) -> str:
        """Read a text without control characters; an empty one only where `empty` says so."""
        if not isinstance(self.value, str):
            self._expected("text-expected", "a text is expected")
            return ""
        if not empty and not self.value.strip():
            self.fault("text-empty", "this text must not be empty")
        if len(self.value) > MAX_TEXT or _UNFIT.search(self.value):
            self.fault("text-unfit", f"at most {MAX_TEXT} characters and no control characters")
            return ""
        return self.value

    def flag(self, default: bool) -> bool:
        """Read true or false; `default` where the member is absent."""
        if self.absent:
            return default
        if not isinstance(self.value, bool):
            self.fault("boolean-expected", "true or false is expected")
            return default
        return self.value

    def whole(self, low: int, high: int) -> int:
        """Read a whole number within bounds, both included."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not low <= self.value <= high:
            self._expected("number-expected", f"a whole number from {low} to {high} is expected")
            return low
        return self.value

    def word(self, words: type[Word], default: Word) -> Word:
        """Read one word of a closed vocabulary; `default` where the member is absent."""
        if self.absent:
            return default
        for word in words:
            if word.value == self.value:
                return word
        self.fault("word-unknown", "one of these is expected: " + ", ".join(str(w.value) for w in words))
        return default

    def parsed(self, parse: Callable[[str], Value], code: str, default: Value) -> Value:
        """Read a text and parse it; the parser's ValueError becomes the fault's message."""
        text = self.text()
        if not text.strip():
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.fault(code, str(error))
            return default
