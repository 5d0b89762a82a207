"""A6 in a short form: all that docs/operations.md says about PostgreSQL is run; `make drill-backup` is the long form."""

from pathlib import Path

import pytest

from tests.campaigns import documented_commands
from tests.campaigns.backup_machine import DrillFailed
from tests.campaigns.backup_postgres import drill_postgres
from tests.campaigns.documented_commands import Commands, headings


def shell(directory: Path, *, page: str, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Give a shell for a page of a test's own."""
    monkeypatch.setattr(documented_commands, "PAGE", f"\n## Backup and restore\n\n### Step\n\n```sh\n{page}\n```\n")
    return Commands(directory, directory / "one", directory / "other", directory, {"WORD": "said"})


def test_what_the_page_says_backs_postgresql_up_and_brings_it_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A6: base backup with archive and dump, made while visitors answer; what was cut off, or is too old, fails."""
    drill_postgres(tmp_path, 10, thorough=False)
    said = capsys.readouterr().out
    assert (said.count("is restored and verified"), said.count("fails, as it must")) == (2, 3)


def test_the_page_has_no_command_that_the_drill_leaves_out() -> None:
    assert headings() == [
        "Archive the write-ahead log",
        "Take a backup",
        "Restore a moment",
        "Restore a dump",
        "Before serving",
    ]


def test_commands_are_run_as_they_stand_with_directories_of_the_drills_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "echo $WORD /backup/backup_manifest /restored > heard"
    shell(tmp_path, page=page, monkeypatch=monkeypatch).must("Step")
    assert (tmp_path / "heard").read_text() == f"said {tmp_path}/one/backup_manifest {tmp_path}/other\n"


@pytest.mark.parametrize("page", ["false\ntrue", "false | true", "echo $NOBODY_SET_THIS"])
def test_a_command_that_fails_ends_the_drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    with pytest.raises(DrillFailed):
        shell(tmp_path, page=page, monkeypatch=monkeypatch).must("Step")


@pytest.mark.parametrize("page", ["echo tar: cut off", "echo something else; false"])
def test_what_must_fail_and_does_not_or_not_for_that_reason_ends_the_drill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    with pytest.raises(DrillFailed):
        shell(tmp_path, page=page, monkeypatch=monkeypatch).must_fail("Step", "tar: ")
