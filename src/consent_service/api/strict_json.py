"""Reads JSON as the contract wants it: nothing lax, nothing twice, nothing that the next reader would see differently.

Lax readers forge consent: `0`, `"yes"` or the second of two equal names would count as an answer.
"""

import json
import math
from typing import Any, NoReturn

from consent_service.domain.errors import ConsentError, InvalidInput

MAX_DIGITS = 30
"""The longest number that is read; nothing in the API needs more."""


class MalformedJson(ConsentError):
    """The body is not JSON (RFC 8259)."""

    code = "malformed-json"
    title = "Malformed JSON"


class UnfitJson(InvalidInput):
    """The body is JSON that readers do not agree on (RFC 7493)."""

    code = "unfit-json"
    title = "Unfit JSON"


def strict_json(body: bytes) -> Any:
    """Read one JSON document.

    Raises MalformedJson for what is no JSON or too deep, UnfitJson for NaN, infinities, huge numbers, lone
    surrogates, NUL characters and duplicate names.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise MalformedJson("The body is not UTF-8.") from None
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedJson(f"The body is not JSON: {error.msg} at character {error.pos}.") from None
    except RecursionError:
        raise MalformedJson("The body is nested too deep.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise UnfitJson("A name occurs twice in one object.")
    for name, value in pairs:
        _check_text(name)
        _check(value)
    return members


def _check(value: object) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        for item in value:
            _check(item)


def _check_text(text: str) -> None:
    if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
        raise UnfitJson("A text holds a lone surrogate.")
    if "\x00" in text:
        raise UnfitJson("A text holds a NUL character.")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or len(text) > MAX_DIGITS:
        raise UnfitJson("A number is too large or too long.")
    return value


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise UnfitJson("A number is too long.")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise UnfitJson("NaN and infinities are not JSON numbers.")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant)
