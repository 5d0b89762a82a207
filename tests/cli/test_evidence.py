"""`evidence verify`, `checkpoint` and `export` at the terminal."""

import sqlite3
from pathlib import Path

import orjson
import pytest

from tests.cli.installation import Installation
from tests.support.service import Running, submission

CHANGE = "DROP TRIGGER log_leaves_no_update; UPDATE log_leaves SET pseudonym = zeroblob(32) WHERE seq = {seq}"


async def two_visitors(service: Running) -> None:
    """Let one visitor accept and another refuse."""
    async with service.browser() as first, service.browser() as second:
        await first.put("/v1/consent", json=submission())
        await second.put("/v1/consent", json=submission("reject_all"))


def keep_checkpoint(installation: Installation, name: str = "outside.txt") -> Path:
    """Keep a checkpoint outside the database."""
    path = installation.directory / name
    path.write_text(installation.run("evidence", "checkpoint").stdout, "utf-8")
    return path


def attack(installation: Installation, *statements: str) -> None:
    """Change the database file behind the service's back."""
    with sqlite3.connect(installation.database) as connection:
        connection.executescript(";".join(statements))
    connection.close()


def test_a_sound_log_verifies_with_status_0_and_says_how_many_entries(installation: Installation) -> None:
    """EVD-02."""
    installation.serve(two_visitors)
    found = installation.run("evidence", "verify", "--checkpoint", str(keep_checkpoint(installation)))
    assert (found.exit_code, found.stdout) == (0, "the log of default is sound: 2 entries, 1 checkpoint(s) given\n")


def test_a_changed_leaf_is_named_with_status_1(installation: Installation) -> None:
    """EVD-02, contract §6.1: one line naming the first bad entry."""
    installation.serve(two_visitors)
    attack(installation, CHANGE.format(seq=1))
    found = installation.run("evidence", "verify")
    assert found.exit_code == 1
    assert found.stderr.splitlines()[-1] == (
        "Error: the log of default is not sound: seq 1: the pseudonym is not the visitor's"
    )


def test_verifying_makes_no_keys_where_there_are_none(installation: Installation) -> None:
    """Contract §6.1: it only reads."""
    installation.serve(two_visitors)
    elsewhere = installation.directory / "elsewhere"
    found = installation.run("evidence", "verify", CONSENT_KEYS_DIR=str(elsewhere))
    assert (found.exit_code, elsewhere.exists()) == (1, False)
    assert "There are no keys in" in found.stderr


def test_since_a_checkpoint_only_what_follows_is_read(installation: Installation) -> None:
    """What was verified up to a checkpoint need not be read again; what came since is read one by one."""
    installation.serve(two_visitors)
    since = str(keep_checkpoint(installation))
    installation.serve(two_visitors)
    assert installation.run("evidence", "verify", "--since", since).exit_code == 0
    attack(installation, CHANGE.format(seq=3))
    found = installation.run("evidence", "verify", "--since", since)
    assert (found.exit_code, "seq 3:" in found.stderr) == (1, True)


def test_since_a_checkpoint_of_another_history_nothing_is_sound(installation: Installation) -> None:
    """A rewritten beginning has another root, whatever follows it."""
    installation.serve(two_visitors)
    since = str(keep_checkpoint(installation))
    attack(installation, CHANGE.format(seq=0))
    found = installation.run("evidence", "verify", "--since", since)
    assert found.exit_code == 1
    assert f"seq 0 (to 1): the log does not have the root of {since}" in found.stderr


def test_a_checkpoint_from_before_a_key_rotation_still_verifies(installation: Installation) -> None:
    """Contract §6.1: log keys are never removed, so no checkpoint is ever lost."""
    installation.serve(two_visitors)
    old = keep_checkpoint(installation, "old.txt")
    assert installation.run("signing-keys", "rotate", "--log", CONSENT_JWKS_MAX_AGE="0").exit_code == 0
    installation.serve(two_visitors)
    new = keep_checkpoint(installation, "new.txt")
    assert signature(old) != signature(new)
    found = installation.run("evidence", "verify", "--checkpoint", str(old), "--checkpoint", str(new))
    assert (found.exit_code, found.stdout) == (0, "the log of default is sound: 4 entries, 2 checkpoint(s) given\n")


def signature(checkpoint: Path) -> str:
    """Give the key ID of a checkpoint's signature."""
    return checkpoint.read_text("utf-8").splitlines()[-1].split()[2][:5]


def test_the_new_log_key_is_published_at_once_and_signs_later(installation: Installation) -> None:
    installation.serve(two_visitors)
    before = signature(keep_checkpoint(installation))
    said = installation.run("signing-keys", "rotate", "--log").stdout
    assert "signs checkpoints of default from" in said
    assert signature(keep_checkpoint(installation, "after.txt")) == before
    assert installation.run("signing-keys", "list").stdout.count("log of default") == 2


@pytest.mark.parametrize("text", ["", "no checkpoint", "consent.example/evidence/other\n1\nAAAA\n\n\u2014 x AAAA\n"])
def test_a_file_that_is_no_checkpoint_of_this_log_is_refused(installation: Installation, text: str) -> None:
    installation.serve(two_visitors)
    file = installation.directory / "checkpoint.txt"
    file.write_text(text, "utf-8")
    assert installation.run("evidence", "verify", "--checkpoint", str(file)).exit_code == 1


def test_an_export_can_be_narrowed_to_what_was_asked_for(installation: Installation) -> None:
    """EVD-09: by time, category and regime; refusals are there."""
    installation.serve(two_visitors)
    found = installation.run("evidence", "export", "--category", "advertising", "--regime", "opt_in")
    assert [orjson.loads(line)["event_type"] for line in found.stdout.splitlines()] == ["given", "refused"]
    assert installation.run("evidence", "export", "--regime", "opt_out").stdout == ""
    assert installation.run("evidence", "export", "--to", "2020-01-01T00:00:00Z").stdout == ""


def test_a_moment_that_is_none_is_refused(installation: Installation) -> None:
    found = installation.run("evidence", "export", "--from", "yesterday")
    assert (found.exit_code, "RFC 3339" in found.stderr) == (2, True)
