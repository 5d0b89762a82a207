"""A2: what was acknowledged survives a power cut on SQLite. CONSENT_CUTS asks for more cuts than CI does."""

import os
from pathlib import Path

import pytest

from consent_service.storage import sqlite
from tests.reliability.power_cut import Keep, cut_again_and_again, lose_all, lose_at_random, record

CUTS = int(os.environ.get("CONSENT_CUTS", "60"))
LOSSES = pytest.mark.parametrize("keep", [lose_all, lose_at_random(1)], ids=["all", "sectors"])


@LOSSES
async def test_nothing_acknowledged_is_lost_in_a_power_cut(tmp_path: Path, keep: Keep) -> None:
    faults = cut_again_and_again(await record(tmp_path), tmp_path, CUTS, keep)
    print(f"\nA2: {CUTS} cuts, {len(faults)} with a loss")
    assert faults == []


@LOSSES
async def test_the_cut_is_one_that_a_lesser_durability_does_not_survive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: Keep
) -> None:
    """The guard itself: with `synchronous=NORMAL` the same cuts lose acknowledged changes."""
    monkeypatch.setattr(sqlite, "DURABILITY", "NORMAL")
    faults = cut_again_and_again(await record(tmp_path), tmp_path, CUTS, keep)
    print(f"\nA2 with NORMAL: {CUTS} cuts, {len(faults)} with a loss")
    assert any("acknowledged changes lost" in fault for fault in faults)
