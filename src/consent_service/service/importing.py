"""Bringing existing consents in from another system, line by line, without inventing or reviving any.

A line names its visitor by the other system's reference, from which the visitor id follows by a keyed hash: the same
file twice finds the same visitors and changes nothing. It is recorded by the ordinary transition with the method
`import`.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent_service.domain.errors import ConsentError, Fault, InvalidInput, NotFound
from consent_service.domain.record import ConsentRecord
from consent_service.domain.signals import NO_SIGNALS, Signals
from consent_service.domain.transitions import choices
from consent_service.domain.transitions.choices import Submission
from consent_service.domain.transitions.context import Context, Transition
from consent_service.domain.vocabulary import Method
from consent_service.ports import Change, ChangeWriter, Committed, LogEntry, NewId, Reply, Subject
from consent_service.service.identity import Identity
from consent_service.service.sites import Site, Version


class Erased(ConsentError):
    """The visitor was erased here; an import does not bring anybody back (CON-20)."""

    code = "erased"
    title = "Erased"


@dataclass(frozen=True, slots=True)
class Imported:
    """One line, read: whose consent it is and what was said."""

    reference: str | None
    """What the other system calls the visitor; None where `visitor_id` names one who is known here."""
    visitor_id: str | None
    submission: Submission
    policy_version: str | None = None
    locale: str | None = None
    region: str | None = None
    signals: Signals = NO_SIGNALS


@dataclass(frozen=True, slots=True)
class Importer:
    """Imports into one site."""

    site: Site
    identity: Identity
    writer: ChangeWriter
    erased: Callable[[Sequence[str]], Awaitable[Collection[str]]]
    """Tells which of these suppression stubs are on record."""
    new_id: NewId

    def visitor_id(self, line: Imported) -> str:
        """Give the visitor whom a line speaks of."""
        return line.visitor_id or self.identity.imported_visitor(self.site.slug, line.reference or "")

    async def suppressed(self, visitor_ids: Sequence[str]) -> frozenset[str]:
        """Give those of these visitors who were erased."""
        stubs = {self.identity.suppression_stub(self.site.slug, visitor): visitor for visitor in visitor_ids}
        return frozenset(stubs[stub] for stub in await self.erased(list(stubs)))

    async def store(self, line: Imported, suppressed: Collection[str], now: datetime) -> bool:
        """Store one line; False where it changes nothing. Raises a ConsentError that says why it cannot be stored."""
        visitor_id = self.visitor_id(line)
        if visitor_id in suppressed:
            raise Erased("This visitor was erased here; an import brings nobody back.")
        ctx = self._context(line, self._version(line, now), now)

        def apply(subject: Subject) -> Transition:
            if subject.record is None and line.reference is None:
                raise NotFound("There is no such visitor.")
            found = subject.record or ConsentRecord(self.site.slug, visitor_id, created_at=now, updated_at=now)
            return _submit(found, line.submission, ctx)

        change = Change(self.site.slug, visitor_id, now, apply, _silent)
        committed: Committed = await self.writer.submit(change)
        return bool(committed.entries)

    def _version(self, line: Imported, now: datetime) -> Version:
        if line.policy_version is None:
            return self.site.current(now)
        version = self.site.by_name.get(line.policy_version)
        if version is None:
            fault = Fault("/policy_version", "policy-version-unknown", "no such version was published")
            raise InvalidInput("The policy version was never published here.", (fault,))
        return version

    def _context(self, line: Imported, version: Version, now: datetime) -> Context:
        return Context(
            rules=version.rules,
            policy_sha256=version.stored.sha256,
            now=now,
            new_id=self.new_id,
            region=line.region,
            signals=line.signals,
            method=Method.IMPORT,
            locale=line.locale,
        )


def _submit(record: ConsentRecord, submission: Submission, ctx: Context) -> Transition:
    """Record a line as the transition does; what is on record word for word is left alone."""
    made = choices.submit(record, submission, ctx)
    channel = submission.channel
    same = made.record.choices(channel) == record.choices(channel) and made.record.separate == record.separate
    return Transition(record) if same and record.revision else made


def _silent(_transition: Transition, _entries: Sequence[LogEntry]) -> Reply:
    return Reply(200, (), b"")
