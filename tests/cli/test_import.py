"""`import`: consents from another system."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consent_service.cli.root import cli

GOOD = {"action": "accept_all", "decided_at": "2026-11-01T00:00:00Z", "region": "FR", "locale": "fr"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a way to import lines into an empty SQLite database."""
    monkeypatch.setenv("CONSENT_DATABASE_URL", f"sqlite:///{tmp_path / 'consent.db'}")
    monkeypatch.setenv("CONSENT_KEYS_DIR", str(tmp_path / "keys"))

    def importing(lines: Sequence[object], *options: str) -> Result:
        file = tmp_path / "lines.jsonl"
        file.write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines), "utf-8")
        return CliRunner().invoke(cli, ["import", str(file), *options])

    return importing


def rows(tmp_path: Path, query: str) -> list[tuple[object, ...]]:
    """Look into the database."""
    with sqlite3.connect(tmp_path / "consent.db") as connection:
        return connection.execute(query).fetchall()


def test_every_line_has_a_fate(run, tmp_path: Path) -> None:
    """Issue 4 item 4: bad lines are named by number and reason, the good ones are stored."""
    bad = [{**GOOD, "action": "custom", "reference": "b"}, "no json", {**GOOD, "reference": "c", "more": 1}, GOOD]
    result = run(
        [{**GOOD, "reference": "a"}, *bad, {**GOOD, "reference": "d"}], "--rejected", str(tmp_path / "rejected")
    )
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines() if line.startswith("line ")] == [
        "line 2", "line 3", "line 4", "line 5",
    ]  # fmt: skip
    assert "2 stored, 0 known already" in result.stderr
    assert len((tmp_path / "rejected").read_text("utf-8").splitlines()) == 4
    assert rows(tmp_path, "SELECT count(*) FROM visitors") == [(2,)]


def test_the_same_file_again_changes_nothing(run, tmp_path: Path) -> None:
    lines = [{**GOOD, "reference": "a"}, {**GOOD, "reference": "b", "action": "reject_all"}]
    run(lines)
    again = run(lines)
    assert (again.exit_code, "0 stored, 2 known already" in again.stderr) == (0, True)
    assert rows(tmp_path, "SELECT count(*) FROM log_leaves") == [(2,)]


def test_an_older_choice_is_left_out(run, tmp_path: Path) -> None:
    """Contract §6.1: older than what is on record."""
    newer = {**GOOD, "reference": "a", "action": "reject_all", "decided_at": "2026-11-02T00:00:00Z"}
    result = run([newer, {**GOOD, "reference": "a"}])
    assert (result.exit_code, "1 stored, 0 known already, 1 older" in result.stderr) == (0, True)


def test_what_was_withdrawn_here_stays_withdrawn(run, tmp_path: Path) -> None:
    """CON-20."""
    later = ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z")
    refused = {**GOOD, "reference": "a", "action": "reject_all", "decided_at": later[0]}
    run([{**GOOD, "reference": "a"}, refused, {**GOOD, "reference": "a", "decided_at": later[1]}])
    ((facts,),) = rows(tmp_path, "SELECT facts FROM visitors")
    assert json.loads(str(facts))["w"][0][1] == "wwwwwgww"


def test_whoever_was_erased_here_stays_erased(run, tmp_path: Path) -> None:
    """CON-20, IDN-09."""
    run([{**GOOD, "reference": "a"}], "--ids", str(tmp_path / "ids"))
    visitor = (tmp_path / "ids").read_text("utf-8").split()[1]
    CliRunner().invoke(cli, ["erase", visitor], catch_exceptions=False)
    result = run([{**GOOD, "reference": "a", "decided_at": "2026-11-03T00:00:00Z"}])
    assert (result.exit_code, "erased" in result.stderr) == (1, True)
    assert rows(tmp_path, "SELECT count(*) FROM visitors") == [(0,)]


def test_no_text_of_a_line_reaches_the_terminal(run) -> None:
    """C4."""
    result = run([{**GOOD, "reference": "CANARY", "decided_at": "CANARY"}, '{"CANARY'])
    assert "CANARY" not in result.output + result.stderr
