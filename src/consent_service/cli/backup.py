"""`backup`: a copy of the SQLite file that was verified before anybody relies on it."""

import shutil
import sys
from pathlib import Path

import click

from consent_service.cli.opened import opened
from consent_service.cli.root import run, settings
from consent_service.cli.verifying import verify_site
from consent_service.storage.keyring import Keyring
from consent_service.storage.sqlite_backup import back_up
from consent_service.stores import sqlite_path

_New = click.Path(exists=False, path_type=Path)


def register(cli: click.Group) -> None:
    """Add the command."""
    cli.add_command(backup)


@click.command()
@click.argument("file", type=_New)
@click.option("--keys", "keys_copy", type=_New, help="A new directory to which the signing keys are copied as well.")
def backup(file: Path, keys_copy: Path | None) -> None:
    """Copy the SQLite database to a new FILE while it is being served, and verify the copy.

    Without the keys no cookie, token or checkpoint of it can be verified: keep a copy of them too, best apart from it.
    """
    known = settings()
    path = sqlite_path(known)
    if path is None:
        raise click.ClickException(
            "PostgreSQL is backed up by its own tools: `pg_dump --format=custom`, or `pg_basebackup` with an archive "
            f"of the write-ahead log. Copy {known.keys_dir} as well. See docs/evidence.md."
        )
    if not path.exists():
        raise click.ClickException(f"there is no database at {path}")
    with click.progressbar(length=1, label="copying", file=sys.stderr) as bar:

        def show(remaining: int, total: int) -> None:
            bar.length = total
            bar.update(total - remaining - bar.pos)

        back_up(path, file, show)
    if keys_copy is not None:
        shutil.copytree(known.keys_dir, keys_copy)
        keys_copy.chmod(0o700)
    for line in _verified(file):
        click.echo(line)
    if keys_copy is None:
        click.echo(f"the keys in {known.keys_dir} are not part of it: copy that directory too")


def _verified(file: Path) -> list[str]:
    known = settings().model_copy(update={"database_url": f"sqlite:///{file}"})
    keyring = Keyring(known.keys_dir)

    async def work() -> list[str]:
        lines: list[str] = []
        async with opened(known) as services:
            for site in services.sites.all():
                size, wrong = await verify_site(services, keyring, site.slug)
                if wrong is not None:
                    raise click.ClickException(f"{file} was written, but the log of {site.slug} is not sound: {wrong}")
                lines.append(f"{file} holds the log of {site.slug} with {size} entries, verified")
        return lines

    return run(work())
