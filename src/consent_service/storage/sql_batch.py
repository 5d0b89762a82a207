"""Reads and writes one batch through a SQLAlchemy connection, the same way on PostgreSQL and on SQLite.

The order of locks is fixed: the heads of the sites in their order, then the visitors in theirs. On SQLite the
transaction is `BEGIN IMMEDIATE`, which locks everything at once; `FOR UPDATE` is not written there.
"""

from collections.abc import Sequence

import orjson
from sqlalchemy import Connection, bindparam, delete, exists, select

from consent_service.domain.evidence.tree import Frontier
from consent_service.domain.moments import from_micros, to_micros
from consent_service.domain.record_text import (
    StoredVisitor,
    decode_account,
    encode_account,
)
from consent_service.ports import Change, Erasure, Purge, Reply
from consent_service.storage import outbox
from consent_service.storage import tables as t
from consent_service.storage.batch import Batch
from consent_service.storage.batch_state import LeafRow, Loaded, Outcome, Remembered, Secrets, Writes
from consent_service.storage.dialects import insert
from consent_service.storage.holdings import read_entries
from consent_service.storage.hot_sql import HotSql, Keys, Rows, hot_sql
from consent_service.storage.payloads import pack, pack_event, pack_plain, unpack, unpack_plain
from consent_service.storage.sqlite_residue import MARK

_ChangeLike = Change | Erasure | Purge


def run_batch(connection: Connection, requests: Sequence[_ChangeLike], secrets: Secrets) -> list[Outcome]:
    """Carry out a batch inside the connection's open transaction; the caller commits."""
    hot = hot_sql(connection)
    loaded = _load(connection, hot, requests)
    batch = Batch(loaded, secrets)
    outcomes = batch.run(requests)
    _write(connection, hot, batch.writes)
    outbox.write(connection, batch.writes.outbox)
    return outcomes


def run_changes(hot: HotSql, requests: Sequence[Change], secrets: Secrets) -> list[Outcome] | None:
    """Carry out changes alone, by hot statements alone; None, with nothing written, where that is not enough.

    That is where a site has no head yet, or has webhooks to tell.
    """
    loaded = Loaded()
    sites = sorted({r.site for r in requests})
    if len(_take_heads(hot, sites, loaded)) < len(sites) or loaded.endpoints:
        return None
    _load_subjects(hot, requests, {(r.site, r.visitor_id) for r in requests}, loaded)
    batch = Batch(loaded, secrets)
    outcomes = batch.run(requests)
    hot.put(rows_of(batch.writes))
    return outcomes


def _load(connection: Connection, hot: HotSql, requests: Sequence[_ChangeLike]) -> Loaded:
    loaded = Loaded()
    _load_heads(connection, hot, sorted({r.site for r in requests}), loaded)
    purges = [r for r in requests if isinstance(r, Purge)]
    visitor_keys = {(r.site, r.visitor_id) for r in requests if not isinstance(r, Purge)}
    visitor_keys |= {(purge.site, visitor_id) for purge in purges for visitor_id in purge.visitor_ids}
    _load_subjects(hot, [r for r in requests if isinstance(r, Change)], visitor_keys, loaded)
    for erasure in (r for r in requests if isinstance(r, Erasure)):
        p = t.log_payloads.c
        seqs = select(p.seq).where(p.site == erasure.site, p.visitor_id == erasure.visitor_id).order_by(p.seq)
        loaded.payload_seqs[erasure.site, erasure.visitor_id] = list(connection.scalars(seqs))
    for purge in purges:
        found = read_entries(connection, purge.site, purge.visitor_ids)
        loaded.entries.update({(purge.site, visitor_id): entries for visitor_id, entries in found.items()})
    return loaded


def _load_subjects(hot: HotSql, changes: Sequence[Change], visitors: set[tuple[str, str]], loaded: Loaded) -> None:
    named = {(change.site, change.account) for change in changes if change.account}
    _load_visitors(hot, sorted(visitors), named, loaded)
    asked = [(change.site, change.idempotency) for change in changes if change.idempotency]
    _load_remembered(hot, sorted({(site, i.owner, i.key) for site, i in asked}), loaded)


def _take_heads(hot: HotSql, sites: Sequence[str], loaded: Loaded) -> dict[str, Frontier]:
    for site, size, frontier, endpoints in hot.lock_heads(sites):
        loaded.heads[site] = Frontier.from_bytes(size, frontier)
        if endpoints:
            loaded.endpoints[site] = tuple(endpoints.split())
    return loaded.heads


def _load_heads(connection: Connection, hot: HotSql, sites: Sequence[str], loaded: Loaded) -> None:
    found = _take_heads(hot, sites, loaded)
    missing = [site for site in sites if site not in found]
    if missing:
        # The first writers of a site meet here; the row that one of them makes is then locked by each in turn.
        rows = [{"site": site, "size": 0, "frontier": b""} for site in missing]
        connection.execute(insert(connection, t.log_heads).on_conflict_do_nothing(), rows)
        _load_heads(connection, hot, sites, loaded)


def _load_visitors(hot: HotSql, keys: Keys, named: set[tuple[str, str]], loaded: Loaded) -> None:
    rows = hot.find("visitors", keys)
    accounts = sorted(named | {(row[0], row[5]) for row in rows if row[5] is not None})
    if accounts:
        for site, account, state in hot.find("accounts", accounts):
            loaded.accounts[site, account] = decode_account(account, state)
    for site, visitor_id, *row in rows:
        loaded.visitors[site, visitor_id] = StoredVisitor(*row)


def _load_remembered(hot: HotSql, keys: Keys, loaded: Loaded) -> None:
    if not keys:
        return
    for site, owner, key, visitor_id, fingerprint, reply, expires_at in hot.find("idempotency_keys", keys):
        known = Remembered(fingerprint, decode_reply(reply), from_micros(expires_at), visitor_id)
        loaded.remembered[site, owner, key] = known


def encode_reply(reply: Reply) -> bytes:
    """Write an answer for an idempotency key."""
    if reply.frame is not None:
        named = [[name.decode(), value.decode()] for name, value in reply.values.items()]
        own = orjson.dumps([reply.status, reply.headers, named])
        shared = reply.frame.packed
        if shared is None:
            shared = reply.frame.packed = pack(reply.frame.text)
        return _FRAMED + pack_plain(b"%b%b%b" % (len(shared).to_bytes(4, "big"), shared, own))
    return pack(orjson.dumps([reply.status, reply.headers, reply.body.decode()]), quick=True)


def decode_reply(stored: bytes) -> Reply:
    """Read an answer back."""
    if stored[:1] == _FRAMED:
        return _fill(unpack_plain(stored[1:]))
    status, headers, body = orjson.loads(unpack(stored))
    return Reply(status, tuple((name, value) for name, value in headers), body.encode())


_FRAMED = b"\x03"
"""Before a reply of which the shared text is kept packed and what is its own stands behind it."""


def _fill(packed: bytes) -> Reply:
    shared = int.from_bytes(packed[:4], "big")
    status, headers, named = orjson.loads(packed[4 + shared :])
    body = unpack(packed[4 : 4 + shared]) % {name.encode(): value.encode() for name, value in named}
    return Reply(status, tuple((name, value) for name, value in headers), body)


def _write(connection: Connection, hot: HotSql, writes: Writes) -> None:
    for (site, visitor_id), (stub, erased_at) in writes.erased.items():
        _forget(connection, site, visitor_id)
        row = {"site": site, "stub": stub, "erased_at": erased_at}
        connection.execute(insert(connection, t.suppressions).on_conflict_do_nothing(), [row])
    _purge(connection, writes)
    hot.put(rows_of(writes))


def rows_of(writes: Writes) -> Rows:
    """Give what a batch writes as rows of the tables."""
    leaves = writes.leaves
    return Rows(
        log_leaves=[(r.site, r.seq, to_micros(r.time), r.pseudonym, r.commitment) for r in leaves],
        log_payloads=[(r.site, r.seq, r.visitor_id, r.salt, _packed(r)) for r in leaves],
        log_nodes=[(site, *node) for site, node in writes.nodes],
        log_heads=[(site, head.size, head.to_bytes()) for site, head in writes.heads.items()],
        visitors=[(*key, r.revision, r.facts, r.times, r.account) for key, r in writes.visitors.items()],
        accounts=[(*key, encode_account(state)) for key, state in writes.accounts.items()],
        idempotency_keys=[
            (*key, k.visitor_id, k.fingerprint, encode_reply(k.reply), to_micros(k.expires_at))
            for key, k in writes.remembered.items()
        ],
        report_counts=[(*key, *counts) for key, counts in sorted(writes.counts.items())],
    )


def _packed(row: LeafRow) -> bytes:
    kind = row.kind
    packed = kind and pack_event(kind.text, kind.event_id, to_micros(row.time), kind.receipt_id, row.visitor_id)
    return packed or pack(row.payload)


def _purge(connection: Connection, writes: Writes) -> None:
    if writes.purged:
        p = t.log_payloads.c
        gone = [{"b_site": site, "b_seq": seq} for site, seq in writes.purged]
        here = (p.site == bindparam("b_site")) & (p.seq == bindparam("b_seq"))
        connection.execute(delete(t.log_payloads).where(here), gone)
        _mark_for_sweeping(connection)
    for site, visitor_id in writes.forgotten:
        _forget(connection, site, visitor_id)


def _forget(connection: Connection, site: str, visitor_id: str) -> None:
    v, a = t.visitors.c, t.accounts.c
    account = connection.scalar(select(v.account).where(v.site == site, v.visitor_id == visitor_id))
    for table in (t.visitors, t.log_payloads, t.idempotency_keys, t.webhook_outbox):
        connection.execute(delete(table).where(table.c.site == site, table.c.visitor_id == visitor_id))
    if account is not None:
        others = exists().where(v.site == site, v.account == account)
        connection.execute(delete(t.accounts).where(a.site == site, a.account == account, ~others))
    _mark_for_sweeping(connection)


def _mark_for_sweeping(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(MARK)
