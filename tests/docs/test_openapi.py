"""The committed OpenAPI document is the one that the code makes, and says what a client needs to know."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMITTED = Path(__file__).parents[2] / "openapi" / "openapi.json"
DOCUMENT = json.loads(COMMITTED.read_text("utf-8"))
OPERATIONS = [
    pytest.param(path, method, operation, id=f"{method.upper()} {path}")
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]


def test_the_committed_document_is_what_the_code_makes() -> None:
    """SVC-06: no drift; `make openapi` writes it anew."""
    command = [str(Path(sys.executable).with_name("consent-service")), "openapi"]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    assert json.loads(made.stdout) == DOCUMENT


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_is_described(path: str, method: str, operation: dict[str, object]) -> None:
    assert operation["summary"]
    assert operation["description"]


@pytest.mark.parametrize(
    ("path", "method", "operation"), [case for case in OPERATIONS if str(case.values[0]).startswith("/v1/")]
)
def test_every_operation_of_the_api_names_its_credential_and_its_errors(
    path: str, method: str, operation: dict[str, dict[str, dict[str, object]]]
) -> None:
    """SVC-06, SVC-07: security schemes and problem bodies everywhere."""
    refusals = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
    assert operation["security"]
    assert refusals
    assert all("application/problem+json" in str(answer["content"]) for answer in refusals.values())
