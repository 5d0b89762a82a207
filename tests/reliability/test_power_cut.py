"""A2: what was acknowledged survives a power cut on SQLite, whether unsynced writes are lost whole or torn and reordered."""

from pathlib import Path

import pytest

from consent_service.storage import sqlite
from tests.reliability.campaign import figures, times
from tests.reliability.power_cut import Keep, cut_again_and_again, lose_all, lose_at_random, record

CUTS = times(60, 1_000)
LOSSES = pytest.mark.parametrize("keep", [lose_all, lose_at_random(1)], ids=["all", "sectors"])


@LOSSES
async def test_nothing_acknowledged_is_lost_in_a_power_cut(
    tmp_path: Path, keep: Keep, request: pytest.FixtureRequest
) -> None:
    faults = cut_again_and_again(await record(tmp_path), tmp_path, CUTS, keep)
    figures("A2", f"synchronous=FULL, loses {request.node.callspec.id}", cuts=CUTS, with_a_loss=len(faults))
    assert faults == []


@LOSSES
async def test_the_cut_is_one_that_a_lesser_durability_does_not_survive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Keep, request: pytest.FixtureRequest
) -> None:
    """The guard itself: with `synchronous=NORMAL` the same cuts lose acknowledged changes."""
    monkeypatch.setattr(sqlite, "DURABILITY", "NORMAL")
    faults = cut_again_and_again(await record(tmp_path), tmp_path, CUTS, keep)
    figures("A2", f"synchronous=NORMAL, loses {request.node.callspec.id}", cuts=CUTS, with_a_loss=len(faults))
    assert any("acknowledged changes lost" in fault for fault in faults)
