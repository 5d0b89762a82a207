"""`trackers import`."""

from pathlib import Path

import click

from consent_service.cli.policy import read, write
from consent_service.service.cookie_lists import draft, merge, summary
from consent_service.service.policies import check_document
from consent_service.stores import packaged

_File = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


def register(cli: click.Group) -> None:
    """Add the commands."""
    cli.add_command(trackers)


@click.group()
def trackers() -> None:
    """Work with lists of trackers."""


@trackers.command(name="import")
@click.argument("csv_file", metavar="CSV", type=_File)
@click.option(
    "--policy", "policy_file", type=_File, help="The document to add to; the packaged sample where not given."
)
@click.option("--version", "new_version", help="The version of the new document; published versions cannot change.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the new document here, not to standard output.",
)
def import_trackers(csv_file: Path, policy_file: Path | None, new_version: str | None, output: Path | None) -> None:
    """Add the trackers of a cookie list (CSV in the open cookie database's columns) to a policy document.

    Entries that the document has already are kept. What became of every row is said on standard error; the document
    is checked and can then be published with `policy publish`.
    """
    document = read(policy_file or packaged("policies") / "storefront.yaml")
    with csv_file.open(encoding="utf-8-sig", newline="") as lines:
        found = draft(lines)
    result = merge(document, found)
    for line in result.report:
        click.echo(line.text(), err=True)
    merged = dict(result.document)
    if new_version is not None:
        merged["version"] = new_version
    check_document(merged)
    write(merged, output)
    counts = ", ".join(f"{count} {action.value}" for action, count in summary(result.report).items())
    click.echo(f"{len(result.report)} rows: {counts}", err=True)
