"""Publishes signed checkpoints regularly, where there was news, and outside the database as well.

A log can be truncated unseen only in view of an older checkpoint; so each one goes to the log output, to a directory
that the database's owner need not control, and to a webhook if one is set.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from consent_service.domain.errors import ConsentError
from consent_service.ports import EvidenceLog, StoredCheckpoint
from consent_service.service.evidence import Evidence
from consent_service.service.sites import Sites

_log = logging.getLogger("consent_service.checkpoint")

LOOK_SECONDS = 5.0
PUBLISH_SECONDS = 60.0
PUBLISH_EVENTS = 10_000
"""News are published after a minute, or at once when there are so many of them."""

Send = Callable[[StoredCheckpoint], Awaitable[None]]


@dataclass(slots=True)
class Standing:
    """How far a log is covered by published checkpoints."""

    entries: int
    covered: int
    uncovered_since: datetime | None = None
    """When this process first saw an entry that is not covered yet."""


@dataclass(slots=True)
class Checkpoints:
    """Publishes for all sites of this process; several processes may do so side by side."""

    evidence: Evidence
    log: EvidenceLog
    sites: Sites
    directory: Path | None = None
    send: Send | None = None
    standings: dict[str, Standing] = field(default_factory=dict)
    """How far each site's log is covered, as this process knows."""
    _published: dict[str, int] = field(default_factory=dict)

    async def watch(self) -> None:
        """Publish until cancelled; an unreachable store is tried again."""
        waited = 0.0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS
            try:
                await self.publish_news(PUBLISH_EVENTS if waited < PUBLISH_SECONDS else 1)
            except (ConsentError, OSError) as error:
                _log.warning("checkpoints could not be published: %s", type(error).__name__)
            waited = waited % PUBLISH_SECONDS

    async def publish_news(self, least: int = 1) -> list[StoredCheckpoint]:
        """Publish a checkpoint of every site that has at least so many new entries."""
        published: list[StoredCheckpoint] = []
        for site in self.sites.all():
            head = await self.log.head(site.slug)
            self._note(site.slug, head.size, await self._last(site.slug))
            if head.size - self._published[site.slug] >= least:
                published.append(await self._publish(self.evidence.sign(site.slug, head)))
                self._note(site.slug, head.size, head.size)
        return published

    def _note(self, site: str, entries: int, covered: int) -> None:
        known = self.standings.get(site)
        since = None if known is None else known.uncovered_since
        uncovered = since or self.evidence.clock() if entries > covered else None
        self.standings[site] = Standing(entries, covered, uncovered)

    async def _last(self, site: str) -> int:
        if site not in self._published:
            kept = await self.log.checkpoints(site)
            self._published[site] = kept[-1].size if kept else 0
        return self._published[site]

    async def _publish(self, checkpoint: StoredCheckpoint) -> StoredCheckpoint:
        await self.log.add_checkpoint(checkpoint)
        self._published[checkpoint.site] = checkpoint.size
        _log.info("checkpoint of %s: %s", checkpoint.site, " ".join(checkpoint.note.split("\n")))
        if self.directory is not None:
            await asyncio.to_thread(_write, self.directory, checkpoint)
        if self.send is not None:
            await self.send(checkpoint)
        return checkpoint


def _write(directory: Path, checkpoint: StoredCheckpoint) -> None:
    folder = directory / checkpoint.site
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{checkpoint.size}.draft"
    draft.write_text(checkpoint.note, "utf-8")
    draft.rename(folder / f"{checkpoint.size:012}.checkpoint")
