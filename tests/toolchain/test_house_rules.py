"""The house rules are checked by machine, the checks bite, and each exemption says why it is there."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PACKAGE = ROOT / "src" / "consent_service"
DOMAIN = sorted((PACKAGE / "domain").rglob("*.py"))
SOURCES = [path for room in ("src", "migrations", "scripts", "tests") for path in (ROOT / room).rglob("*.py")]


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names.update(alias.name for alias in getattr(node, "names", []) if isinstance(node, ast.Import))
        names.update([node.module or "."] if isinstance(node, ast.ImportFrom) else [])
    return names


def belongs_in_the_domain(name: str) -> bool:
    return name.split(".", 1)[0] in sys.stdlib_module_names or f"{name}.".startswith("consent_service.domain.")


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_domain_imports_the_standard_library_and_itself_alone(path: Path) -> None:
    assert [name for name in imports_of(path) if not belongs_in_the_domain(name)] == []


def test_every_ignored_lint_rule_has_its_reason_beside_it() -> None:
    settings = (ROOT / "pyproject.toml").read_text("utf-8").split("\nignore = ")[1].split("[tool.ruff.lint.flake8")[0]
    exemptions = [line for line in settings.splitlines() if re.search(r'"[A-Z]{1,4}[0-9]{0,4}"', line)]
    assert exemptions
    assert [line for line in exemptions if not re.search(r"# .{10}", line)] == []


@pytest.mark.parametrize("mark", ["noqa: ", "nosec "])
def test_every_exemption_in_the_code_has_its_reason_beside_it(mark: str) -> None:
    exempt = re.compile(rf"# {re.escape(mark)}[A-Z0-9, ]+")
    reasoned = re.compile(exempt.pattern + r"[#–-] *\w")
    lines = [(path, line) for path in SOURCES for line in path.read_text("utf-8").splitlines() if exempt.search(line)]
    assert [f"{path.relative_to(ROOT)}: {line.strip()}" for path, line in lines if not reasoned.search(line)] == []


@pytest.mark.parametrize(
    "code",
    [
        "import datetime\nMOMENT = datetime.datetime.now(datetime.UTC)\n",
        "import time\nMOMENT = time.time()\n",
        "from uuid import uuid4\n",
        "from starlette.middleware.base import BaseHTTPMiddleware\n",
        "from fastapi.testclient import TestClient\n",
    ],
)
def test_clocks_ids_and_slow_shortcuts_are_refused_outside_their_one_place(code: str) -> None:
    command = [
        str(BIN / "ruff"),
        "check",
        "--select=TID251",
        "--stdin-filename=src/consent_service/service/new.py",
        "-",
    ]
    checked = subprocess.run(command, input=code, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 1
    assert "TID251" in checked.stdout


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("domain", "uuid"),
        ("domain", "consent_service.ports"),
        ("service", "sqlalchemy"),
        ("service", "fastapi"),
        ("service", "consent_service.api"),
        ("storage", "consent_service.service"),
        ("api", "consent_service.storage"),
        ("api", "consent_service.config"),
    ],
)
def test_the_import_law_bites(room: str, forbidden: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "consent_service", ignore=shutil.ignore_patterns("__pycache__", "web"))
    (tmp_path / "consent_service" / room / "new.py").write_text(f"import {forbidden}\n", "utf-8")
    command = [str(BIN / "lint-imports"), "--no-logo", "--no-cache"]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 1, checked.stdout
    assert f"consent_service.{room}.new ->" in checked.stdout
