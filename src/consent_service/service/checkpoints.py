"""Publishes signed checkpoints regularly, where there was news, and outside the database as well.

A log can be truncated unseen only in view of an older checkpoint; so each one goes to the log output, to a directory
that the database's owner need not control, and to a webhook if one is set.
"""

import asyncio
import logging
import os
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
"""How often the size of each log is looked at."""

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
    seconds: float = 60.0
    events: int = 10_000
    """News are published after so many seconds, or at once when there are so many of them."""
    directory: Path | None = None
    send: Send | None = None
    standings: dict[str, Standing] = field(default_factory=dict)
    """How far each site's log is covered, as this process knows."""
    _published: dict[str, int] = field(default_factory=dict)

    async def watch(self) -> None:
        """Publish until cancelled; an unreachable store is tried again."""
        pause = min(LOOK_SECONDS, self.seconds)
        waited = 0.0
        while True:
            await asyncio.sleep(pause)
            waited += pause
            try:
                await self.publish_news(self.events if waited < self.seconds else 1)
            except (ConsentError, OSError) as error:
                _log.warning("checkpoints could not be published: %s", type(error).__name__)
            waited = waited % self.seconds

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
        _log.info("checkpoint of %s: %s", checkpoint.site, " ".join(checkpoint.note.split("\n")))
        if self.directory is not None:
            await asyncio.to_thread(_write, self.directory, checkpoint)
        if self.send is not None:
            await self.send(checkpoint)
        # Not before every place has it: what a full disk refused is tried again.
        self._published[checkpoint.site] = checkpoint.size
        return checkpoint


def _write(directory: Path, checkpoint: StoredCheckpoint) -> None:
    folder = directory / checkpoint.site
    folder.mkdir(parents=True, exist_ok=True)
    # Several replicas may share the directory, so each writes a draft of its own.
    draft = folder / f"{checkpoint.size}.{os.getpid()}.draft"
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(checkpoint.note)
        stream.flush()
        os.fsync(stream.fileno())
    draft.rename(folder / f"{checkpoint.size:012}.checkpoint")
