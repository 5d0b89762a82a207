"""Write docs/compliance.md: every rule, where it is implemented, and the tests that name it.

A test covers a rule whose number stands in its docstring, in a marker, in the id of a parameter or in its name; ranges
such as `SIG-01 to SIG-04` count for all of them. The rules and the page's words are in docs/compliance.yaml.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "compliance.md"
SOURCE = ROOT / "docs" / "compliance.yaml"
PACKAGE = ROOT / "src" / "consent_service"

Rules = Mapping[str, Mapping[str, Any]]

FAMILIES = {
    "SIG": "Signals",
    "TSR": "Tracking status resource",
    "CON": "Defaults and validity of consent",
    "REG": "Regions",
    "KID": "Children",
    "TRK": "Trackers",
    "IDN": "Identity and devices",
    "EVD": "Evidence",
    "OUT": "Outputs",
    "SVC": "Service",
}
_HEAD = "| rule | what it asks | where | tests |\n|---|---|---|---|\n"
_RANGE = r"(?:\s*(?:to|–|…)\s*(?:\1-)?(\d\d))?"
_NUMBER = re.compile(rf"\b({'|'.join(FAMILIES)})-(\d\d){_RANGE}\b")


def numbers_in(text: str) -> Iterator[str]:
    """Give every rule number that a text names, ranges counted out."""
    for family, first, last in _NUMBER.findall(text):
        for number in range(int(first), int(last or first) + 1):
            yield f"{family}-{number:02}"


def find_tests(root: Path = ROOT) -> dict[str, list[str]]:
    """Find the tests that name each rule, as `file::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted([*(root / "tests").rglob("*.py"), *(root / "clients").glob("*/tests/**/*.py")]):
        for name, text in _tests_of(ast.parse(path.read_text("utf-8"))):
            for number in dict.fromkeys(numbers_in(text)):
                found.setdefault(number, []).append(f"{path.relative_to(root).as_posix()}::{name}")
    return found


def _tests_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith(("test_", "Test")):
            marks = " ".join(ast.unparse(mark) for mark in node.decorator_list)
            yield node.name, f"{ast.get_docstring(node) or ''} {marks} {node.name.replace('_', '-').upper()}"


def load() -> Mapping[str, Any]:
    """Read the rules and the page's words."""
    found: dict[str, Any] = yaml.safe_load(SOURCE.read_text("utf-8"))
    return found


def standing(rule: Mapping[str, Any], tests: list[str]) -> str:
    """Tell how a rule stands: tested, not applicable, open; or nothing at all, which must not be."""
    if tests:
        return "tested"
    return next((word for word in ("not_applicable", "open") if rule.get(word)), "missing")


def page(source: Mapping[str, Any], tests: Mapping[str, list[str]]) -> str:
    """Write the page."""
    rules: Rules = source["rules"]
    parts = [source["introduction"], summary(rules, tests)]
    for family, title in FAMILIES.items():
        parts += [f"\n## {title} ({family})\n\n", _HEAD]
        parts += [_row(number, rule, tests.get(number, [])) for number, rule in rules.items() if number[:3] == family]
    return "".join([*parts, "\n", source["closing"]])


def summary(rules: Rules, tests: Mapping[str, list[str]]) -> str:
    """Say how many rules stand how."""
    states = [standing(rule, tests.get(number, [])) for number, rule in rules.items()]
    counts = {word: states.count(word) for word in ("tested", "not_applicable", "open", "missing")}
    return (
        f"\nOf {len(rules)} rules {counts['tested']} have tests, {counts['not_applicable']} are not applicable, and "
        f"{counts['open'] + counts['missing']} are left open, each with its reason below.\n"
    )


def _row(number: str, rule: Mapping[str, Any], tests: list[str]) -> str:
    where = "<br>".join(f"`{path}`" for path in rule["where"]) or "–"
    covered = "<br>".join(_link(test) for test in tests)
    if not covered:
        state = standing(rule, tests)
        covered = f"**{state.replace('_', ' ')}**: {rule.get(state, '')}"
    return f"| {number} | {rule['rule']} | {where} | {covered} |\n"


def _link(test: str) -> str:
    path, name = test.split("::")
    return f"[{name}](../{path})"


def main() -> None:
    """Write the page, and end with status 1 where a rule is neither tested nor explained."""
    source, tests = load(), find_tests()
    PAGE.write_text(page(source, tests), "utf-8")
    rules: Rules = source["rules"]
    print(summary(rules, tests).strip())
    missing = [number for number, rule in rules.items() if standing(rule, tests.get(number, [])) == "missing"]
    if missing:
        sys.exit("neither tested nor explained: " + ", ".join(missing))


if __name__ == "__main__":
    main()
