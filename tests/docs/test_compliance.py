"""The compliance page says what the tests and the code say; `make compliance` writes it anew."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import compliance  # noqa: E402 - a program beside the package, found by its path

SOURCE = compliance.load()
TESTS = compliance.find_tests()
RULES = SOURCE["rules"]
COUNTS = {"SIG": 26, "TSR": 14, "CON": 22, "REG": 11, "KID": 4, "TRK": 10, "IDN": 9, "EVD": 14, "OUT": 12, "SVC": 12}
"""How many rules each family has."""


def test_every_rule_has_a_line() -> None:
    assert list(RULES) == [f"{family}-{n:02}" for family, count in COUNTS.items() for n in range(1, count + 1)]


def test_the_page_is_what_the_tests_say() -> None:
    """A test was added, renamed or taken away: run `make compliance` and commit the page."""
    written = compliance.page(SOURCE, TESTS)
    assert compliance.PAGE.read_text("utf-8") == written, "docs/compliance.md is out of date: run `make compliance`"


@pytest.mark.parametrize("number", RULES)
def test_a_rule_is_tested_or_says_why_not(number: str) -> None:
    assert compliance.standing(RULES[number], TESTS.get(number, [])) != "missing"


@pytest.mark.parametrize("number", RULES)
def test_where_a_rule_is_implemented_is_there(number: str) -> None:
    rule = RULES[number]
    assert [path for path in rule["where"] if not (compliance.PACKAGE / path).is_file()] == []
    assert rule["where"] or rule.get("not_applicable") or rule.get("open")


def test_no_test_names_a_rule_that_there_is_not() -> None:
    assert set(TESTS) - set(RULES) == set()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("SIG-01, SIG-03.", ["SIG-01", "SIG-03"]),
        ("SIG-01 to SIG-03", ["SIG-01", "SIG-02", "SIG-03"]),
        ("contract: SIG-11…13", ["SIG-11", "SIG-12", "SIG-13"]),
        ("XSIG-01 SIG-1 SIG-001", []),
    ],
)
def test_ranges_count_for_all_that_they_span(text: str, numbers: list[str]) -> None:
    assert list(compliance.numbers_in(text)) == numbers
