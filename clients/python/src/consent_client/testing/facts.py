"""What the rules look at when they judge one thing for one visitor, flattened to a few words each."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import product
from typing import Literal

_DIMENSIONS: dict[str, tuple[object, ...]] = {
    "exempt": (False, True),
    "restricted": (False, True),
    "child": (False, True),
    "objected": (False, True),
    "shares": (False, True),
    "gpc": (False, True),
    "opted_out": (False, True),
    "choice": ("none", "granted", "denied", "withdrawn", "expired", "policy_changed"),
    "dnt": ("off", "respect", "strict"),
    "open_regime": (False, True),
    "separate_missing": (False, True),
}

ChoiceWord = Literal["none", "granted", "denied", "withdrawn", "expired", "policy_changed"]


@dataclass(frozen=True, slots=True)
class Facts:
    """One combination; `dnt` is the mode where "do not track" is on and the category tracks, else off."""

    exempt: bool = False
    restricted: bool = False
    child: bool = False
    objected: bool = False
    shares: bool = False
    gpc: bool = False
    opted_out: bool = False
    choice: ChoiceWord = "none"
    dnt: Literal["off", "respect", "strict"] = "off"
    open_regime: bool = False
    separate_missing: bool = False

    def index(self) -> int:
        """Give the place of this combination among all of them."""
        place = 0
        for field in fields(self):
            values = _DIMENSIONS[field.name]
            place = place * len(values) + values.index(getattr(self, field.name))
        return place


def all_facts() -> Iterator[Facts]:
    """Go through every combination, in the order of their places."""
    for values in product(*_DIMENSIONS.values()):
        yield Facts(*values)  # type: ignore[arg-type]
