"""A whole GPP string: the header and its sections, joined by `~`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from consent_service.domain.outputs.gpp import usca, usnat, uspv1
from consent_service.domain.outputs.gpp.errors import GppError
from consent_service.domain.outputs.gpp.header import decode_header, encode_header
from consent_service.domain.outputs.gpp.usca import UsCa
from consent_service.domain.outputs.gpp.usnat import UsNat
from consent_service.domain.outputs.gpp.uspv1 import UsPrivacy

Content = UsNat | UsCa | UsPrivacy

_STATES = "usva usco usut usct usfl usmt usor ustx usde usia usne usnh usnj ustn usmn usmd usin usky usri"
SECTION_NAMES: Mapping[int, str] = MappingProxyType(
    {2: "tcfeuv2", 5: "tcfcav1", 6: "uspv1", 7: "usnat", 8: "usca", **dict(enumerate(_STATES.split(), start=9))}
)

_READERS: Mapping[int, Callable[[str, int], Content]] = {
    uspv1.SECTION: uspv1.read_uspv1,
    usnat.SECTION: usnat.read_usnat,
    usca.SECTION: usca.read_usca,
}


@dataclass(frozen=True, slots=True)
class Section:
    """One section as it stands, and what it says where this service can read it."""

    id: int
    name: str | None
    """None where the specification knows no such section."""
    text: str
    content: Content | None


def encode(sections: Mapping[int, str]) -> str:
    """Join sections, already written, in the order of their ids."""
    return "~".join([encode_header(sections), *(sections[number] for number in sorted(sections))])


def decode(text: str) -> tuple[Section, ...]:
    """Read a string in either padding; a section that this service does not read keeps its text.

    Raises GppError, and nothing else, for whatever is no GPP string.
    """
    header, *parts = text.split("~")
    ids = decode_header(header, len(parts))
    if len(ids) < len(parts):
        surplus = sum(len(part) + 1 for part in [header, *parts[: len(ids)]])
        raise GppError(surplus, "the header names fewer sections than follow it")
    sections: list[Section] = []
    start = len(header) + 1
    for number, part in zip(ids, parts, strict=True):
        sections.append(_read(number, part, start))
        start += len(part) + 1
    return tuple(sections)


def _read(number: int, part: str, start: int) -> Section:
    if not part:
        raise GppError(start, "a section is expected")
    read = _READERS.get(number)
    return Section(number, SECTION_NAMES.get(number), part, read(part, start) if read else None)
