"""`seed`: synthetic visitors for trying the service at size; in development only."""

import multiprocessing
import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import click

from consent_service.cli.bulk import bulk_store
from consent_service.cli.root import run, settings
from consent_service.domain.counts import Tally
from consent_service.domain.errors import ConsentError
from consent_service.domain.evidence.event_text import fill as fill_text
from consent_service.domain.evidence.leaf import SALT_BYTES, commit, format_time
from consent_service.domain.moments import from_micros
from consent_service.ports import BulkEvent, BulkVisitor
from consent_service.service.identity import Identity, new_visitor_id
from consent_service.service.seeding import Text, fill, histories
from consent_service.service.sites import Version
from consent_service.storage.bulk import load
from consent_service.storage.keyring import Keyring
from consent_service.storage.payloads import pack, pack_event
from consent_service.system import RandomIds, utc_now

AT_ONCE = 5_000
"""Visitors in one transaction."""
_WAYS = 256
_Made = tuple[list[BulkVisitor], list[BulkEvent], Tally]


def register(cli: click.Group) -> None:
    """Add the command."""
    cli.add_command(seed)


@click.command()
@click.option("--visitors", type=click.IntRange(1), required=True, help="How many visitors to make.")
@click.option(
    "--ids", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File for one visitor id a line."
)
@click.option("--site", default="default", show_default=True, help="The site that knows them.")
def seed(visitors: int, ids: Path, site: str) -> None:
    """Make synthetic visitors with varied choices, three events each; needs CONSENT_DEV=1."""
    known = settings()
    if not known.dev:
        raise ConsentError("seed makes visitors that nobody is; it runs with CONSENT_DEV=1 only.")
    run(_seed(site, visitors, ids))


async def _seed(site: str, visitors: int, ids: Path) -> None:
    known = settings()
    async with bulk_store(known) as (store, sites):
        version = sites.get(site).current(utc_now())
        maker = _Maker(known.keys_dir, version)
        sizes = [AT_ONCE] * (visitors // AT_ONCE) + [visitors % AT_ONCE] * bool(visitors % AT_ONCE)
        with (
            ids.open("w", encoding="ascii") as names,
            click.progressbar(length=visitors, label="visitors") as bar,
            _makers() as pool,
        ):
            for made, events, counts in _ahead(pool, maker, sizes):
                await store.write(partial(_load, site=site, visitors=made, events=events, counts=counts))
                names.writelines(f"{visitor[0]}\n" for visitor in made)
                bar.update(len(made))


def _load(connection: Any, site: str, visitors: list[BulkVisitor], events: list[BulkEvent], counts: Tally) -> int:
    return load(connection, site, visitors, events, counts)


def _makers() -> ProcessPoolExecutor:
    spare = max(1, len(os.sched_getaffinity(0)) - 1)
    return ProcessPoolExecutor(spare, mp_context=multiprocessing.get_context("spawn"))


def _ahead(pool: ProcessPoolExecutor, maker: "_Maker", sizes: list[int]) -> Iterator[_Made]:
    """Have a few chunks made ahead, and no more, so that memory stays as it is."""
    waiting: list[Any] = []
    for size in sizes:
        waiting.append(pool.submit(maker, size, utc_now()))
        if len(waiting) > 3:  # noqa: PLR2004 - a few
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


@dataclass(slots=True)
class _Maker:
    """Makes the rows of a chunk, in a process of its own."""

    keys_dir: Path
    version: Version

    def __call__(self, size: int, now: datetime) -> _Made:
        """Make so many visitors whose last event is now."""
        identity, site = Identity(Keyring(self.keys_dir).mac), self.version.policy.site
        found = histories(self.version, now, _WAYS)
        ids = [new_visitor_id() for _ in range(size)]
        return fill(found, now, ids, RandomIds(), partial(identity.pseudonym, site), _Commit())


class _Commit:
    """Draws salts and commits to payloads."""

    def __call__(
        self, text: Text, event_id: str, micros: int, receipt_id: str, visitor_id: str
    ) -> tuple[bytes, bytes, bytes]:
        """Give salt, commitment and stored form."""
        payload = fill_text(text, event_id, _time_text(micros), receipt_id, visitor_id)
        packed = pack_event(text, event_id, micros, receipt_id, visitor_id) or pack(payload)
        salt = secrets.token_bytes(SALT_BYTES)
        return salt, commit(salt, payload), packed


@lru_cache(8)
def _time_text(micros: int) -> str:
    return format_time(from_micros(micros))
