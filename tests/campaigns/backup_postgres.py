"""A6 on PostgreSQL, by its own tools: what docs/operations.md says is run as it stands there.

Base backup, dump and archive are made while the service serves and visitors answer; then the server is killed and its
files are removed. A moment is restored from the base backup and the archive on a new server, and the dump beside it.
Copies with something cut off must be seen to be so before anybody serves from them.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.campaigns.backup_cuts import halve, halve_a_table_in
from tests.campaigns.backup_machine import DrillFailed, Machine, accept, decides_as_before, keep, say
from tests.campaigns.documented_commands import Commands
from tests.support.accounts import server_account, temporary_directory
from tests.support.postgres import PostgresServer, PostgresStartError, ask, execute, with_database

NEEDED = ("pg_basebackup", "pg_verifybackup", "pg_dump", "pg_restore", "createdb")
_LOST = "shop"
"""The database that is lost; the page's dump comes back as `consent`, beside it where the moment was restored."""
_ARCHIVE_SECONDS = 60


@dataclass(frozen=True)
class Kept:
    """What lies outside the lost machine, and what is known about it."""

    root: Path
    """Checkpoints: `covered` by the backup, `wanted` at the moment that is restored, and `newer` than that."""
    backup: Path
    moment: str
    early: str
    """A visitor who accepted before the backup was begun."""
    late: str
    """A visitor who accepted after it, and before the moment: the archive alone knows."""

    def cut(self, name: str, part: str, cut: Callable[[Path], None]) -> Path:
        """Copy the backup and cut something off its part."""
        copy = self.backup.with_name(name)
        shutil.copytree(self.backup, copy)
        cut(copy / part)
        _hand_over(copy)
        return copy


def drill_postgres(root: Path, visitors: int, *, thorough: bool = True) -> None:
    """Go through the drill; a thorough one also serves from what was restored, and cuts more off."""
    home = temporary_directory("consent-backups-", server_account())
    try:
        (home / "backup" / "wal").mkdir(parents=True)
        _hand_over(home / "backup")
        kept = _back_up_and_lose(root, home / "backup", visitors)
        _see_a_base_backup_cut_off(kept, "table", halve_a_table_in, "pg_verifybackup: error: ")
        if thorough:
            _see_a_base_backup_cut_off(kept, "tar", halve, "tar: ")
            _see_the_archive_cut_off(kept)
        with _server() as server:
            moment, dump = _restore_a_moment(kept, server), _restore_a_dump(kept, server)
            _fail_against_what_is_younger(kept, moment, "newer")
            if thorough:
                _fail_against_what_is_younger(kept, dump, "wanted")
                decides_as_before(moment, kept.late)
                decides_as_before(dump, kept.early)
                say("PostgreSQL: services on what was restored decide as before")
    finally:
        shutil.rmtree(home)


def _back_up_and_lose(root: Path, backup: Path, visitors: int) -> Kept:
    archiving = Commands(root, backup, root, root, {}).settings("Archive the write-ahead log")
    with _server(**archiving) as server, ThreadPoolExecutor(1) as aside:
        server.start()
        execute(server.url, f"CREATE DATABASE {_LOST}")
        lost = Machine(root / "lost", with_database(server.url, _LOST))
        lost.directory.mkdir()
        with lost.serving() as client:
            early = accept(client, visitors)
            keep(client, root / "covered.txt")
            meanwhile = aside.submit(accept, client, max(visitors // 10, 10))
            began = time.monotonic()
            _shell(root, backup, server, lost).must("Take a backup")
            seconds = time.monotonic() - began
            meanwhile.result()
            late = accept(client, 10)
            keep(client, root / "wanted.txt")
            _switch_segments(server.url, backup / "wal")
            moment = str(ask(server.url, "SELECT now()::text"))
            accept(client, 5)
            keep(client, root / "newer.txt")
            _switch_segments(server.url, backup / "wal")
        version = ask(server.url, "SHOW server_version")
        server.kill()
        shutil.rmtree(lost.directory)
    sizes = f"base {_megabytes(backup / 'base' / 'base.tar.gz')}, dump {_megabytes(backup / 'consent.dump')}"
    say(f"PostgreSQL {version}: {visitors} visitors backed up in {seconds:.1f} s while others answered ({sizes})")
    say("PostgreSQL: server, database and keys are lost")
    return Kept(root, backup, moment, early, late)


def _see_a_base_backup_cut_off(kept: Kept, part: str, cut: Callable[[Path], None], seen_by: str) -> None:
    with _server() as server:
        backup = kept.cut(part, "base/base.tar.gz", cut)
        shell = _shell(kept.root, backup, server, Machine(kept.root / part, server.url), kept.moment)
        said = shell.must_fail("Restore a moment", seen_by)
    say(f"PostgreSQL: a base backup whose {part} was cut off fails, as it must: {said}")


def _see_the_archive_cut_off(kept: Kept) -> None:
    segment = max((kept.backup / "wal").glob("[0-9A-F]" * 24)).name
    with _server() as server:
        backup = kept.cut("archive", f"wal/{segment}", halve)
        shell = _shell(kept.root, backup, server, Machine(kept.root / "archive", server.url), kept.moment)
        shell.must("Restore a moment")
        try:
            _start(server)
        except PostgresStartError as error:
            said = next(line for line in str(error).splitlines() if "archive file" in line)
        else:
            raise DrillFailed("a server came up on an archive that was cut off")
    say(f"PostgreSQL: an archive that was cut off fails, as it must: {said}")


def _restore_a_moment(kept: Kept, server: PostgresServer) -> Machine:
    machine = Machine(kept.root / "moment", with_database(server.url, _LOST))
    shell = _shell(kept.root, kept.backup, server, machine, kept.moment)
    began = time.monotonic()
    shell.must("Restore a moment")
    _start(server)
    _verify(kept, shell, "wanted")
    say(f"PostgreSQL: a moment after the backup is restored and verified in {time.monotonic() - began:.1f} s")
    return machine


def _restore_a_dump(kept: Kept, server: PostgresServer) -> Machine:
    machine = Machine(kept.root / "dump", with_database(server.url, "consent"))
    backup = kept.cut("dump", "consent.dump", halve)
    said = _shell(kept.root, backup, server, machine).must_fail("Restore a dump", "pg_restore: error: ")
    if ask(machine.url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") != 0:
        raise DrillFailed("a dump that was cut off left tables behind")
    say(f"PostgreSQL: a dump that was cut off fails, as it must, and leaves nothing: {said}")
    execute(server.url, "DROP DATABASE consent")
    shell = _shell(kept.root, kept.backup, server, machine)
    began = time.monotonic()
    shell.must("Restore a dump")
    _verify(kept, shell, "covered")
    say(f"PostgreSQL: a dump is restored and verified in {time.monotonic() - began:.1f} s")
    return machine


def _verify(kept: Kept, shell: Commands, checkpoint: str) -> None:
    """Put the keys back and verify, as the page says."""
    shutil.copy(kept.root / f"{checkpoint}.txt", kept.root / "kept-elsewhere.txt")
    shell.must("Before serving")


def _fail_against_what_is_younger(kept: Kept, machine: Machine, checkpoint: str) -> None:
    said = machine.must_fail("evidence", "verify", "--checkpoint", str(kept.root / f"{checkpoint}.txt"))
    say(f"PostgreSQL: against a younger checkpoint it fails, as it must: {said.partition('sound: ')[2]}")


def _start(server: PostgresServer) -> None:
    _hand_over(server.data)
    server.start(attempts=1)


def _hand_over(directory: Path) -> None:
    """Make all that is there the server's: whoever runs the tests made it, and the page speaks to the server's account."""
    for path in (directory, *directory.rglob("*")):
        server_account().take(path)


@contextmanager
def _server(**settings: str) -> Iterator[PostgresServer]:
    # Without hot standby a server that replays takes no connections until it is where it should be.
    server = PostgresServer(needed=NEEDED, hot_standby="off", **settings)
    try:
        yield server
    finally:
        server.kill()
        server.remove()


def _shell(root: Path, backup: Path, server: PostgresServer, machine: Machine, moment: str = "") -> Commands:
    environment = {**machine.environment, **server.environment, "MOMENT": moment}
    return Commands(root, backup, server.data, server.programs, environment)


def _switch_segments(url: str, archive: Path) -> None:
    """Begin a new segment of the write-ahead log, and wait until the one before is in the archive."""
    segment = archive / str(ask(url, "SELECT pg_walfile_name(pg_switch_wal())"))
    for _ in range(_ARCHIVE_SECONDS * 20):
        if segment.exists():
            return
        time.sleep(0.05)
    raise DrillFailed(f"{segment.name} was not archived")


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.1f} MB"
