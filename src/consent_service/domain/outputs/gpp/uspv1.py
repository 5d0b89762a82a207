"""Section 6, `uspv1`: the US Privacy string (InteractiveAdvertisingBureau/USPrivacy), superseded and only read."""

from dataclasses import dataclass

from consent_service.domain.outputs.gpp.errors import GppError

SECTION = 6
_LENGTH = 4
_VERSION = "1"
_ANSWERS = {"Y": True, "N": False, "-": None}


@dataclass(frozen=True, slots=True)
class UsPrivacy:
    """Three answers, each None where it does not apply."""

    notice: bool | None
    sale_opt_out: bool | None
    lspa_covered: bool | None


def read_uspv1(text: str, start: int) -> UsPrivacy:
    """Read the four characters: the version and three answers of Y, N or -, in either letter case."""
    if text[:1] != _VERSION:
        raise GppError(start, "version 1 of the US Privacy string is expected")
    for offset, letter in enumerate(text[1:_LENGTH], start=1):
        if letter not in "YNyn-":
            raise GppError(start + offset, "Y, N or - is expected")
    if len(text) != _LENGTH:
        raise GppError(start + min(len(text), _LENGTH), "a US Privacy string has four characters")
    notice, sale_opt_out, lspa_covered = (_ANSWERS[letter] for letter in text[1:].upper())
    return UsPrivacy(notice, sale_opt_out, lspa_covered)
