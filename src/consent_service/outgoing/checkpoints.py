"""Posts signed checkpoints to a webhook: a place that the database's owner does not control."""

import logging
from collections.abc import Awaitable, Callable

from consent_service.ports import StoredCheckpoint

_log = logging.getLogger(__name__)

_SECONDS = 5.0


def poster(url: str) -> Callable[[StoredCheckpoint], Awaitable[None]] | None:
    """Give a function that posts a checkpoint to `url`, or None without one; a failure is logged and not repeated."""
    if not url:
        return None
    import httpx  # noqa: PLC0415 - five megabytes for those who post checkpoints only

    async def post(checkpoint: StoredCheckpoint) -> None:
        try:
            async with httpx.AsyncClient(timeout=_SECONDS) as client:
                response = await client.post(
                    url, content=checkpoint.note, headers={"Content-Type": "text/plain; charset=utf-8"}
                )
                response.raise_for_status()
        except httpx.HTTPError as error:
            _log.warning("a checkpoint could not be posted: %s", type(error).__name__)

    return post
