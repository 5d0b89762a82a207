"""Changes for the stores' tests, and a naive tree to compare the log with."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

from consent_service.domain.errors import ConsentError, NotFound, PreconditionFailed
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.signals import Signals
from consent_service.domain.transitions import accounts, choices, signals
from consent_service.domain.transitions.choices import Submission
from consent_service.domain.transitions.context import Context, Transition
from consent_service.domain.vocabulary import Action
from consent_service.ports import Change, Committed, Erasure, Idempotency, LogEntry, Reply, Store, Subject
from tests.support.builders import NOW, RULES, SITE

CONTEXT = Context(rules=RULES, policy_sha256=sha256(b"policy").hexdigest(), now=NOW, new_id=lambda: str(uuid4()))


def visitor(number: int) -> str:
    """Give the id of a visitor."""
    return f"visitor{number:015d}"


def answering(
    visitor_id: str, action: Action = Action.ACCEPT_ALL, *, site: str = SITE, key: str | None = None, says: bytes = b"x"
) -> Change:
    """Give a change that records an answer; the visitor is made where there is none."""

    def apply(subject: Subject) -> Transition:
        found = subject.record or ConsentRecord(site, visitor_id, created_at=NOW, updated_at=NOW)
        return choices.submit(found, Submission(action), CONTEXT)

    kept = None if key is None else Idempotency(visitor_id, key, sha256(says).digest(), NOW + timedelta(hours=1))
    return Change(site, visitor_id, NOW, apply, numbered, idempotency=kept)


def expecting(visitor_id: str, revision: int) -> Change:
    """Give a refusal that is meant for one revision of the visitor's record only, as `If-Match` says it."""
    change = answering(visitor_id, Action.REJECT_ALL)

    def apply(subject: Subject) -> Transition:
        if subject.record is None or subject.record.revision != revision:
            raise PreconditionFailed
        return change.apply(subject)

    return change._replace(apply=apply)


def refused(visitor_id: str, error: ConsentError) -> Change:
    """Give a change that raises."""

    def apply(subject: Subject) -> Transition:
        raise error

    return Change(SITE, visitor_id, NOW, apply, numbered)


def linking(visitor_id: str, account: str) -> Change:
    """Give a change that logs a known visitor in."""

    def apply(subject: Subject) -> Transition:
        if subject.record is None:
            raise NotFound
        return accounts.link(subject.record, subject.account or AccountState(account), CONTEXT)

    return Change(SITE, visitor_id, NOW, apply, numbered, account=account)


def signalling_gpc(visitor_id: str) -> Change:
    """Give a change that shows a known visitor's Global Privacy Control."""

    def apply(subject: Subject) -> Transition:
        if subject.record is None:
            raise NotFound
        return signals.observe(subject.record, CONTEXT._replace(signals=Signals(None, gpc=True)))

    return Change(SITE, visitor_id, NOW, apply, numbered)


def erasing(visitor_id: str) -> Erasure:
    """Give an erasure whose event names the entries it removed."""
    stub = f"stub {visitor_id[-3:]}"
    return Erasure(SITE, visitor_id, NOW, stub, lambda seqs: {"erased_seqs": ",".join(map(str, seqs))})


def numbered(transition: Transition, entries: Sequence[LogEntry]) -> Reply:
    """Answer with the entries' places."""
    return Reply(200, (), ",".join(str(entry.seq) for entry in entries).encode())


async def submit_all(store: Store, changes: Sequence[Change]) -> list[Committed | BaseException]:
    """Submit changes at once; gives what became of each, in their order."""
    return await asyncio.gather(*(store.writer.submit(change) for change in changes), return_exceptions=True)


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """Compute a tree's root by the definition (RFC 6962 §2.1)."""
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + naive_root(leaves[:middle]) + naive_root(leaves[middle:])).digest()
