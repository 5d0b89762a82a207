"""The commands' common root: names, settings, and how an error reaches the person at the terminal."""

import asyncio
import gc
import sys
from collections.abc import Coroutine
from importlib import import_module
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from consent_service import __version__
from consent_service.config import Settings
from consent_service.domain.errors import ConsentError, InvalidInput

Result = TypeVar("Result")


FAMILIES = {
    "backup": "backup",
    "erase": "privacy",
    "evidence": "evidence",
    "import": "importing",
    "keys": "keys",
    "migrate": "serve",
    "openapi": "openapi",
    "policy": "policy",
    "purge": "privacy",
    "seed": "seed",
    "serve": "serve",
    "signing-keys": "signing_keys",
    "trackers": "trackers",
    "webhooks": "webhooks",
}
"""For each command the module that has it."""


class Commands(click.Group):
    """All commands, each imported when it is asked for; they end with one clear line instead of a traceback.

    A start waits for the imports of what it runs alone: those of all commands take longer than everything else in it.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands."""
        return sorted(FAMILIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a command; None where there is none of that name."""
        if cmd_name in FAMILIES and cmd_name not in self.commands:
            _register(FAMILIES[cmd_name], self)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; known errors become exit status 1 and a sentence."""
        try:
            return super().invoke(ctx)
        except InvalidInput as error:
            for fault in error.faults:
                click.echo(f"{fault.pointer or '/'}: {fault.message} [{fault.code}]", err=True)
            raise click.ClickException(error.detail) from error
        except ConsentError as error:
            raise click.ClickException(error.detail) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="consent-service")
def cli() -> None:
    """Decide, before a cookie is set or a pixel fires, whether this visitor allows it.

    Settings are environment variables that begin with CONSENT_; docs/configuration.md lists them.
    """


def settings() -> Settings:
    """Read the settings; a wrong one ends the command with a line that names it."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"CONSENT_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise click.ClickException(wrong) from None


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run asynchronous work to its end."""
    return asyncio.run(work)


def _register(family: str, group: click.Group) -> None:
    # What imports make stays until the end: a look for garbage among it finds none, and takes a tenth of the start.
    gc.disable()
    try:
        import_module(f"consent_service.cli.{family}").register(group)
    finally:
        gc.enable()


def main() -> None:
    """Start the program."""
    sys.exit(cli(prog_name="consent-service"))
