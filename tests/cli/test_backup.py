"""`backup`: a copy made while the service runs, verified, and worth nothing without the keys."""

import asyncio
import sqlite3
from pathlib import Path

import httpx

from tests.cli.installation import Installation
from tests.support.service import Running, submission


async def accept(service: Running) -> httpx.Response:
    """Let a visitor accept everything."""
    async with service.browser() as browser:
        return await browser.put("/v1/consent", json=submission())


def restored(installation: Installation, copy: Path, keys: Path) -> Installation:
    """Put a copy in the place of a database, with its keys, on another machine."""
    other = Installation(installation.directory / "elsewhere")
    other.directory.mkdir()
    copy.rename(other.database)
    keys.rename(other.directory / "keys")
    return other


def test_a_copy_made_under_writes_is_one_sound_moment(installation: Installation) -> None:
    """A6: the writer goes on, and the copy ends where it began."""
    copy = installation.directory / "copy.db"
    said: list[str] = []

    async def back_up_while_writing(service: Running) -> None:
        await accept(service)
        said.append((await asyncio.to_thread(installation.run, "backup", str(copy))).stdout)
        await accept(service)

    installation.serve(back_up_while_writing)
    assert f"{copy} holds the log of default with 1 entries, verified" in said[0]
    assert f"the keys in {installation.directory / 'keys'} are not part of it" in said[0]
    assert copy.stat().st_mode & 0o077 == 0


def test_a_restored_copy_knows_its_visitors_and_verifies(installation: Installation) -> None:
    """A6."""
    visitors: list[str] = []

    async def remember(service: Running) -> None:
        visitors.append((await accept(service)).json()["visitor_id"])

    async def recognise(service: Running) -> None:
        async with service.shop() as shop:
            answer = await shop.get(f"/v1/visitors/{visitors[0]}/consent")
            assert answer.json()["categories"]["advertising"]["reason"] == "granted"

    copy, keys, checkpoint = (installation.directory / name for name in ("copy.db", "copied-keys", "outside.txt"))
    installation.serve(remember)
    checkpoint.write_text(installation.run("evidence", "checkpoint").stdout, "utf-8")
    assert installation.run("backup", str(copy), "--keys", str(keys)).exit_code == 0
    other = restored(installation, copy, keys)
    assert other.run("evidence", "verify", "--checkpoint", str(checkpoint)).exit_code == 0
    other.serve(recognise)


def test_a_copy_that_lacks_what_a_checkpoint_covers_is_found(installation: Installation) -> None:
    """A6: an older state passes for the newest only where nobody kept a checkpoint."""
    copy, keys, checkpoint = (installation.directory / name for name in ("copy.db", "copied-keys", "outside.txt"))
    installation.serve(accept)
    installation.run("backup", str(copy), "--keys", str(keys))
    installation.serve(accept)
    checkpoint.write_text(installation.run("evidence", "checkpoint").stdout, "utf-8")
    other = restored(installation, copy, keys)
    assert other.run("evidence", "verify").exit_code == 0
    found = other.run("evidence", "verify", "--checkpoint", str(checkpoint))
    assert found.exit_code == 1
    assert "seq 1: the log ends here" in found.stderr


def test_a_copy_that_was_cut_off_is_no_database(installation: Installation) -> None:
    """A6: a truncated file ends the command with one line."""
    copy, keys = (installation.directory / name for name in ("copy.db", "copied-keys"))
    installation.serve(accept)
    installation.run("backup", str(copy), "--keys", str(keys))
    other = restored(installation, copy, keys)
    content = other.database.read_bytes()
    other.database.write_bytes(content[: len(content) // 2])
    found = other.run("evidence", "verify")
    assert found.exit_code == 1
    assert found.stderr.splitlines()[-1] == "Error: The database file is damaged; restore a backup."


def test_a_file_that_is_there_is_not_overwritten(installation: Installation) -> None:
    copy = installation.directory / "copy.db"
    copy.write_text("precious", "utf-8")
    installation.serve(accept)
    found = installation.run("backup", str(copy))
    assert (found.exit_code, copy.read_text("utf-8")) == (1, "precious")
    assert "File exists" in found.stderr


def test_a_log_that_is_not_sound_is_said_to_be_so(installation: Installation) -> None:
    """A copy of a damaged log is a damaged log."""
    installation.serve(accept)
    with sqlite3.connect(installation.database) as connection:
        connection.execute("DELETE FROM log_payloads")
    connection.close()
    found = installation.run("backup", str(installation.directory / "copy.db"))
    assert found.exit_code == 1
    assert "is not sound: seq 0: the payload is missing" in found.stderr


def test_postgresql_is_left_to_its_own_tools(installation: Installation) -> None:
    found = installation.run("backup", "copy.db", CONSENT_DATABASE_URL="postgresql://localhost/none")
    assert found.exit_code == 1
    assert "pg_dump" in found.stderr
