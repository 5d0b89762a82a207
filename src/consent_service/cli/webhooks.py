"""`webhooks add | list | remove | dead | replay`."""

import click

from consent_service.cli.opened import migrated, opened
from consent_service.cli.root import run
from consent_service.domain.errors import InvalidInput

_AT_ONCE = 50_000
_SHOWN = 1_000


def register(cli: click.Group) -> None:
    """Add the commands."""
    cli.add_command(webhooks)


@click.group()
def webhooks() -> None:
    """Tell other systems of consent changes (docs/webhooks.md)."""


@webhooks.command()
@click.argument("url")
@click.option("--site", default="default", show_default=True, help="The site whose changes are told.")
def add(url: str, site: str) -> None:
    """Add an endpoint and print its id and, this once, its signing secret."""
    migrated()

    async def work() -> str:
        async with opened() as services:
            endpoint, secret = await services.webhooks.add(site, url)
            return f"{endpoint.id}  {secret}"

    click.echo(run(work()))


@webhooks.command(name="list")
@click.option("--site", help="Only the endpoints of this site.")
def list_endpoints(site: str | None) -> None:
    """List the endpoints with what waits for each and what was given up."""
    migrated()

    async def work() -> list[str]:
        async with opened() as services:
            found = await services.webhooks.list(site)
            return [f"{e.id}  {e.site}  waiting {b.waiting}  dead {b.dead}  {e.url}" for e, b in found]

    for line in run(work()):
        click.echo(line)


@webhooks.command()
@click.argument("endpoint_id", metavar="ID")
def remove(endpoint_id: str) -> None:
    """Remove the endpoint with this ID and all that it was not told."""
    migrated()

    async def work() -> None:
        async with opened() as services:
            await services.webhooks.remove(None, endpoint_id)

    run(work())
    click.echo(f"removed {endpoint_id}")


@webhooks.command()
@click.argument("endpoint_id", metavar="ID")
@click.option("--limit", type=click.IntRange(1), default=_SHOWN, show_default=True, help="At most so many.")
def dead(endpoint_id: str, limit: int) -> None:
    """List the messages to an endpoint that were given up, oldest first."""
    migrated()

    async def work() -> list[str]:
        async with opened() as services:
            letters = await services.webhooks.dead(await services.webhooks.get(None, endpoint_id), limit)
            return [f"{x.seq}  {x.created_at:%Y-%m-%dT%H:%M:%SZ}  {x.attempts} attempts  {x.error}" for x in letters]

    for line in run(work()):
        click.echo(line)


@webhooks.command()
@click.argument("endpoint_id", metavar="ID")
@click.option("--dead", "only_dead", is_flag=True, help="What was given up.")
@click.option("--after", type=click.IntRange(-1), help="What the log holds behind this seq; -1 for all of it.")
def replay(endpoint_id: str, after: int | None, *, only_dead: bool) -> None:
    """Tell an endpoint again what was given up, or what the log holds from a place on."""
    if only_dead is (after is not None):
        raise InvalidInput("Either --dead or --after is needed.")
    migrated()

    async def work() -> int:
        async with opened() as services:
            endpoint = await services.webhooks.get(None, endpoint_id)
            if after is None:
                return (await services.webhooks.revive(endpoint)).queued
            queued, place = 0, after
            while True:
                done = await services.webhooks.replay(endpoint, place, _AT_ONCE)
                queued += done.queued
                if done.next_after is None:
                    return queued
                place = done.next_after
                click.echo(f"{queued} queued, up to entry {place}", err=True)

    click.echo(f"{run(work())} queued")
