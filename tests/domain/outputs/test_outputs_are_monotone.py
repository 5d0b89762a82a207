"""No output allows more to a visitor who grants less or objects more (OUT-12), over every grant set and signal."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_service.domain.vocabulary import AgeBand, Dnt, DntMode
from tests.domain.outputs.allowances import (
    DNTS,
    GRANT_SETS,
    REGIONS,
    Heights,
    fewer_grants,
    height_table,
    heights,
    more_signals,
    rises,
    silent_heights,
)
from tests.domain.outputs.visitors import EVERYTHING, aged, record_of, state_of

STRICTER = [("FR", "US-TX"), ("FR", "CA"), (None, "CA"), ("CN", "CA"), ("FR", "JP")]
"""Regions with a stricter regime, each beside one with a looser."""


def test_every_grant_set_is_looked_at() -> None:
    """OUT-12."""
    assert len(set(GRANT_SETS)) == 2**7


@pytest.mark.parametrize("band", [AgeBand.UNKNOWN, AgeBand.FROM_13_TO_15, AgeBand.CHILD])
@pytest.mark.parametrize("region", REGIONS)
def test_a_grant_taken_back_never_opens_anything(region: str | None, band: AgeBand) -> None:
    """OUT-12."""
    assert fewer_grants(height_table(region, DntMode.RESPECT, band)) == []


@pytest.mark.parametrize("mode", [DntMode.RECORD, DntMode.STRICT])
@pytest.mark.parametrize("region", REGIONS)
def test_a_grant_taken_back_never_opens_anything_in_any_dnt_mode(region: str | None, mode: DntMode) -> None:
    """OUT-12."""
    assert fewer_grants(height_table(region, mode, AgeBand.UNKNOWN)) == []


@pytest.mark.parametrize("mode", list(DntMode))
@pytest.mark.parametrize("region", REGIONS)
def test_one_more_signal_never_opens_anything(region: str | None, mode: DntMode) -> None:
    """OUT-12."""
    assert more_signals(height_table(region, mode, AgeBand.UNKNOWN)) == []


@pytest.mark.parametrize("mode", list(DntMode))
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("gpc", [False, True])
@pytest.mark.parametrize("dnt", DNTS)
def test_silence_never_opens_more_than_a_full_grant(
    region: str | None, mode: DntMode, dnt: Dnt | None, gpc: bool
) -> None:
    """OUT-12."""
    granted = height_table(region, mode, AgeBand.UNKNOWN)[EVERYTHING, dnt, gpc]
    assert rises(silent_heights(region, mode, dnt, gpc), granted) == []


@pytest.mark.parametrize("mode", list(DntMode))
@pytest.mark.parametrize(("strict", "loose"), STRICTER)
def test_a_stricter_region_never_opens_anything(strict: str | None, loose: str, mode: DntMode) -> None:
    """OUT-12, REG-10: GPP and Limited Data Use, which only the United States have, are left aside."""
    lower, upper = (height_table(region, mode, AgeBand.UNKNOWN) for region in (strict, loose))
    aside: dict[str, Heights] = {"gpp": (), "meta": ()}
    assert [key for key in upper if rises(lower[key] | aside, upper[key] | aside)] == []


@pytest.mark.parametrize("dnt", DNTS)
@pytest.mark.parametrize("gpc", [False, True])
@pytest.mark.parametrize(("strict", "loose"), STRICTER)
def test_a_stricter_region_never_opens_anything_to_silence(
    strict: str | None, loose: str, dnt: Dnt | None, gpc: bool
) -> None:
    """OUT-12."""
    lower, upper = (silent_heights(region, DntMode.RESPECT, dnt, gpc) for region in (strict, loose))
    aside: dict[str, Heights] = {"gpp": (), "meta": ()}
    assert rises(lower | aside, upper | aside) == []


@given(granted=st.sampled_from(GRANT_SETS), region=st.sampled_from(REGIONS))
def test_an_opt_out_a_restriction_or_a_young_age_never_opens_anything(
    granted: frozenset[str], region: str | None
) -> None:
    """OUT-12."""
    record = record_of(EVERYTHING & granted)
    upper = heights(state_of(record, region))
    held_back = [replace(record, opted_out=True), replace(record, restricted=True), aged(record, AgeBand.CHILD)]
    # The GPP fields about a child's consent apply to children alone and cannot be compared with an adult's.
    found = [rises({**heights(state_of(lower, region)), "gpp": ()}, {**upper, "gpp": ()}) for lower in held_back]
    assert found == [[], [], []]
