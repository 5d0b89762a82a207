"""Publishing signed checkpoints where there is news: in the log output, in a directory, at a webhook.

A log can be truncated unseen only in view of an older checkpoint, so checkpoints must also stand in places
that the database's owner need not control.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
    """Publishes for all sites; any number of processes do so side by side.

    When a checkpoint is due is read off the newest stored one, so that replicas take turns without a leader; and of
    several that sign the same size at once, the one whose row was stored publishes it.
    """

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
    _untold: dict[str, StoredCheckpoint] = field(default_factory=dict)
    """Stored, but not yet in every place: what a full disk refused is tried again."""

    async def watch(self) -> None:
        """Publish until cancelled; an unreachable store is tried again."""
        while True:
            await asyncio.sleep(min(LOOK_SECONDS, self.seconds))
            try:
                await self.publish_news()
            except (ConsentError, OSError) as error:
                _log.warning("checkpoints could not be published: %s", type(error).__name__)

    async def publish_news(self) -> list[StoredCheckpoint]:
        """Publish a checkpoint of every site where one is due; gives those that were published here."""
        published: list[StoredCheckpoint] = []
        for site in self.sites.all():
            head = await self.log.head(site.slug)
            last = await self.log.newest_checkpoint(site.slug)
            self._note(site.slug, head.size, last)
            signed = self.evidence.sign(site.slug, head)
            if self._due(last, signed) and await self.log.add_checkpoint(signed):
                self._untold[site.slug] = last = signed
                self._note(site.slug, head.size, last)
            if site.slug in self._untold:
                published.append(await self._tell(self._untold[site.slug]))
                del self._untold[site.slug]
        return published

    def _due(self, last: StoredCheckpoint | None, signed: StoredCheckpoint) -> bool:
        news = signed.size - (last.size if last else 0)
        waited = last is None or signed.created_at - last.created_at >= timedelta(seconds=self.seconds)
        return news >= self.events or (news > 0 and waited)

    def _note(self, site: str, entries: int, last: StoredCheckpoint | None) -> None:
        covered = last.size if last else 0
        known = self.standings.get(site)
        since = None if known is None else known.uncovered_since
        uncovered = since or self.evidence.clock() if entries > covered else None
        self.standings[site] = Standing(entries, covered, uncovered)

    async def _tell(self, checkpoint: StoredCheckpoint) -> StoredCheckpoint:
        _log.info("checkpoint of %s: %s", checkpoint.site, " ".join(checkpoint.note.split("\n")))
        if self.directory is not None:
            await asyncio.to_thread(_write, self.directory, checkpoint)
        if self.send is not None:
            await self.send(checkpoint)
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
