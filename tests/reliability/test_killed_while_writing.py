"""A1: what was acknowledged survives `kill -9` and the log is whole. CONSENT_KILLS asks for more rounds than CI does."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection

from consent_service.service.identity import Identity
from consent_service.storage.keyring import Keyring
from consent_service.storage.migrate import upgrade
from consent_service.storage.verification import verify_log
from tests.reliability.writing_child import open_store
from tests.support.builders import SITE

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("CONSENT_KILLS", "5"))


def acknowledged_before_a_kill(url: str, keys: Path, number: int) -> dict[int, str]:
    """Let a process write, kill it at some moment, and give what it had acknowledged: seq to visitor."""
    command = [sys.executable, "-m", "tests.reliability.writing_child", url, str(keys), str(number * 10_000_000)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(0.05 + 0.03 * (number % 7))
    child.kill()
    lines = [first, *child.stdout.read().splitlines(keepends=True)]
    child.wait()
    child.stdout.close()
    return {int(seq): who for seq, who in (line.split() for line in lines if line.endswith("\n"))}


async def lost(url: str, keys: Path, acknowledged: dict[int, str]) -> tuple[list[int], object]:
    """Open the store again: which acknowledged events are missing, and what is wrong with the log."""
    store = open_store(url, keys)
    await store.start()
    try:
        events = await store.log.events(SITE, -1, 1_000_000)
        kept = {event.seq: event.visitor_id for event in events}
        pseudonym = Identity(Keyring(keys).mac).pseudonym

        def verify(connection: Connection) -> object:
            return verify_log(connection, SITE, [], pseudonym, lambda _: None)[1]

        return [seq for seq, who in acknowledged.items() if kept.get(seq) != who], await store.read(verify)
    finally:
        await store.stop()


def kill_again_and_again(url: str, keys: Path) -> tuple[int, list[int], list[object]]:
    """Kill so many times; gives how much was acknowledged, what was lost, and what was found wrong."""
    upgrade(url)
    everything: dict[int, str] = {}
    missing: list[int] = []
    findings: list[object] = []
    for number in range(KILLS):
        everything |= acknowledged_before_a_kill(url, keys, number)
        gone, finding = asyncio.run(lost(url, keys, everything))
        missing += gone
        findings += [finding] if finding else []
    return len(everything), missing, findings


def test_nothing_acknowledged_is_lost_when_the_process_is_killed_on_sqlite(tmp_path: Path) -> None:
    acknowledged, missing, findings = kill_again_and_again(f"sqlite:///{tmp_path / 'consent.db'}", tmp_path / "keys")
    print(f"\nA1 SQLite: {KILLS} kills, {acknowledged} acknowledged, {len(missing)} lost")
    assert acknowledged > KILLS
    assert (missing, findings) == ([], [])


def test_nothing_acknowledged_is_lost_when_the_process_is_killed_on_postgresql(
    postgres_database: str, tmp_path: Path
) -> None:
    acknowledged, missing, findings = kill_again_and_again(postgres_database, tmp_path / "keys")
    print(f"\nA1 PostgreSQL: {KILLS} kills, {acknowledged} acknowledged, {len(missing)} lost")
    assert acknowledged > KILLS
    assert (missing, findings) == ([], [])


@pytest.fixture(autouse=True)
def _tests_can_be_imported_by_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
