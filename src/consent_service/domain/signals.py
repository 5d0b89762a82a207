"""From the text of the DNT and Sec-GPC header fields to what the browser said.

Sources: W3C Tracking Preference Expression §5.2 (DNT) and the Global Privacy Control draft §3.2 (Sec-GPC);
rules.md SIG-01 to SIG-04, SIG-09, SIG-10, SIG-25 and SIG-26.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from consent_service.domain.vocabulary import Dnt

# DNT-field-value = ( "0" / "1" ) *DNT-extension, where an extension is any of %x21 / %x23-2B / %x2D-5B / %x5D-7E.
_DNT_VALUE = re.compile(r"([01])[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]*")


@dataclass(frozen=True, slots=True)
class Signals:
    """What the browser expressed in one request; `dnt` is None and `gpc` False where it said nothing."""

    dnt: Dnt | None = None
    gpc: bool = False

    def joined(self, other: "Signals") -> "Signals":
        """Join two expressions of the same browser, the protective one first (SIG-25, SIG-26)."""
        return Signals(_protective([self.dnt, other.dnt]), self.gpc or other.gpc)


NO_SIGNALS = Signals()


def parse_signals(dnt_fields: Iterable[str], gpc_fields: Iterable[str]) -> Signals:
    """Read all fields of both headers, in the order received; malformed text counts as absent, never as an error."""
    return Signals(_protective([parse_dnt(field) for field in dnt_fields]), any(map(parse_gpc, gpc_fields)))


def parse_dnt(field: str) -> Dnt | None:
    """Read one DNT field, which a proxy may have folded out of several (`0, 1`).

    Only the first character of a value counts (SIG-02). An empty member is outside the grammar, and then the
    whole field is; a malformed member beside a good one is passed over (SIG-03, SIG-04).
    """
    members = [member.strip(" \t") for member in field.split(",")]
    if "" in members:
        return None
    return _protective([_dnt_value(member) for member in members])


def parse_gpc(field: str) -> bool:
    """Tell whether one Sec-GPC field, possibly folded, holds exactly `1` (GPC §3.2: anything else is no signal)."""
    return any(member.strip(" \t") == "1" for member in field.split(","))


def _dnt_value(text: str) -> Dnt | None:
    match = _DNT_VALUE.fullmatch(text)
    return Dnt(match[1]) if match else None


def _protective(values: list[Dnt | None]) -> Dnt | None:
    if Dnt.DO_NOT_TRACK in values:
        return Dnt.DO_NOT_TRACK
    return Dnt.ALLOW if Dnt.ALLOW in values else None
