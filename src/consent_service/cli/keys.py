"""`keys create | list | revoke`."""

import click

from consent_service.cli.opened import migrated, opened
from consent_service.cli.root import run
from consent_service.domain.vocabulary import Scope


def register(cli: click.Group) -> None:
    """Add the commands."""
    cli.add_command(keys)


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.option(
    "--scope", type=click.Choice([scope.value for scope in Scope]), required=True, help="What the key may do."
)
@click.option("--name", default="made on the command line", show_default=True, help="What it is for.")
@click.option("--site", default="default", show_default=True, help="The site it belongs to.")
def create(scope: str, name: str, site: str) -> None:
    """Make a key and print it, this once."""
    migrated()

    async def work() -> str:
        async with opened() as services:
            _, secret = await services.keys.create(site, Scope(scope), name)
            return secret

    click.echo(run(work()))


@keys.command(name="list")
@click.option("--site", help="Only the keys of this site.")
def list_keys(site: str | None) -> None:
    """List the living keys, without the keys."""
    migrated()

    async def work() -> list[str]:
        async with opened() as services:
            found = await services.keys.list(site)
            return [f"{k.id}  {k.site}  {' '.join(sorted(k.scopes))}  {k.created_at:%Y-%m-%d}  {k.name}" for k in found]

    for line in run(work()):
        click.echo(line)


@keys.command()
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """Revoke the key with this ID; a running service refuses it within a second."""
    migrated()

    async def work() -> None:
        async with opened() as services:
            await services.keys.revoke(None, key_id)

    run(work())
    click.echo(f"revoked {key_id}")
