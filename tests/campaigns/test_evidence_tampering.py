"""A4 in a short form on both databases; `make tamper` is the long form."""

from pathlib import Path

import pytest

from tests.campaigns.evidence_store import sqlite_url
from tests.campaigns.evidence_tampering import Installation, alarms_under_writes, installation, tamper

MUTATIONS, WRITES = 36, 150


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of each of the two databases in turn."""
    found: str = sqlite_url(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres_database")
    return found


async def test_every_mutation_is_found_given_one_checkpoint_kept_elsewhere(url: str, tmp_path: Path) -> None:
    """A4, EVD-02: flips, deletions, insertions, changes of order, cuts and replacements, triggers dropped."""
    log = await installation(url, tmp_path, 30)
    figures = await tamper(log, MUTATIONS)
    await log.store.stop()
    assert (figures.made.total(), figures.missed) == (MUTATIONS, 0)


async def test_where_nobody_kept_a_checkpoint_a_log_can_be_cut_off_or_rewritten_unseen(tmp_path: Path) -> None:
    """What the checkpoint kept elsewhere is for, and that the mutations above are as good as they can be."""
    log = await installation(sqlite_url(tmp_path), tmp_path, 30)
    figures = await tamper(Installation(log.store, log.keyring), MUTATIONS)
    await log.store.stop()
    unseen = {kind for kind in figures.made if figures.found[kind] < figures.made[kind]}
    assert "replace" in unseen
    assert unseen <= {"truncate", "replace"}


async def test_three_replicas_write_and_no_verification_raises_an_alarm(postgres_database: str, tmp_path: Path) -> None:
    """A4: 0 false alarms."""
    log = await installation(postgres_database, tmp_path, 10)
    rounds, alarms = await alarms_under_writes(log, postgres_database, tmp_path, WRITES)
    await log.store.stop()
    assert (rounds > 1, alarms) == (True, 0)
