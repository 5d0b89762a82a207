"""The documents say what the code does: settings, commands and reasons."""

import re
from pathlib import Path

import click
import pytest

from consent_service.cli import root
from consent_service.config import Settings
from consent_service.domain.vocabulary import Category, Reason

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def default_of(name: str) -> str:
    """Write a setting's default as the table does."""
    value = Settings.model_fields[name].default
    if value in {None, "", ()}:
        return ""
    return f"`{int(value)}`" if isinstance(value, bool) else f"`{value}`"


def test_every_setting_stands_in_the_table_as_the_code_has_it() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    rows = re.findall(r"^\| `CONSENT_(\w+)` \| (.*?) \| (.+) \|$", page, re.MULTILINE)
    fields = Settings.model_fields
    assert rows == [(name.upper(), default_of(name), fields[name].description) for name in fields]


@pytest.mark.parametrize("line", re.findall(r"^consent-service (\S+(?: [a-z]+)?)", README, re.MULTILINE))
def test_every_command_of_the_readme_exists(line: str) -> None:
    command: click.Command | None = root.cli
    with click.Context(root.cli) as context:
        for word in line.split():
            command = command.get_command(context, word) if isinstance(command, click.Group) else command
            assert command, f"the README names `consent-service {line}`, and there is no `{word}`"


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_stands_in_the_decision_table(reason: Reason) -> None:
    assert f"`{reason.value}`" in README


@pytest.mark.parametrize("category", Category)
def test_every_category_stands_in_the_glossary(category: Category) -> None:
    assert f"`{category.value}`" in (ROOT / "docs" / "glossary.md").read_text("utf-8")
