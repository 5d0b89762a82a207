"""Canonical JSON (RFC 8785), as far as event payloads need it: ASCII member names and no fractions."""

import json
from collections.abc import Mapping, Sequence

MAX_INTEGER = 2**53 - 1
"""The largest whole number that every JSON reader keeps exact (RFC 8785 §3.2.2.3, RFC 7493 §2.2)."""
MAX_DEPTH = 32


_PLAIN = frozenset({str, bool, type(None)})
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


class NotCanonical(ValueError):
    """The value has no canonical JSON form that every reader would agree on."""


def canonical_json(value: object) -> bytes:
    """Serialise `value` in the one way that RFC 8785 allows, as UTF-8.

    Raises NotCanonical for floats, integers of 2**53 and above, lone surrogates, member names outside ASCII and
    anything that is not JSON. ASCII names make the order of code points and of UTF-16 units the same.
    """
    _check(value, MAX_DEPTH)
    text = _encode(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise NotCanonical("a string holds a lone surrogate") from None


def _check(value: object, depth: int) -> None:
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        _check_integer(value)
    elif depth == 0:
        raise NotCanonical(f"nested more than {MAX_DEPTH} deep")
    elif isinstance(value, dict):
        _check_members(value, depth - 1)
    elif isinstance(value, list | tuple):
        _check_items(value, depth - 1)
    else:
        raise NotCanonical("only objects, lists, strings, whole numbers, booleans and null have a canonical form here")


def _check_integer(value: int) -> None:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise NotCanonical("a whole number lies outside what every JSON reader keeps exact")


def _check_members(members: Mapping[object, object], depth: int) -> None:
    for name, value in members.items():
        if not isinstance(name, str) or not name.isascii():
            raise NotCanonical("a member name is not an ASCII string")
        if type(value) not in _PLAIN:
            _check(value, depth)


def _check_items(items: Sequence[object], depth: int) -> None:
    for value in items:
        _check(value, depth)
