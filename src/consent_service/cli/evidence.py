"""`evidence verify | checkpoint | export`, all of which only read, also beside a running service."""

import csv
import io
import sys
from pathlib import Path
from typing import IO

import click
import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent_service.cli.opened import migrated, opened
from consent_service.cli.root import run, settings
from consent_service.domain.evidence.checkpoint import CheckpointRefused, VerifierKey, verify_checkpoint
from consent_service.domain.evidence.verifier import KnownRoot
from consent_service.main import read_database
from consent_service.service.exporting import COLUMNS, Row, csv_row, export_rows
from consent_service.service.identity import Identity
from consent_service.storage.keyring import LOG, Keyring
from consent_service.storage.verification import verify_log

_File = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
_site = click.option("--site", default="default", show_default=True, help="The site whose log it is.")


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
def verify(site: str, files: tuple[Path, ...]) -> None:
    """Verify the whole log against itself and all checkpoints; where it fails, the first bad entry is named."""
    known = settings()
    keyring = Keyring(known.keys_dir)
    given = [(str(file), file.read_bytes()) for file in files]

    async def work() -> tuple[int, str | None]:
        async with opened() as services:
            stored = [
                (f"the stored checkpoint of size {c.size}", c.note.encode())
                for c in await services.store.log.checkpoints(site)
            ]
            try:
                roots = [_root(source, note, site, keyring) for source, note in (*given, *stored)]
            except CheckpointRefused as error:
                return 0, str(error)
            length = (await services.store.log.head(site)).size
            with click.progressbar(length=length, label="verifying", file=sys.stderr) as bar:
                size, finding = await read_database(
                    services.store,
                    lambda connection: verify_log(connection, site, roots, Identity(keyring.mac).pseudonym, bar.update),
                )
            return size, None if finding is None else str(finding)

    size, wrong = run(work())
    if wrong is not None:
        raise click.ClickException(f"the log of {site} is not sound: {wrong}")
    click.echo(f"the log of {site} is sound: {size} entries, {len(given)} checkpoint(s) given")


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
def export(site: str, form: str, output: IO[bytes]) -> None:
    """Write all entries, with a progress bar, in constant memory."""

    async def work() -> None:
        async with opened() as services:
            length = (await services.store.log.head(site)).size
            with click.progressbar(length=length, label="exporting", file=sys.stderr) as bar:
                if form == "csv":
                    output.write((",".join(COLUMNS) + "\r\n").encode())
                async for page in export_rows(services.store.log, site):
                    output.write(b"".join(map(_csv_line if form == "csv" else _json_line, page)))
                    bar.update(len(page))

    run(work())


def _root(source: str, note: bytes, site: str, keyring: Keyring) -> KnownRoot:
    # The origin is part of what was signed; the public address may have been another one when it was.
    origin = note.partition(b"\n")[0].decode("utf-8", "replace")
    if not origin.endswith(f"/evidence/{site}"):
        raise CheckpointRefused(f"{source}: it is not of the log of {site}")
    keys = [VerifierKey(origin, key.public_bytes) for key in keyring.all(LOG) if key.site == site]
    try:
        found = verify_checkpoint(note, keys, _verify)
    except CheckpointRefused as error:
        raise CheckpointRefused(f"{source}: {error}") from error
    return KnownRoot(found.size, found.root, source)


def _verify(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _json_line(row: Row) -> bytes:
    return orjson.dumps(row) + b"\n"


def _csv_line(row: Row) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow(csv_row(row))
    return stream.getvalue().encode()
