"""What the sections for the United States share: two-bit answers and the GPC sub-section."""

from collections.abc import Iterable

from consent_service.domain.outputs.gpp.bits import BitReader, number_bits, text_of
from consent_service.domain.outputs.gpp.errors import GppError

NOT_APPLICABLE = 0
NOTICE_GIVEN = 1
OPTED_OUT = 1
NOT_OPTED_OUT = 2
NO_CONSENT = 1
CONSENT = 2
NO = 2
"""The answer to the questions about the MSPA, the industry's contract."""

_VERSION_BITS = 6
_ANSWER_BITS = 2
_GPC_TYPE = 1
_HIGHEST_ANSWER = 2


def encode_core(version: int, answers: Iterable[int]) -> str:
    """Write a core sub-section: its version and then all its answers, of two bits each."""
    return text_of(
        number_bits(version, _VERSION_BITS) + "".join(number_bits(answer, _ANSWER_BITS) for answer in answers)
    )


def read_version(reader: BitReader, known: Iterable[int]) -> int:
    """Read the version of a section; its fields cannot be told apart where it is not a known one."""
    place = reader.position
    version = reader.number(_VERSION_BITS)
    if version not in known:
        raise GppError(place, "the section has a version that is not known")
    return version


def read_answer(reader: BitReader) -> int:
    """Read one answer of 0, 1 or 2."""
    place = reader.position
    answer = reader.number(_ANSWER_BITS)
    if answer > _HIGHEST_ANSWER:
        raise GppError(place, "a field holds 3, which no field may")
    return answer


def read_answers(reader: BitReader, count: int) -> tuple[int, ...]:
    """Read a list of answers."""
    return tuple(read_answer(reader) for _ in range(count))


def encode_gpc(gpc: bool) -> str:
    """Write the GPC sub-section; a set bit means that the signal is on."""
    return text_of(number_bits(_GPC_TYPE, _ANSWER_BITS) + number_bits(int(gpc), 1))


def read_gpc(text: str, start: int) -> bool:
    """Read the GPC sub-section, which is the only one there is beside the core."""
    reader = BitReader(text, start)
    if reader.number(_ANSWER_BITS) != _GPC_TYPE:
        raise GppError(start, "the GPC sub-section is expected")
    gpc = reader.bit() == "1"
    reader.finish()
    return gpc


def split_section(text: str, start: int) -> tuple[str, bool | None]:
    """Part a section into its core and the GPC signal; None where it has no such sub-section."""
    core, dot, rest = text.partition(".")
    return core, read_gpc(rest, start + len(core) + 1) if dot else None
