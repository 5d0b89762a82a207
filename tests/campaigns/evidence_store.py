"""What the evidence campaigns share: a database of either kind, visitors who use it, and a look into its bytes."""

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, select

from consent_service.domain.errors import NotFound
from consent_service.domain.evidence.ranges import encode_ranges
from consent_service.domain.record import AccountState, ConsentRecord
from consent_service.domain.transitions import accounts, choices
from consent_service.domain.transitions.choices import Submission
from consent_service.domain.transitions.context import Transition
from consent_service.domain.vocabulary import Action
from consent_service.ports import Change, Erasure, Idempotency, LogEntry, Reply, Subject
from consent_service.service.identity import Identity, new_visitor_id
from consent_service.storage import tables as t
from consent_service.storage.batch_state import Secrets
from consent_service.storage.keyring import Keyring
from consent_service.storage.migrate import upgrade
from consent_service.storage.postgres import PostgresStore
from consent_service.storage.sqlite import SqliteStore
from tests.storage.changes import CONTEXT
from tests.support.builders import NOW, SITE

SqlStore = SqliteStore | PostgresStore
WINDOW = 16
"""Bytes in a row that are no chance: so many of a salt or an id found in a file mean that it is still there."""


def sqlite_url(directory: Path) -> str:
    """Give the address of the campaign's SQLite file."""
    return f"sqlite:///{directory / 'consent.db'}"


def secrets_in(directory: Path) -> Secrets:
    """Give what leaves are made with, from the keys in a directory."""
    return Secrets(Identity(Keyring(directory / "keys").mac).pseudonym, lambda: secrets.token_bytes(32))


async def open_store(url: str, directory: Path) -> SqlStore:
    """Bring a database up to date and open it."""
    await asyncio.to_thread(upgrade, url)
    made_with = secrets_in(directory)
    path = Path(url.removeprefix("sqlite:///"))
    store = SqliteStore(path, made_with) if url.startswith("sqlite") else PostgresStore(url, made_with)
    await store.start()
    return store


def answering(visitor_id: str, action: Action, key: str | None = None) -> Change:
    """Record an answer; the visitor is made where there is none."""

    def apply(subject: Subject) -> Transition:
        found = subject.record or ConsentRecord(SITE, visitor_id, created_at=NOW, updated_at=NOW)
        return choices.submit(found, Submission(action), CONTEXT)

    def render(transition: Transition, entries: Sequence[LogEntry]) -> Reply:
        receipts = ",".join(f'"{entry.receipt_id}"' for entry in entries)
        return Reply(200, (), f'{{"visitor_id":"{visitor_id}","receipts":[{receipts}]}}'.encode())

    kept = None if key is None else Idempotency(visitor_id, key, sha256(key.encode()).digest(), NOW + timedelta(days=1))
    return Change(SITE, visitor_id, NOW, apply, render, idempotency=kept)


def linking(visitor_id: str, account: str) -> Change:
    """Log a known visitor in."""

    def apply(subject: Subject) -> Transition:
        if subject.record is None:
            raise NotFound
        return accounts.link(subject.record, subject.account or AccountState(account), CONTEXT)

    return answering(visitor_id, Action.ACCEPT_ALL)._replace(apply=apply, account=account)


def erasing(visitor_id: str) -> Erasure:
    """Erase a visitor as the service does."""

    def describe(seqs: Sequence[int]) -> dict[str, object]:
        return {"event_type": "erased", "site": SITE, "erased_seqs": encode_ranges(seqs)}

    return Erasure(SITE, visitor_id, NOW, secrets.token_urlsafe(32), describe)


@dataclass
class Crowd:
    """Visitors, and what only they have: their ids and the hashes of their accounts."""

    ids: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)


async def populate(store: SqlStore, visitors: int) -> Crowd:
    """Let so many visitors answer, log in and change their minds, each with an idempotency key; three entries each."""
    crowd = Crowd([new_visitor_id() for _ in range(visitors)], [secrets.token_urlsafe(32) for _ in range(visitors)])
    rounds = (
        [answering(visitor, Action.ACCEPT_ALL, f"key-{secrets.token_hex(16)}") for visitor in crowd.ids],
        [linking(visitor, account) for visitor, account in zip(crowd.ids, crowd.accounts, strict=True)],
        [answering(visitor, Action.REJECT_ALL, f"key-{secrets.token_hex(16)}") for visitor in crowd.ids],
    )
    for changes in rounds:
        for start in range(0, visitors, 2_000):
            await asyncio.gather(*(store.writer.submit(change) for change in changes[start : start + 2_000]))
    return crowd


def traces(connection: Connection, crowd: Crowd) -> list[bytes]:
    """Give every stored byte string that speaks of these visitors: salts, payloads, ids, hashes, answers, moments."""
    found = [text.encode() for text in (*crowd.ids, *crowd.accounts)]
    ids = set(crowd.ids)
    p, i, v = t.log_payloads.c, t.idempotency_keys.c, t.visitors.c
    for visitor, salt, payload in connection.execute(select(p.visitor_id, p.salt, p.payload)):
        found += [salt, payload[5:]] if visitor in ids else []
    for visitor, key, fingerprint, reply in connection.execute(select(i.visitor_id, i.key, i.fingerprint, i.reply)):
        found += [key.encode(), fingerprint, reply[5:]] if visitor in ids else []
    for visitor, account in connection.execute(select(v.visitor_id, v.account)):
        found += [account.encode()] if visitor in ids and account else []
    return found


def windows(found: Iterable[bytes]) -> set[bytes]:
    """Cut byte strings into all their windows, so that a part that was left behind is found as well."""
    return {trace[at : at + WINDOW] for trace in found for at in range(len(trace) - WINDOW + 1)}


def count_in(content: bytes, wanted: set[bytes]) -> int:
    """Count the places of a file where one of the windows stands."""
    return sum(content[at : at + WINDOW] in wanted for at in range(len(content) - WINDOW + 1))
