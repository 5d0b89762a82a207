"""`import`: consents from another system, one JSON object a line (docs/importing.md)."""

import asyncio
import itertools
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import click
from sqlalchemy import select

from consent_service.api.schemas.importing import import_line
from consent_service.cli.bulk import bulk_store
from consent_service.cli.root import run, settings
from consent_service.domain.errors import ConsentError, ImportOutdated, StoreUnavailable
from consent_service.service.identity import Identity
from consent_service.service.importing import Imported, Importer
from consent_service.storage import tables as t
from consent_service.storage.keyring import Keyring
from consent_service.system import RandomIds, utc_now

_AT_ONCE = 512
"""Lines that share the writer's transactions."""


def register(cli: click.Group) -> None:
    """Add the command."""
    cli.add_command(import_consents)


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", default="default", show_default=True, help="The site that is to know the visitors.")
@click.option(
    "--ids", type=click.Path(dir_okay=False, path_type=Path), help="Write `reference<TAB>visitor_id` lines here."
)
@click.option(
    "--rejected", type=click.Path(dir_okay=False, path_type=Path), help="Write the lines not stored here, as they are."
)
def import_consents(file: Path, site: str, ids: Path | None, rejected: Path | None) -> None:
    """Import consents from FILE, one JSON object a line; again with the same file changes nothing.

    Every line that cannot be stored is named with its number and the reason, and the others are stored. Exits with 1
    where there was such a line.
    """
    result = run(_import(file, site, ids, rejected))
    click.echo(
        f"{result.stored} stored, {result.known} known already, {result.older} older than what is on record, "
        f"{result.refused} not stored",
        err=True,
    )
    if result.refused:
        raise click.ClickException(f"{result.refused} of {result.lines} lines were not stored; each is named above.")


@dataclass
class _Result:
    lines: int = 0
    stored: int = 0
    known: int = 0
    older: int = 0
    refused: int = 0


@dataclass
class _Outputs:
    """Where what became of a line goes."""

    ids: IO[str] | None
    rejected: IO[str] | None
    result: _Result = field(default_factory=_Result)

    def refuse(self, number: int, text: str, reason: str) -> None:
        """Name a line that is not stored; its text is personal data and goes to no terminal."""
        self.result.refused += 1
        click.echo(f"line {number}: {reason}", err=True)
        if self.rejected is not None:
            self.rejected.write(text if text.endswith("\n") else text + "\n")


async def _import(file: Path, site: str, ids: Path | None, rejected: Path | None) -> _Result:
    known = settings()
    async with bulk_store(known) as (store, sites):

        async def erased(stubs: Sequence[str]) -> Collection[str]:
            s = t.suppressions.c
            query = select(s.stub).where(s.site == site, s.stub.in_(stubs))
            return set(await store.read(lambda connection: list(connection.scalars(query))))

        identity = Identity(Keyring(known.keys_dir).mac)
        importer = Importer(sites.get(site), identity, store.writer, erased, RandomIds())
        with ExitStack() as stack:
            outputs = _Outputs(_open(stack, ids), _open(stack, rejected))
            # Nothing else runs in this loop but the writer, which waits for these lines.
            lines = stack.enter_context(file.open(encoding="utf-8", errors="surrogateescape"))
            bar = stack.enter_context(click.progressbar(length=os.stat(file).st_size, label="importing"))  # noqa: PTH116 - see above
            for chunk in _chunks(lines):
                await _store(importer, chunk, outputs)
                bar.update(sum(len(text.encode("utf-8", "surrogateescape")) for _, text in chunk))
        return outputs.result


def _open(stack: ExitStack, path: Path | None) -> IO[str] | None:
    return None if path is None else stack.enter_context(path.open("w", encoding="utf-8"))


def _chunks(lines: IO[str]) -> Iterator[list[tuple[int, str]]]:
    numbered = ((number, text) for number, text in enumerate(lines, 1) if text.strip())
    while chunk := list(itertools.islice(numbered, _AT_ONCE)):
        yield chunk


async def _store(importer: Importer, chunk: list[tuple[int, str]], outputs: _Outputs) -> None:
    read: list[tuple[int, str, Imported]] = []
    for number, text in chunk:
        outputs.result.lines += 1
        found = import_line(text)
        if isinstance(found, str):
            outputs.refuse(number, text, found)
        else:
            read.append((number, text, found))
    suppressed = await importer.suppressed([importer.visitor_id(line) for _, _, line in read])
    # Lines about one visitor keep their order: the writer carries changes out in the order they come.
    outcomes = await asyncio.gather(
        *(importer.store(line, suppressed, utc_now()) for _, _, line in read), return_exceptions=True
    )
    for (number, text, line), outcome in zip(read, outcomes, strict=True):
        if isinstance(outcome, StoreUnavailable) or not isinstance(outcome, bool | ConsentError):
            raise outcome  # nothing is lost: the same file again goes on where this ended
        if isinstance(outcome, ImportOutdated):
            outputs.result.older += 1  # a newer choice is on record, perhaps from this very file
            continue
        if isinstance(outcome, ConsentError):
            outputs.refuse(number, text, outcome.detail)
            continue
        outputs.result.stored += outcome
        outputs.result.known += not outcome
        if outputs.ids is not None and line.reference is not None:
            outputs.ids.write(f"{line.reference}\t{importer.visitor_id(line)}\n")
