"""A person's rights over what is held: access and portability in one export, and erasure (GDPR Art. 15, 17, 20)."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from consent_service.domain.errors import NotFound
from consent_service.domain.evidence.leaf import format_time
from consent_service.domain.evidence.ranges import encode_ranges
from consent_service.domain.vocabulary import EventType
from consent_service.ports import Clock, Erasure, LogEntry, NewId, Store
from consent_service.service.asking import Asking
from consent_service.service.consents import Consents
from consent_service.service.identity import Identity
from consent_service.service.presenting import consent_body, moment
from consent_service.service.sites import Version

_PAGE = 500


@dataclass(frozen=True, slots=True)
class PrivacyRights:
    """The use cases."""

    store: Store
    consents: Consents
    identity: Identity
    clock: Clock
    new_id: NewId

    async def export(self, asking: Asking, version: Version) -> dict[str, object]:
        """Give everything that is held about a visitor; raises NotFound."""
        state = await self.consents.known(asking, version)
        record = state.situation.record
        if record is None:
            raise NotFound
        return {
            "exported_at": moment(self.clock()),
            "consent": consent_body(asking.site.slug, state),
            "settings": {
                "age_band": record.age_band.value,
                "restricted": record.restricted,
                "objections": sorted(record.objections),
                "separate_consents": sorted(record.separate),
                "opted_out": record.opted_out,
                "account_linked": record.account is not None,
                "email_choices": {c.value: choice.choice.value for c, choice in record.email.items()},
            },
            "created_at": moment(record.created_at),
            "events": await self._events(record.site, record.visitor_id),
        }

    async def erase(self, site: str, visitor_id: str) -> LogEntry:
        """Erase everything about a visitor but the proofs; raises NotFound."""
        now = self.clock()

        def describe(seqs: Sequence[int]) -> dict[str, object]:
            # The event must not name the visitor: it stays, and so do the leaves it speaks of.
            return {
                "event_id": self.new_id(),
                "event_type": EventType.ERASED.value,
                "event_time": format_time(now),
                "site": site,
                "erased_seqs": encode_ranges(seqs),
            }

        stub = self.identity.suppression_stub(site, visitor_id)
        entry = await self.store.writer.erase(Erasure(site, visitor_id, now, stub, describe))
        if entry is None:
            raise NotFound
        return entry

    async def _events(self, site: str, visitor_id: str) -> list[dict[str, object]]:
        events: list[dict[str, object]] = []
        after = -1
        while True:
            page = await self.store.log.visitor_events(site, visitor_id, after, _PAGE)
            events += [{"seq": event.seq, **orjson.loads(event.payload or b"{}")} for event in page]
            if len(page) < _PAGE:
                return events
            after = page[-1].seq
