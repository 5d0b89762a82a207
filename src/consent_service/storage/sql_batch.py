"""Reads and writes one batch through a SQLAlchemy connection, the same way on PostgreSQL and on SQLite.

The order of locks is fixed: the heads of the sites in their order, then the visitors in theirs. On SQLite the
transaction is `BEGIN IMMEDIATE`, which locks everything at once; `FOR UPDATE` is not written there.
"""

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import Connection, Table, bindparam, delete, exists, select

from consent_service.domain.evidence.tree import Frontier
from consent_service.domain.moments import to_micros
from consent_service.domain.record import AccountState
from consent_service.domain.record_text import (
    StoredVisitor,
    decode_account,
    decode_record,
    encode_account,
    encode_record,
)
from consent_service.ports import Change, Erasure, Purge, Reply
from consent_service.storage import outbox
from consent_service.storage import tables as t
from consent_service.storage.batch import Batch, Loaded, Outcome, Remembered, Secrets, Writes
from consent_service.storage.dialects import among, insert
from consent_service.storage.holdings import read_entries
from consent_service.storage.payloads import pack, unpack
from consent_service.storage.report_counts import add_counts
from consent_service.storage.sqlite_residue import MARK

_ChangeLike = Change | Erasure | Purge


def run_batch(connection: Connection, requests: Sequence[_ChangeLike], secrets: Secrets) -> list[Outcome]:
    """Carry out a batch inside the connection's open transaction; the caller commits."""
    loaded = _load(connection, requests)
    batch = Batch(loaded, secrets)
    outcomes = batch.run(requests)
    _write(connection, batch.writes)
    outbox.write(connection, batch.writes.outbox)
    return outcomes


def _load(connection: Connection, requests: Sequence[_ChangeLike]) -> Loaded:
    loaded = Loaded()
    _load_heads(connection, sorted({r.site for r in requests}), loaded)
    purges = [r for r in requests if isinstance(r, Purge)]
    visitor_keys = {(r.site, r.visitor_id) for r in requests if not isinstance(r, Purge)}
    visitor_keys |= {(purge.site, visitor_id) for purge in purges for visitor_id in purge.visitor_ids}
    named = {(r.site, r.account) for r in requests if isinstance(r, Change) and r.account}
    _load_visitors(connection, sorted(visitor_keys), named, loaded)
    asked = [(r.site, r.idempotency) for r in requests if isinstance(r, Change) and r.idempotency]
    _load_remembered(connection, sorted({(site, i.owner, i.key) for site, i in asked}), loaded)
    for erasure in (r for r in requests if isinstance(r, Erasure)):
        p = t.log_payloads.c
        seqs = select(p.seq).where(p.site == erasure.site, p.visitor_id == erasure.visitor_id).order_by(p.seq)
        loaded.payload_seqs[erasure.site, erasure.visitor_id] = list(connection.scalars(seqs))
    for purge in purges:
        found = read_entries(connection, purge.site, purge.visitor_ids)
        loaded.entries.update({(purge.site, visitor_id): entries for visitor_id, entries in found.items()})
    return loaded


def _load_heads(connection: Connection, sites: Sequence[str], loaded: Loaded) -> None:
    h = t.log_heads.c
    columns = (h.site, h.size, h.frontier, h.endpoints)
    query = select(*columns).where(h.site.in_(sites)).order_by(h.site).with_for_update()
    for site, size, frontier, endpoints in connection.execute(query):
        loaded.heads[site] = Frontier.from_bytes(size, frontier)
        if endpoints:
            loaded.endpoints[site] = tuple(endpoints.split())
    missing = [site for site in sites if site not in loaded.heads]
    if missing:
        # The first writers of a site meet here; the row that one of them makes is then locked by each in turn.
        rows = [{"site": site, "size": 0, "frontier": b""} for site in missing]
        connection.execute(insert(connection, t.log_heads).on_conflict_do_nothing(), rows)
        _load_heads(connection, sites, loaded)


def _load_visitors(
    connection: Connection, keys: Sequence[tuple[str, str]], named: set[tuple[str, str]], loaded: Loaded
) -> None:
    v, a = t.visitors.c, t.accounts.c
    columns = (v.site, v.visitor_id, v.revision, v.facts, v.times, v.account)
    query = select(*columns).where(among(connection, keys, v.site, v.visitor_id)).order_by(v.site, v.visitor_id)
    rows = connection.execute(query.with_for_update(of=t.visitors)).all()
    accounts = sorted(named | {(row.site, row.account) for row in rows if row.account is not None})
    if accounts:
        wanted = select(a.site, a.account, a.state).where(among(connection, accounts, a.site, a.account))
        for site, account, state in connection.execute(wanted):
            loaded.accounts[site, account] = decode_account(account, state)
    for site, visitor_id, revision, facts, times, account in rows:
        state = loaded.accounts.get((site, account), AccountState(account)) if account else None
        stored = StoredVisitor(revision, facts, times)
        loaded.records[site, visitor_id] = decode_record(site, visitor_id, stored, state)


def _load_remembered(connection: Connection, keys: Sequence[tuple[str, str, str]], loaded: Loaded) -> None:
    if not keys:
        return
    i = t.idempotency_keys.c
    query = select(i.site, i.owner, i.key, i.visitor_id, i.fingerprint, i.reply, i.expires_at)
    for row in connection.execute(query.where(among(connection, keys, i.site, i.owner, i.key))):
        reply = decode_reply(row.reply)
        known = Remembered(row.fingerprint, reply, row.expires_at, row.visitor_id)
        loaded.remembered[row.site, row.owner, row.key] = known


def encode_reply(reply: Reply) -> bytes:
    """Write an answer for an idempotency key."""
    return pack(orjson.dumps([reply.status, reply.headers, reply.body.decode()]))


def decode_reply(stored: bytes) -> Reply:
    """Read an answer back."""
    status, headers, body = orjson.loads(unpack(stored))
    return Reply(status, tuple((name, value) for name, value in headers), body.encode())


def _write(connection: Connection, writes: Writes) -> None:
    for (site, visitor_id), (stub, erased_at) in writes.erased.items():
        _forget(connection, site, visitor_id)
        row = {"site": site, "stub": stub, "erased_at": erased_at}
        connection.execute(insert(connection, t.suppressions).on_conflict_do_nothing(), [row])
    _purge(connection, writes)
    _insert_rows(
        connection,
        t.log_leaves,
        (
            {
                "site": r.site,
                "seq": r.seq,
                "time": to_micros(r.time),
                "pseudonym": r.pseudonym,
                "commitment": r.commitment,
            }
            for r in writes.leaves
        ),
    )
    _insert_rows(
        connection,
        t.log_payloads,
        (
            {"site": r.site, "seq": r.seq, "visitor_id": r.visitor_id, "salt": r.salt, "payload": pack(r.payload)}
            for r in writes.leaves
        ),
    )
    _insert_rows(
        connection,
        t.log_nodes,
        ({"site": site, "level": n.level, "index": n.index, "hash": n.hash} for site, n in writes.nodes),
    )
    _write_state(connection, writes)
    add_counts(connection, writes.counts)


def _write_state(connection: Connection, writes: Writes) -> None:
    heads = [{"b_site": s, "size": f.size, "frontier": f.to_bytes()} for s, f in writes.heads.items()]
    if heads:
        connection.execute(t.log_heads.update().where(t.log_heads.c.site == bindparam("b_site")), heads)
    records: list[dict[str, object]] = []
    for (site, visitor_id), record in writes.records.items():
        stored = encode_record(record)
        records.append(
            {
                "site": site,
                "visitor_id": visitor_id,
                "revision": stored.revision,
                "facts": stored.facts,
                "times": stored.times,
                "account": stored.account,
            }
        )
    _upsert(connection, t.visitors, ("site", "visitor_id"), records)
    accounts: list[dict[str, object]] = [
        {"site": site, "account": account, "state": encode_account(state)}
        for (site, account), state in writes.accounts.items()
    ]
    _upsert(connection, t.accounts, ("site", "account"), accounts)
    remembered = [
        {
            "site": site,
            "owner": owner,
            "key": key,
            "visitor_id": known.visitor_id,
            "fingerprint": known.fingerprint,
            "reply": encode_reply(known.reply),
            "expires_at": known.expires_at,
        }
        for (site, owner, key), known in writes.remembered.items()
    ]
    _upsert(connection, t.idempotency_keys, ("site", "owner", "key"), remembered)


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


def _insert_rows(connection: Connection, table: Table, rows: Iterable[dict[str, object]]) -> None:
    values = list(rows)
    if values:
        connection.execute(table.insert(), values)


def _upsert(connection: Connection, table: Table, key: Sequence[str], rows: list[dict[str, object]]) -> None:
    if not rows:
        return
    upsert = insert(connection, table)
    changed = {name: upsert.excluded[name] for name in rows[0] if name not in key}
    connection.execute(upsert.on_conflict_do_update(index_elements=list(key), set_=changed), rows)
