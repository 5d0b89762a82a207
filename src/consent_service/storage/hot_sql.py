"""What a batch reads and writes in the words of the two drivers, inside SQLAlchemy's open transaction.

A write is hot: SQLAlchemy's own way through lists of parameters costs more than everything else in it. So these few
statements are written out and go to the driver below the connection, which stays usable for everything that is not hot.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Connection

from consent_service.domain.counts import FIGURES

Row = tuple[Any, ...]
Keys = Sequence[tuple[str, ...]]
Run = Callable[[Callable[[Any], Any]], Any]
"""Calls a function with the driver's connection and waits for what it begins."""


@dataclass(slots=True)
class Rows:
    """The rows of one batch by table, each with its columns in the order named in `COLUMNS`."""

    log_leaves: list[Row] = field(default_factory=list)
    log_payloads: list[Row] = field(default_factory=list)
    log_nodes: list[Row] = field(default_factory=list)
    log_heads: list[Row] = field(default_factory=list)
    visitors: list[Row] = field(default_factory=list)
    accounts: list[Row] = field(default_factory=list)
    idempotency_keys: list[Row] = field(default_factory=list)
    report_counts: list[Row] = field(default_factory=list)
    """In the order of their keys, so that two processes cannot wait for each other in a circle."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's columns with their PostgreSQL types, and how many of them are its key where a row may be there."""

    columns: tuple[tuple[str, str], ...]
    key: int = 0
    adds: bool = False
    """Whether a row that is there gets the new numbers on top of its own."""

    @property
    def names(self) -> str:
        """Give the columns as SQL."""
        return ", ".join(f'"{name}"' for name, _ in self.columns)

    @property
    def marks(self) -> str:
        """Give a place for each value as SQLite writes it."""
        return ", ".join("?" * len(self.columns))

    def on_conflict(self, table: str) -> str:
        """Say what becomes of a row that is there; nothing where there can be none."""
        if not self.key:
            return ""
        names = [name for name, _ in self.columns]
        own = f'{table}."{{0}}" + ' if self.adds else ""
        changes = ", ".join(f'"{name}" = {own.format(name)}excluded."{name}"' for name in names[self.key :])
        return f" ON CONFLICT ({', '.join(names[: self.key])}) DO UPDATE SET {changes}"  # nosec B608 - our own names


SHAPES = {
    "log_leaves": Shape(
        (("site", "text"), ("seq", "bigint"), ("time", "bigint"), ("pseudonym", "bytea"), ("commitment", "bytea"))
    ),
    "log_payloads": Shape(
        (("site", "text"), ("seq", "bigint"), ("visitor_id", "text"), ("salt", "bytea"), ("payload", "bytea"))
    ),
    "log_nodes": Shape((("site", "text"), ("level", "smallint"), ("index", "bigint"), ("hash", "bytea"))),
    "log_heads": Shape((("site", "text"), ("size", "bigint"), ("frontier", "bytea")), key=1),
    "visitors": Shape(
        (
            ("site", "text"), ("visitor_id", "text"), ("revision", "integer"), ("facts", "text"), ("times", "text"),
            ("account", "text"),
        ),
        key=2,
    ),
    "accounts": Shape((("site", "text"), ("account", "text"), ("state", "text")), key=2),
    "idempotency_keys": Shape(
        (
            ("site", "text"), ("owner", "text"), ("key", "text"), ("visitor_id", "text"), ("fingerprint", "bytea"),
            ("reply", "bytea"), ("expires_at", "bigint"),
        ),
        key=3,
    ),
    "report_counts": Shape(
        (
            ("site", "text"), ("day", "integer"), ("channel", "text"), ("policy_version", "text"), ("region", "text"),
            *((figure, "bigint") for figure in FIGURES),
        ),
        key=5,
        adds=True,
    ),
}  # fmt: skip

_SELECT = {
    "log_heads": ("site, size, frontier, endpoints", ("site",)),
    "visitors": ("site, visitor_id, revision, facts, times, account", ("site", "visitor_id")),
    "accounts": ("site, account, state", ("site", "account")),
    "idempotency_keys": (
        "site, owner, key, visitor_id, fingerprint, reply, expires_at",
        ("site", "owner", "key"),
    ),
}


class HotSql(Protocol):
    """The statements of one batch."""

    def lock_heads(self, sites: Sequence[str]) -> Sequence[Row]:
        """Lock and read the heads of sites in their order: site, size, frontier, endpoints. A batch begins so."""

    def find(self, table: str, keys: Keys) -> Sequence[Row]:
        """Read the rows of these keys, and lock visitors in the order of the keys."""

    def put(self, rows: Rows) -> None:
        """Write all rows."""


def hot_sql(connection: Connection) -> HotSql:
    """Choose by the connection's database."""
    driver: Any = connection.connection.dbapi_connection
    return _Postgres(driver.run_async, connection) if connection.dialect.name == "postgresql" else _Sqlite(driver)


def hot_postgres(run: Run) -> HotSql:
    """Give the statements on a connection of the driver that has begun a transaction; `run` waits for one of them."""
    return _Postgres(run)


class _Postgres:
    """asyncpg: one statement with arrays for all tables that have rows; it keeps the few forms there are prepared."""

    def __init__(self, run: Run, connection: Connection | None = None) -> None:
        self._connection = connection
        self._run = run

    def lock_heads(self, sites: Sequence[str]) -> Sequence[Row]:
        if self._connection is None:
            rows: Sequence[Row] = self._run(lambda raw: raw.fetch(_LOCK_HEADS, sites))
            return rows
        # By SQLAlchemy's connection: the first statement opens the driver's transaction.
        return [tuple(row) for row in self._connection.exec_driver_sql(_LOCK_HEADS, (sites,))]

    def find(self, table: str, keys: Keys) -> Sequence[Row]:
        columns = list(zip(*keys, strict=True))
        found: Sequence[Row] = self._run(lambda raw: raw.fetch(_POSTGRES_FIND[table], *columns))
        return found

    def put(self, rows: Rows) -> None:
        tables, values = columns_of(rows)
        if tables:
            self._run(lambda raw: raw.execute(_postgres_put(tables), *values))


def columns_of(rows: Rows, first: int = 0) -> tuple[tuple[str, ...], list[Sequence[Any]]]:
    """Give the tables that have rows, and all their columns from the `first` on, one after the other."""
    tables = tuple([table for table in SHAPES if getattr(rows, table)])
    values: list[Sequence[Any]] = []
    for table in tables:
        values += list(zip(*getattr(rows, table), strict=True))[first:]
    return tables, values


@cache
def _postgres_put(tables: tuple[str, ...]) -> str:
    *before, last = [_postgres_insert(table, marks) for table, marks in _marks(tables, 0, 0)]
    named = ", ".join(f"part{number} AS ({part})" for number, part in enumerate(before))
    return f"WITH {named} {last}" if named else last


@cache
def postgres_put_if_unchanged(tables: tuple[str, ...]) -> str:
    """Write rows of one site, in the parameters after the first five, if the head of its log is still the very one.

    The five are the site, which all rows share, size and frontier of the head as it was read, and those that it gets.
    Gives 1 where everything was written, 0 where nothing was. A statement of its own is a transaction of its own.
    """
    guard = " WHERE EXISTS (SELECT FROM head)"
    rows = [
        _postgres_insert(table, marks, "$1::text, *", guard, fresh=table == _FRESH)
        for table, marks in _marks(tables, 1, _GUARD_PARAMETERS)
    ]
    parts = ", ".join(f"part{number} AS ({part})" for number, part in enumerate(rows))
    return (
        "WITH head AS (UPDATE log_heads SET size = $4, frontier = $5 "  # noqa: S608  # nosec B608 - our own names
        "WHERE site = $1 AND size = $2 AND frontier = $3 AND endpoints IS NULL RETURNING 1), "
        f"{parts} SELECT count(*) FROM head"
    )


_GUARD_PARAMETERS = 5
_FRESH = "idempotency_keys"
"""Where a row that is there means that another was quicker: the statement fails, and nothing of it is written."""


def _marks(tables: Sequence[str], first: int, used: int) -> Iterator[tuple[str, str]]:
    """Give the parameters of each table's columns from the `first` on, after so many that are used already."""
    for table in tables:
        columns = SHAPES[table].columns[first:]
        yield table, ", ".join(f"${used + number}::{kind}[]" for number, (_, kind) in enumerate(columns, 1))
        used += len(columns)


def _postgres_insert(table: str, marks: str, what: str = "*", guard: str = "", *, fresh: bool = False) -> str:
    shape = SHAPES[table]
    conflict = "" if fresh else shape.on_conflict(table)
    return f"INSERT INTO {table} ({shape.names}) SELECT {what} FROM unnest({marks}){guard}{conflict}"  # noqa: S608  # nosec B608 - our own names


POSTGRES_LOOK = (
    "SELECT CASE WHEN k.n = 1 THEN h.size END, CASE WHEN k.n = 1 THEN h.frontier END, "
    "h.endpoints IS NULL AND i.key IS NULL, k.visitor_id, v.revision, v.facts, v.times, v.account "
    "FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS k(visitor_id, owner, key, n) "
    "JOIN log_heads h ON h.site = $1 "
    "LEFT JOIN visitors v ON v.site = $1 AND v.visitor_id = k.visitor_id "
    "LEFT JOIN idempotency_keys i ON i.site = $1 AND i.owner = k.owner AND i.key = k.key"
)
"""All that a batch of one site's plain changes looks at, in one snapshot and without a lock: the head with the first of
them, whether there is neither a webhook nor a remembered answer, and the visitor's row."""


def _postgres_find(table: str, columns: str, key: Sequence[str]) -> str:
    marks = ", ".join(f"${number}::text[]" for number in range(1, len(key) + 1))
    wanted = ", ".join(f"t.{name}" for name in columns.split(", "))
    same = " AND ".join(f"t.{name} = k.{name}" for name in key)
    lock = f" ORDER BY {', '.join(f't.{name}' for name in key)} FOR UPDATE OF t" if table == "visitors" else ""
    return f"SELECT {wanted} FROM unnest({marks}) AS k({', '.join(key)}) JOIN {table} t ON {same}{lock}"  # noqa: S608  # nosec B608 - our own names


_POSTGRES_FIND = {table: _postgres_find(table, *parts) for table, parts in _SELECT.items()}


_LOCK_HEADS = "SELECT site, size, frontier, endpoints FROM log_heads WHERE site = ANY($1) ORDER BY site FOR UPDATE"


class _Sqlite:
    """sqlite3: each statement prepared once by the driver; `BEGIN IMMEDIATE` has locked everything."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def lock_heads(self, sites: Sequence[str]) -> Sequence[Row]:
        return self.find("log_heads", [(site,) for site in sites])

    def find(self, table: str, keys: Keys) -> Sequence[Row]:
        statement = _SQLITE_FIND[table]
        rows = [self._driver.execute(statement, key).fetchone() for key in keys]
        return [row for row in rows if row is not None]

    def put(self, rows: Rows) -> None:
        for table, statement in _SQLITE_PUT.items():
            found: list[Row] = getattr(rows, table)
            if found:
                self._driver.executemany(statement, found)


_SQLITE_FIND = {
    table: f"SELECT {columns} FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in key)}"  # noqa: S608  # nosec B608 - our own names
    for table, (columns, key) in _SELECT.items()
}
_SQLITE_PUT = {
    table: f"INSERT INTO {table} ({shape.names}) VALUES ({shape.marks}){shape.on_conflict(table)}"  # noqa: S608  # nosec B608 - our own names
    for table, shape in SHAPES.items()
}
