"""Turns every output into numbers that grow with what it allows, so that two states can be compared point by point."""

from collections.abc import Iterator
from functools import cache
from itertools import chain, combinations, product

from consent_service.domain.outputs.formats import FORMATS
from consent_service.domain.outputs.gpp.codec import decode
from consent_service.domain.outputs.gpp.output import gpp
from consent_service.domain.outputs.gpp.usca import UsCa
from consent_service.domain.outputs.gpp.usnat import UsNat
from consent_service.domain.outputs.state import OutputState
from consent_service.domain.vocabulary import AgeBand, Category, Dnt, DntMode
from tests.domain.outputs.visitors import OPTIONAL, aged, record_of, rules, silent_record, state_of

Grants = frozenset[Category]
Heights = tuple[int, ...]

GRANT_SETS: tuple[Grants, ...] = tuple(
    frozenset(chosen) for count in range(len(OPTIONAL) + 1) for chosen in combinations(OPTIONAL, count)
)
DNTS = (None, Dnt.ALLOW, Dnt.DO_NOT_TRACK)
REGIONS = ("FR", "US-CA", "US-TX", "CN", "CA", "JP", None)
"""Opt-in, opt-out with either GPP section, separate consent, opt-out without GPP, notice, and the unknown region."""

_HEIGHT = {"denied": 0, "granted": 1, "deny": 0, "allow": 1, "revoke": 0, "grant": 1, False: 0, True: 1}
_PARAMETERS = {"wait_for_update", "region"}


def heights(state: OutputState) -> dict[str, Heights]:
    """Give, for every format, one number for each thing that it allows or denies."""
    found = {name: tuple(_members(output(state))) for name, output in FORMATS.items()}
    text = gpp(state, enabled=True)["gpp"]
    # Bound to say nothing, GPP allows nothing; where it speaks its numbers are compared with those of the same region.
    found["gpp"] = tuple(_answers(text)) if isinstance(text, str) else ()
    return found


def _members(output: dict[str, object]) -> Iterator[int]:
    for name, value in output.items():
        if isinstance(value, dict):
            yield from _members(value)
        elif name == "data_processing_options":
            yield 0 if value else 1
        elif name not in _PARAMETERS:
            assert isinstance(value, str | bool)
            yield _HEIGHT[value]


@cache
def _answers(text: str) -> Heights:
    content = decode(text)[0].content
    assert isinstance(content, UsNat | UsCa)
    opt_outs = [content.sale_opt_out, content.sharing_opt_out]
    if isinstance(content, UsNat):
        opt_outs.append(content.targeted_advertising_opt_out)
    return tuple(chain(opt_outs, content.known_child_sensitive_data_consents, [0 if content.gpc else 1]))


@cache
def height_table(
    region: str | None, mode: DntMode, band: AgeBand
) -> dict[tuple[Grants, Dnt | None, bool], dict[str, Heights]]:
    """Give the heights for every set of grants and every combination of signals."""
    under = rules(mode)
    return {
        (granted, dnt, gpc): heights(state_of(aged(record_of(granted), band), region, dnt=dnt, gpc=gpc, under=under))
        for granted, dnt, gpc in product(GRANT_SETS, DNTS, (False, True))
    }


def silent_heights(region: str | None, mode: DntMode, dnt: Dnt | None, gpc: bool) -> dict[str, Heights]:
    """Give the heights for a visitor who has chosen nothing."""
    return heights(state_of(silent_record(), region, dnt=dnt, gpc=gpc, under=rules(mode)))


def rises(lower: dict[str, Heights], upper: dict[str, Heights]) -> list[str]:
    """Name the formats in which the state that should allow less allows something more."""
    return [name for name in upper if any(low > up for low, up in zip(lower[name], upper[name], strict=True))]


def fewer_grants(table: dict[tuple[Grants, Dnt | None, bool], dict[str, Heights]]) -> list[object]:
    """Take each grant away from each set, and name what allows more after it."""
    return [
        (sorted(granted), taken, dnt, gpc, faults)
        for (granted, dnt, gpc), upper in table.items()
        for taken in granted
        if (faults := rises(table[granted - {taken}, dnt, gpc], upper))
    ]


def more_signals(table: dict[tuple[Grants, Dnt | None, bool], dict[str, Heights]]) -> list[object]:
    """Add DNT or GPC to each state, and name what allows more after it."""
    return [
        (sorted(granted), dnt, gpc, louder, faults)
        for (granted, dnt, gpc), upper in table.items()
        for louder in ((Dnt.DO_NOT_TRACK, gpc), (dnt, True))
        if (faults := rises(table[granted, *louder], upper))
    ]
