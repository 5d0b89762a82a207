"""Publishes signed checkpoints regularly, where there was news, and outside the database as well.

A log can be truncated unseen only in view of an older checkpoint; so each one goes to the log output, to a directory
that the database's owner need not control, and to a webhook if one is set.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from consent_service.domain.errors import ConsentError
from consent_service.ports import EvidenceLog, StoredCheckpoint
from consent_service.service.evidence import Evidence
from consent_service.service.sites import Sites

_log = logging.getLogger("consent_service.checkpoint")

LOOK_SECONDS = 5.0
PUBLISH_SECONDS = 60.0
PUBLISH_EVENTS = 10_000
"""News are published when the last checkpoint is a minute old, or at once when there are so many of them."""

Send = Callable[[StoredCheckpoint], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Publishes for all sites; any number of processes do so side by side.

    When a checkpoint is due is read off the newest stored one, so that replicas take turns without a leader; and of
    several that sign the same size at once, the one whose row was stored publishes it.
    """

    evidence: Evidence
    log: EvidenceLog
    sites: Sites
    directory: Path | None = None
    send: Send | None = None

    async def watch(self) -> None:
        """Publish until cancelled; an unreachable store is tried again."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.publish_news()
            except (ConsentError, OSError) as error:
                _log.warning("checkpoints could not be published: %s", type(error).__name__)

    async def publish_news(self) -> list[StoredCheckpoint]:
        """Publish a checkpoint of every site where one is due; gives those that were published here."""
        published: list[StoredCheckpoint] = []
        for site in self.sites.all():
            head = await self.log.head(site.slug)
            checkpoint = self.evidence.sign(site.slug, head)
            if _due(await self.log.newest_checkpoint(site.slug), checkpoint) and await self._publish(checkpoint):
                published.append(checkpoint)
        return published

    async def _publish(self, checkpoint: StoredCheckpoint) -> bool:
        if not await self.log.add_checkpoint(checkpoint):
            return False
        _log.info("checkpoint of %s: %s", checkpoint.site, " ".join(checkpoint.note.split("\n")))
        if self.directory is not None:
            await asyncio.to_thread(_write, self.directory, checkpoint)
        if self.send is not None:
            await self.send(checkpoint)
        return True


def _due(last: StoredCheckpoint | None, signed: StoredCheckpoint) -> bool:
    news = signed.size - (last.size if last else 0)
    waited = last is None or signed.created_at - last.created_at >= timedelta(seconds=PUBLISH_SECONDS)
    return news >= PUBLISH_EVENTS or (news > 0 and waited)


def _write(directory: Path, checkpoint: StoredCheckpoint) -> None:
    folder = directory / checkpoint.site
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{checkpoint.size}.draft"
    draft.write_text(checkpoint.note, "utf-8")
    draft.rename(folder / f"{checkpoint.size:012}.checkpoint")
