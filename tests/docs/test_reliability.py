"""The page about reliability: its commands exist, and its error budgets are what its objectives come to."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
MONTH = 30 * 24 * 60 * 60
"""Seconds in the 30 days that the objectives speak of."""


def test_every_campaign_that_the_page_names_is_a_target() -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", PAGE, re.MULTILINE))
    assert named
    assert [target for target in sorted(named) if not re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)] == []


def test_every_target_that_runs_a_campaign_is_on_the_page() -> None:
    targets = re.findall(r"^([a-z-]+):[^\n]*\n\t\$\(CAMPAIGN\)", MAKEFILE, re.MULTILINE)
    assert targets
    assert [target for target in targets if f"`make {target}`" not in PAGE] == []


def test_an_error_budget_is_what_the_objective_leaves() -> None:
    """SVC-03: the objective stands beside its budget and what was measured."""
    rows = re.findall(r"\| ([0-9.]+) % \| (\d+) min (\d+) s \| [^|]+ \|", PAGE)
    stated = [int(minutes) * 60 + int(seconds) for _, minutes, seconds in rows]
    assert stated
    assert stated == [round(MONTH * (1 - float(objective) / 100)) for objective, _, _ in rows]
