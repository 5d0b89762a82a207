"""The tables. Every primary key starts with the site, so that the schema distributes by it (docs/scale.md).

Log leaves are never updated or deleted: a trigger in the migration refuses it on both databases. Salt and payload
stand in a table of their own, because they must be erasable.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, String, Table, Text
from sqlalchemy.dialects import postgresql, sqlite

from consent_service.domain.counts import FIGURES
from consent_service.storage.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Compared by bytes, so that every replica locks rows in the same order and indexes stay small and quick.
Name = String().with_variant(postgresql.TEXT(collation="C"), "postgresql").with_variant(sqlite.TEXT(), "sqlite")


def _key(name: str) -> "Column[str]":
    return Column(name, Name, primary_key=True)


catalog_epoch = Table(
    "catalog_epoch",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("floor", Name),
)
"""One row about the whole installation: the number of the last change of policies, keys or endpoints, which every
replica watches, and the newest revision that code must know to run on this schema (docs/operations.md)."""

policies = Table(
    "policies",
    metadata,
    _key("site"),
    _key("version"),
    Column("sha256", Name, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("effective_from", UtcDateTime, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    _key("site"),
    _key("id"),
    Column("sha256", LargeBinary, nullable=False),
    Column("scopes", Name, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

visitors = Table(
    "visitors",
    metadata,
    _key("site"),
    _key("visitor_id"),
    Column("revision", Integer, nullable=False),
    Column("facts", Text, nullable=False),
    Column("times", Text, nullable=False),
    Column("account", Name),
    Index(None, "site", "account"),
    sqlite_with_rowid=False,
)

accounts = Table(
    "accounts",
    metadata,
    _key("site"),
    _key("account"),
    Column("state", Text, nullable=False),
    sqlite_with_rowid=False,
)

log_heads = Table(
    "log_heads",
    metadata,
    _key("site"),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("endpoints", Text),
)
"""The right edge of each site's Merkle tree; its row lock orders the writers of a site.

The ids of the site's webhook endpoints stand here as well: a writer reads this row anyway, so that a site without any
pays nothing, and whoever adds one takes the same lock.
"""

log_leaves = Table(
    "log_leaves",
    metadata,
    _key("site"),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("pseudonym", LargeBinary, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

log_payloads = Table(
    "log_payloads",
    metadata,
    _key("site"),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("visitor_id", Name, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    # Without the seq: PostgreSQL keeps equal keys once, and SQLite adds the primary key by itself.
    Index(None, "site", "visitor_id"),
    sqlite_with_rowid=False,
)
"""Salt and payload (compressed canonical JSON, see payloads.py) of each entry that was not erased."""

log_nodes = Table(
    "log_nodes",
    metadata,
    _key("site"),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _key("site"),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _key("site"),
    _key("owner"),
    _key("key"),
    Column("visitor_id", Name, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("reply", LargeBinary, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "expires_at"),
    Index(None, "site", "visitor_id"),
    sqlite_with_rowid=False,
)

suppressions = Table(
    "suppressions",
    metadata,
    _key("site"),
    _key("stub"),
    Column("erased_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
"""Keyed hashes of erased visitors, so that no import brings one back."""

report_counts = Table(
    "report_counts",
    metadata,
    _key("site"),
    Column("day", Integer, primary_key=True, autoincrement=False),
    _key("channel"),
    _key("policy_version"),
    _key("region"),
    *(Column(figure, BigInteger, nullable=False) for figure in FIGURES),
    sqlite_with_rowid=False,
)
"""How often something happened on a day (days since 1970, UTC), kept as events are written; no visitor is named."""

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    _key("site"),
    _key("id"),
    Column("url", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

webhook_outbox = Table(
    "webhook_outbox",
    metadata,
    _key("site"),
    _key("visitor_id"),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _key("endpoint"),
    Column("revision", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime),
    Column("error", Text),
    Index(None, "site", "endpoint", "due_at"),
    sqlite_with_rowid=False,
)
"""What endpoints have not yet been told. Without `due_at` a row is a dead letter; what is told is read from the log."""
