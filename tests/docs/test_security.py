"""docs/security.md names tests that are there, and tools that are run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)))
THREATS = re.search(r"## Threats\n\n(.*?)\n\n", PAGE, re.DOTALL)


@pytest.mark.parametrize(("file", "test"), NAMED, ids=[f"{file}::{test}" for file, test in NAMED])
def test_a_test_that_is_named_is_there(file: str, test: str) -> None:
    source = (ROOT / file).read_text("utf-8")
    assert not test or f"def {test}(" in source


def test_every_threat_has_a_test() -> None:
    rows = (THREATS[1] if THREATS else "").splitlines()[2:]
    assert len(rows) > 10
    assert [row for row in rows if "`tests/" not in row.split("|")[3]] == []


@pytest.mark.parametrize("command", ["sbom", "lint", "lock"])
def test_a_command_that_is_named_is_there(command: str) -> None:
    assert f"make {command}" in PAGE
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_there_is_no_workflow_file_that_zizmor_would_have_to_read() -> None:
    assert not (ROOT / ".github").exists()
