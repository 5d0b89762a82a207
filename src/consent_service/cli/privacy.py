"""`erase`."""

import click

from consent_service.cli.opened import migrated, opened
from consent_service.cli.root import run


def register(cli: click.Group) -> None:
    """Add the command."""
    cli.add_command(erase)


@click.command()
@click.argument("visitor_id")
@click.option("--site", default="default", show_default=True, help="The site that knows the visitor.")
def erase(visitor_id: str, site: str) -> None:
    """Erase everything about a visitor but the proofs."""
    migrated()

    async def work() -> int:
        async with opened() as services:
            return (await services.rights.erase(site, visitor_id)).seq

    click.echo(f"erased; the erasure is entry {run(work())} of the log of {site}")
