"""The commands' common root: names, settings, and how an error reaches the person at the terminal."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from consent_service import __version__
from consent_service.config import Settings
from consent_service.domain.errors import ConsentError, InvalidInput

Result = TypeVar("Result")


class CleanGroup(click.Group):
    """A group whose commands end with one clear line instead of a traceback."""

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


@click.group(cls=CleanGroup, context_settings={"help_option_names": ["-h", "--help"]})
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


def load() -> None:
    """Add all commands; here and not above, so that importing the package does nothing."""
    from consent_service.cli import (  # noqa: PLC0415 - see above
        backup,
        evidence,
        importing,
        keys,
        openapi,
        policy,
        privacy,
        seed,
        serve,
        signing_keys,
        trackers,
        webhooks,
    )

    for family in (
        serve,
        policy,
        trackers,
        keys,
        signing_keys,
        evidence,
        privacy,
        backup,
        webhooks,
        seed,
        importing,
        openapi,
    ):
        family.register(cli)


def main() -> None:
    """Start the program."""
    load()
    sys.exit(cli(prog_name="consent-service"))
