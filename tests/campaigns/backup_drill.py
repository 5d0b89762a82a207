"""A6: back up a serving installation, lose it, restore it on another machine, and verify; on both databases.

Run as a program (`make drill-backup`) it prints each step. The service really listens and is really killed. What must
fail does: an older state against a checkpoint kept elsewhere, and whatever was cut off.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.campaigns.backup_machine import DrillFailed, Machine, accept, decides_as_before, keep, say
from tests.campaigns.backup_postgres import drill_postgres
from tests.reliability.campaign import machine as this_machine
from tests.support.postgres_programs import PostgresNotFoundError

VISITORS = 1_000


def drill_sqlite(root: Path, visitors: int) -> None:
    """Go through the drill with the service's own command."""
    lost, other = (Machine(root / part, f"sqlite:///{root / part / 'consent.db'}") for part in ("one", "other"))
    copy = root / "copy.db"
    lost.directory.mkdir()
    other.directory.mkdir()
    with lost.serving() as client:
        visitor = accept(client, visitors)
        lost.must("backup", str(copy))
        shutil.copytree(lost.directory / "keys", other.directory / "keys")
        covered = keep(client, root / "covered.txt")
        accept(client, 5)
        newer = keep(client, root / "newer.txt")
    shutil.rmtree(lost.directory)
    say("SQLite: backed up while serving, then killed and lost")
    shutil.copy(copy, other.directory / "consent.db")
    other.must("evidence", "verify", "--checkpoint", str(covered))
    say("SQLite: restored elsewhere, the log verifies against the checkpoint of the moment of the backup")
    decides_as_before(other, visitor)
    say("SQLite: the restored service decides as before")
    said = other.must_fail("evidence", "verify", "--checkpoint", str(newer))
    say(f"SQLite: against a younger checkpoint it fails, as it must: {said.partition('sound: ')[2]}")
    _cut_off(copy, other)


def _cut_off(copy: Path, other: Machine) -> None:
    target = other.directory / "consent.db"
    target.with_name("consent.db-wal").unlink(missing_ok=True)
    target.with_name("consent.db-shm").unlink(missing_ok=True)
    content = copy.read_bytes()
    target.write_bytes(content[: len(content) // 2])
    say(f"SQLite: a file that was cut off fails, as it must: {other.must_fail('evidence', 'verify')}")


def main() -> int:
    """Run the drill on both databases."""
    visitors = int(os.environ.get("CONSENT_VISITORS", VISITORS))
    say(f"{visitors} visitors on {this_machine()}")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        try:
            drill_sqlite(root, visitors)
            drill_postgres(root, visitors)
        except (DrillFailed, PostgresNotFoundError) as failure:
            say(f"FAILED: {failure}")
            return 1
    say("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
