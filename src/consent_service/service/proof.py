"""The proof of one visitor's consent in one answer: who, when, what was shown, how, withdrawn or not (EVD-11).

It answers what the ICO asks a controller to show (GDPR Art. 7(1)), and holds the entry with its inclusion proof, so
that an auditor checks it offline against a checkpoint.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from consent_service.domain.errors import NotFound
from consent_service.domain.evidence.documents import event_document
from consent_service.domain.evidence.leaf import format_time
from consent_service.domain.receipts.source import how_collected
from consent_service.domain.vocabulary import CATEGORIES, Category
from consent_service.ports import LoggedEvent
from consent_service.service.evidence import Evidence, log_row
from consent_service.service.receipts import Chosen, Receipts
from consent_service.service.sites import Site

_PAGE = 500


@dataclass(frozen=True, slots=True)
class _Story:
    """The newest choice that granted anything, else the newest choice; and what took it back."""

    chosen: Chosen
    taken_back: LoggedEvent | None = None


@dataclass(frozen=True, slots=True)
class Proofs:
    """The use case."""

    receipts: Receipts
    evidence: Evidence

    async def of_consent(self, site: Site, visitor_id: str, size: int | None) -> dict[str, object]:
        """Prove a visitor's newest consent in the log of a size, the newest where none is given.

        Raises NotFound where the visitor has made no choice, OutsideLog for a size that the entry is not in.
        """
        story = await self._story(site.slug, visitor_id)
        chosen = story.chosen
        proof = await self.evidence.inclusion(site.slug, chosen.logged.seq, size)
        source = self.receipts.source(site, chosen)
        policy = site.by_name[source.policy_version].policy
        back = story.taken_back
        return {
            "who": {"visitor_id": visitor_id, "site": site.slug, "controller": source.controller.name},
            "when": format_time(chosen.logged.time),
            "shown": {
                "policy_version": source.policy_version,
                "policy_sha256": source.policy_sha256,
                "locale": source.locale,
                "notice_sha256": source.notice_sha256,
                "texts": dict(policy.texts[source.locale]),
                "categories": {c.category.value: {"title": c.title, "purpose": c.purpose} for c in source.categories},
            },
            "how": {
                "method": source.event.method.value,
                "channel": source.event.channel.value,
                "collection": how_collected(source.event),
                "choices": _in_order(chosen.payload["choices"]),
            },
            "withdrawn": None if back is None else {"at": format_time(back.time), "seq": back.seq},
            **proof,
            "events": [event_document(log_row(chosen.logged))],
        }

    async def _story(self, site: str, visitor_id: str) -> _Story:
        story: _Story | None = None
        standing: dict[str, dict[str, bool]] = {}
        async for chosen in self._choices(site, visitor_id):
            said = chosen.payload["choices"]
            for channel in _channels(chosen.payload):
                standing[channel] = standing.get(channel, {}) | said
            # A signal such as ADPC speaks of single categories: it neither replaces a consent nor takes all of it back.
            whole = len(said) == len(CATEGORIES) or story is None or story.taken_back is not None
            if story is None or not _grants(story.chosen.payload["choices"]) or (_grants(said) and whole):
                story = _Story(chosen)
            elif story.taken_back is None and not _grants(standing[story.chosen.payload["channel"]]):
                story = _Story(story.chosen, chosen.logged)
        if story is None:
            raise NotFound("This visitor has made no choice that could be proved.")
        return story

    async def _choices(self, site: str, visitor_id: str) -> AsyncIterator[Chosen]:
        after = -1
        while page := await self.receipts.store.log.visitor_events(site, visitor_id, after, _PAGE):
            after = page[-1].seq
            for event in page:
                payload = orjson.loads(event.payload or b"{}")
                if payload.get("choices") is not None:
                    yield Chosen(event, payload, frozenset())


def _grants(said: Mapping[str, bool]) -> bool:
    return any(on for name, on in said.items() if name != Category.STRICTLY_NECESSARY.value)


def _channels(payload: dict[str, Any]) -> Sequence[str]:
    return payload.get("channels") or (payload["channel"],)


def _in_order(said: Mapping[str, bool]) -> dict[str, bool]:
    return {category.value: said[category.value] for category in CATEGORIES if category.value in said}
