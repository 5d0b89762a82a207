"""`erase` and `purge`: what goes at a person's request, and what goes with time."""

import re
import sys

import click

from consent_service.cli.opened import migrated, opened
from consent_service.cli.root import run
from consent_service.domain.durations import Duration
from consent_service.ports import Purged


def register(cli: click.Group) -> None:
    """Add the commands."""
    cli.add_command(erase)
    cli.add_command(purge)


class _DurationType(click.ParamType[Duration]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Duration:
        try:
            return Duration.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _TakesVisitorId(click.Command):
    """A command whose visitor id may begin with a hyphen, as one in 64 does: URL-safe base64 has it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Set what looks like a visitor id apart from the options."""
        ids = [arg for arg in args if _VISITOR_ID.fullmatch(arg)]
        options = [arg for arg in args if not _VISITOR_ID.fullmatch(arg)]
        return super().parse_args(ctx, [*options, "--", *ids] if ids else args)


_VISITOR_ID = re.compile(r"-[A-Za-z0-9_-]{21}")


@click.command(cls=_TakesVisitorId)
@click.argument("visitor_id")
@click.option("--site", default="default", show_default=True, help="The site that knows the visitor.")
def erase(visitor_id: str, site: str) -> None:
    """Erase everything about a visitor but the proofs."""
    migrated()

    async def work() -> int:
        async with opened() as services:
            return (await services.rights.erase(site, visitor_id)).seq

    click.echo(f"erased; the erasure is entry {run(work())} of the log of {site}")


@click.command()
@click.option(
    "--older-than",
    "limit",
    type=_DurationType(),
    help="An ISO 8601 duration such as P24M; where not given, 36 months after a choice lapsed by the policy.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--site", default="default", show_default=True, help="The site whose evidence it is.")
def purge(limit: Duration | None, site: str, *, dry_run: bool) -> None:
    """Remove what has been kept long enough, in small batches, also beside a running service.

    Payloads of old entries go, and records that say nothing any more; what a remaining record rests on stays, and all
    proofs stay valid. Opt-outs are kept for 24 months: exit status 1 says that younger ones had to stay.
    """
    migrated()

    async def work() -> Purged:
        async with opened() as services:
            length = await services.store.holdings.count(site)
            with click.progressbar(length=length, label="purging", file=sys.stderr) as bar:
                return await services.retention.purge(services.sites.get(site), limit, bar.update, dry_run=dry_run)

    done = run(work())
    click.echo(f"{'would purge' if dry_run else 'purged'} {done.entries} entries and {done.records} records of {site}")
    if done.held:
        raise click.ClickException(
            f"{done.held} opt-out entries older than {limit} stay: the floor for records of opt-outs is 24 months "
            "(11 CCR 7101). Everything else was done."
        )
