"""What a serving process does beside its requests, from its start to its end."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from consent_service.api.measurements import samples
from consent_service.api.metrics_board import SECONDS as BOARD_SECONDS
from consent_service.api.metrics_board import MetricsBoard
from consent_service.api.services import Services
from consent_service.outgoing.webhooks import Poster
from consent_service.service.upkeep import Upkeep
from consent_service.service.webhook_delivery import Courier
from consent_service.storage.keyring import Keyring

_log = logging.getLogger(__name__)


KEYRING_SECONDS = 5.0
"""How often the directory of keys is looked at for a rotation."""


@contextlib.asynccontextmanager
async def at_work(services: Services, keyring: Keyring, poster: Poster) -> AsyncIterator[None]:
    """Keep up with the catalog, the keys and the log, deliver webhooks and tidy up, while the context lasts."""
    standings, outbox, secret_of = services.webhook_standings, services.store.outbox, services.webhooks.secret_of
    courier = Courier(outbox, services.sites, services.clock, secret_of, poster, standings.outcomes)
    upkeep = Upkeep(services.store, services.clock)
    work = [
        services.sites.watch(),
        services.checkpoints.watch(),
        courier.watch(),
        standings.watch(),
        upkeep.watch(),
        _watch_keys(keyring),
    ]
    if services.board is not None:
        work.append(_lay_out(services.board, services))
    tasks = [asyncio.create_task(watch) for watch in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await poster.close()


async def _watch_keys(keyring: Keyring) -> None:
    while True:
        await asyncio.sleep(KEYRING_SECONDS)
        try:
            keyring.reload()
        except (OSError, ValueError, KeyError):
            _log.exception("the directory of keys could not be read")


async def _lay_out(board: MetricsBoard, services: Services) -> None:
    while True:
        board.lay(samples(services))
        await asyncio.sleep(BOARD_SECONDS)
