"""What an attacker does to a log who may write everything in the database, but has no signing key.

The triggers are dropped first. Cutting the log off and replacing an entry are done well: tree, head and stored
checkpoints are made to fit, so that only a checkpoint kept elsewhere tells.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text, update

from consent_service.domain.evidence.leaf import commit, format_time, leaf_bytes, leaf_hash
from consent_service.domain.evidence.tree import Frontier
from consent_service.domain.moments import from_micros
from consent_service.storage import tables as t
from consent_service.storage.payloads import pack, unpack
from tests.support.builders import SITE

Mutation = Callable[[Connection, random.Random], None]
_TRIGGERS = {
    "postgresql": ("DROP TRIGGER log_leaves_unchanged ON log_leaves",),
    "sqlite": tuple(f"DROP TRIGGER log_leaves_no_{change}" for change in ("update", "delete", "replace")),
}
_CELLS = (
    (t.log_leaves, "time"),
    (t.log_leaves, "pseudonym"),
    (t.log_leaves, "commitment"),
    (t.log_payloads, "salt"),
    (t.log_payloads, "payload"),
    (t.log_payloads, "visitor_id"),
    (t.log_nodes, "hash"),
    (t.log_heads, "frontier"),
    (t.log_heads, "size"),
    (t.checkpoints, "note"),
)


def disarm(connection: Connection) -> None:
    """Drop the triggers that keep leaves as they are."""
    for statement in _TRIGGERS[connection.dialect.name]:
        connection.execute(text(statement))


def flip(connection: Connection, drawn: random.Random) -> None:
    """Change one bit of one value, or one character of a text."""
    table, name = drawn.choice(_CELLS)
    row = drawn.choice([found for found in connection.execute(select(table)).mappings() if found[name] != ""])
    changed = _flipped(row[name], drawn)
    connection.execute(update(table).where(*_is(table, row)).values({name: changed}))


def remove(connection: Connection, drawn: random.Random) -> None:
    """Delete a leaf with its payload, one of the two, or a node."""
    table = drawn.choice((t.log_leaves, t.log_payloads, t.log_nodes))
    row = drawn.choice(connection.execute(select(table)).mappings().all())
    connection.execute(delete(table).where(*_is(table, row)))
    if table is t.log_leaves and drawn.random() < 0.5:
        connection.execute(delete(t.log_payloads).where(t.log_payloads.c.seq == row["seq"]))


def add(connection: Connection, drawn: random.Random) -> None:
    """Insert an entry: one that is there already behind the last, a payload that belongs to none, or in the middle."""
    size, seq = _size(connection), drawn.choice(_with_payload(connection))
    place = drawn.choice((size, size + drawn.randrange(1, 9), -1 - seq))
    table = drawn.choice((t.log_leaves, t.log_payloads))
    row = dict(connection.execute(select(table).where(table.c.seq == seq)).mappings().one())
    if drawn.random() < 0.5:
        _shift(connection, seq, size)
        place = seq
    connection.execute(insert(table).values(row | {"seq": place}))


def reorder(connection: Connection, drawn: random.Random) -> None:
    """Let two entries change places, wholly or only what stands in one of the tables."""
    first, second = drawn.sample(_with_payload(connection), 2)
    for table in drawn.choice(((t.log_leaves, t.log_payloads), (t.log_leaves,), (t.log_payloads,))):
        for old, new in ((first, -1), (second, first), (-1, second)):
            connection.execute(update(table).where(table.c.seq == old).values(seq=new))


def truncate(connection: Connection, drawn: random.Random) -> None:
    """Cut the log off so well that it is sound in itself."""
    _rebuild(connection, drawn.randrange(_size(connection)))


def replace(connection: Connection, drawn: random.Random) -> None:
    """Rewrite an entry and everything above it, so that the log is sound in itself."""
    seq = drawn.choice(_with_payload(connection))
    p = t.log_payloads.c
    said = unpack(connection.execute(select(p.payload).where(p.seq == seq)).scalar_one())
    lie = said.replace(b"false", b"true", 1) if b"false" in said else said.replace(b"true", b"false", 1)
    salt = drawn.randbytes(32)
    connection.execute(update(t.log_payloads).where(p.seq == seq).values(payload=pack(lie), salt=salt))
    leaf = t.log_leaves
    connection.execute(update(leaf).where(leaf.c.seq == seq).values(commitment=commit(salt, lie)))
    _rebuild(connection, _size(connection))


MUTATIONS: dict[str, Mutation] = {
    "flip": flip,
    "delete": remove,
    "insert": add,
    "reorder": reorder,
    "truncate": truncate,
    "replace": replace,
}


def _flipped(value: Any, drawn: random.Random) -> Any:
    if isinstance(value, int):
        return value ^ (1 << drawn.randrange(20))
    if isinstance(value, bytes):
        at = drawn.randrange(len(value))
        return value[:at] + bytes([value[at] ^ (1 << drawn.randrange(8))]) + value[at + 1 :]
    at = drawn.randrange(len(value))
    return value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]


def _is(table: Table, row: Any) -> list[Any]:
    return [column == row[column.name] for column in table.primary_key]


def _size(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(t.log_leaves)).scalar_one()


def _with_payload(connection: Connection) -> Sequence[int]:
    p = t.log_payloads.c
    return connection.scalars(select(p.seq).where(p.visitor_id != "").order_by(p.seq)).all()


def _shift(connection: Connection, seq: int, size: int) -> None:
    """Move all entries from one on by one place, the last first."""
    for table in (t.log_leaves, t.log_payloads):
        for place in range(size - 1, seq - 1, -1):
            connection.execute(update(table).where(table.c.seq == place).values(seq=place + 1))


def _rebuild(connection: Connection, size: int) -> None:
    """Make tree, head and stored checkpoints fit the first entries, and remove the rest."""
    for table in (t.log_leaves, t.log_payloads):
        connection.execute(delete(table).where(table.c.seq >= size))
    rows = connection.execute(select(t.log_leaves).order_by(t.log_leaves.c.seq)).all()
    leaves = [leaf_bytes(SITE, r.seq, format_time(from_micros(r.time)), r.pseudonym, r.commitment) for r in rows]
    frontier, nodes = Frontier().append(map(leaf_hash, leaves))
    connection.execute(delete(t.log_nodes))
    connection.execute(delete(t.checkpoints))
    connection.execute(update(t.log_heads).values(size=size, frontier=frontier.to_bytes()))
    if nodes:
        connection.execute(insert(t.log_nodes), [{"site": SITE, **node._asdict()} for node in nodes])
