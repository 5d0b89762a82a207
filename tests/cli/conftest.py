"""An installation for each test."""

from pathlib import Path

import pytest

from tests.cli.installation import Installation


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """Give an installation that nobody has used yet."""
    return Installation(tmp_path)
