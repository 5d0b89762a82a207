"""Commands are imported when they are asked for, so that `serve` does not wait for the others (P8)."""

import subprocess
import sys
from importlib import import_module

import click
import pytest

from consent_service.cli.root import FAMILIES, cli

PACKAGE = "consent_service.cli"


@pytest.mark.parametrize("family", sorted(set(FAMILIES.values())))
def test_a_family_has_exactly_the_commands_that_are_looked_for_in_it(family: str) -> None:
    group = click.Group()
    import_module(f"{PACKAGE}.{family}").register(group)
    assert set(group.commands) == {name for name, module in FAMILIES.items() if module == family}


def test_help_tells_of_every_command() -> None:
    with click.Context(cli) as context:
        told = cli.get_help(context)
        assert all(f"\n  {name} " in told for name in FAMILIES)
        assert cli.get_command(context, "no-such-command") is None


def test_serving_imports_no_other_family() -> None:
    script = (
        "import sys; from consent_service.cli.root import cli;"
        "cli(['serve', '--help'], standalone_mode=False);"
        f"print(*[name for name in sys.modules if name.startswith('{PACKAGE}.')])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found = set(ran.stdout.splitlines()[-1].split())
    assert f"{PACKAGE}.serve" in found
    assert not found & {f"{PACKAGE}.{family}" for family in set(FAMILIES.values()) - {"serve"}}
