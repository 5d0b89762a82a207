"""`evidence verify | checkpoint | export`, all of which only read, also beside a running service."""

import csv
import io
import sys
from datetime import datetime
from pathlib import Path
from typing import IO

import click
import orjson

from consent_service.cli.opened import migrated, opened
from consent_service.cli.root import run, settings
from consent_service.cli.verifying import verify_site
from consent_service.domain.moments import parse_moment
from consent_service.domain.vocabulary import CATEGORIES, Category, Regime
from consent_service.service.exporting import COLUMNS, Row, Selection, csv_row, export_rows
from consent_service.storage.keyring import Keyring

_File = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_site = click.option("--site", default="default", show_default=True, help="The site whose log it is.")


class _MomentType(click.ParamType[datetime]):
    name = "moment"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return parse_moment(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def register(cli: click.Group) -> None:
    """Add the commands."""
    cli.add_command(evidence)


@click.group()
def evidence() -> None:
    """Verify, sign and export the evidence log."""


@evidence.command()
@_site
@click.option(
    "--checkpoint", "files", type=_File, multiple=True, help="A checkpoint kept elsewhere; may be given several times."
)
@click.option(
    "--since", type=_File, help="A checkpoint up to which the log was verified before; only what follows is read."
)
def verify(site: str, files: tuple[Path, ...], since: Path | None) -> None:
    """Verify the whole log against itself and all checkpoints; where it fails, the first bad entry is named."""
    keyring = Keyring(settings().keys_dir, make=False)

    async def work() -> tuple[int, str | None]:
        async with opened() as services:
            return await verify_site(services, keyring, site, files, since)

    size, wrong = run(work())
    if wrong is not None:
        raise click.ClickException(f"the log of {site} is not sound: {wrong}")
    behind = f", those behind {since} checked one by one" if since else ""
    click.echo(f"the log of {site} is sound: {size} entries{behind}, {len(files)} checkpoint(s) given")


@evidence.command()
@_site
def checkpoint(site: str) -> None:
    """Print the newest checkpoint, signed now."""
    migrated()

    async def work() -> str:
        async with opened() as services:
            return (await services.evidence.checkpoint(site)).note

    click.echo(run(work()), nl=False)


@evidence.command()
@_site
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="JSON lines or CSV.",
)
@click.option(
    "--output", type=click.File("wb", lazy=False), default="-", help="Where to write; standard output where not given."
)
@click.option(
    "--from", "begin", type=_MomentType(), help="Only entries from this moment on, such as 2026-11-22T00:00:00Z."
)
@click.option("--to", "end", type=_MomentType(), help="Only entries before this moment.")
@click.option(
    "--category",
    type=click.Choice([category.value for category in CATEGORIES]),
    help="Only entries that say something about this category.",
)
@click.option(
    "--regime", type=click.Choice([regime.value for regime in Regime]), help="Only entries under this regime."
)
def export(
    site: str,
    form: str,
    output: IO[bytes],
    begin: datetime | None,
    end: datetime | None,
    category: str | None,
    regime: str | None,
) -> None:
    """Write all entries, or those that fit all the options given, with a progress bar and in constant memory."""
    selection = Selection(begin, end, Category(category) if category else None, Regime(regime) if regime else None)

    async def work() -> None:
        async with opened() as services:
            length = (await services.store.log.head(site)).size
            with click.progressbar(length=length, label="exporting", file=sys.stderr) as bar:
                if form == "csv":
                    output.write((",".join(COLUMNS) + "\r\n").encode())
                async for page in export_rows(services.store.log, site, selection, bar.update):
                    output.write(b"".join(map(_csv_line if form == "csv" else _json_line, page)))

    run(work())


def _json_line(row: Row) -> bytes:
    return orjson.dumps(row) + b"\n"


def _csv_line(row: Row) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow(csv_row(row))
    return stream.getvalue().encode()
