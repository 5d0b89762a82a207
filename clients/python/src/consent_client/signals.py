"""DNT and Sec-GPC: from header fields, in whatever form a framework holds them, to what the browser said.

Sources: W3C Tracking Preference Expression §5.2; Global Privacy Control draft §3.2. Malformed text counts as absent.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

# DNT-field-value = ( "0" / "1" ) *DNT-extension, an extension being any of %x21 / %x23-2B / %x2D-5B / %x5D-7E.
_DNT_VALUE = re.compile(r"([01])[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]*")

Headers = Mapping[str, str] | Iterable[tuple[str | bytes, str | bytes]]
"""A mapping of any letter case, or pairs (ASGI's bytes included)."""


class Signals(NamedTuple):
    """What the browser expressed in one request."""

    dnt: str | None = None
    gpc: bool = False


NO_SIGNALS = Signals()

_NAMES = frozenset({"dnt", "sec-gpc", b"dnt", b"sec-gpc"})


def read_signals(headers: Headers | None) -> Signals:
    """Read both signals out of a request's headers; every field counts, also where a proxy folded several into one."""
    if not headers:
        return NO_SIGNALS
    # Comparing lengths first spares lower-casing the names of most headers.
    found = [
        (name, value)
        for name, value in _pairs(headers)
        if (len(name) == 3 or len(name) == 7) and name.lower() in _NAMES  # noqa: PLR2004
    ]
    return _read_fields(tuple(found)) if found else NO_SIGNALS


@lru_cache(maxsize=256)
def _read_fields(fields: tuple[tuple[str | bytes, str | bytes], ...]) -> Signals:
    dnt = [_text(value) for name, value in fields if len(name) == len("dnt")]
    gpc = [_text(value) for name, value in fields if len(name) == len("sec-gpc")]
    return Signals(parse_dnt(dnt), parse_gpc(gpc))


def parse_dnt(fields: Iterable[str]) -> str | None:
    """Give "1", "0" or None; of differing values the protective one counts."""
    values: set[str] = set()
    for field in fields:
        members = [member.strip(" \t") for member in field.split(",")]
        # An empty member is outside the grammar, and then the whole field is.
        if "" not in members:
            values.update(match[1] for member in members if (match := _DNT_VALUE.fullmatch(member)))
    return max(values, default=None)


def parse_gpc(fields: Iterable[str]) -> bool:
    """Tell whether one member is exactly `1`; anything else is no signal."""
    return any(member.strip(" \t") == "1" for field in fields for member in field.split(","))


def text_pairs(headers: Headers) -> Iterator[tuple[str, str]]:
    """Go through headers as text, names in lower case."""
    return ((_text(name).lower(), _text(value)) for name, value in _pairs(headers))


def _pairs(headers: Headers) -> Iterable[tuple[str | bytes, str | bytes]]:
    return headers.items() if isinstance(headers, Mapping) else headers


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
