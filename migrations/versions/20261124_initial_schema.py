"""Make the tables, the triggers that keep log leaves as they are, and the catalog's number.

Moments are whole microseconds since 1970. Types are written out, so that this file stays true when the code moves.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "20261124_initial"
down_revision = None
branch_labels = None
depends_on = None

NAME = sa.String().with_variant(postgresql.TEXT(collation="C"), "postgresql").with_variant(sqlite.TEXT(), "sqlite")

_MESSAGE = "log leaves are never changed or removed"


def upgrade() -> None:
    """Build everything; nothing was there before."""
    op.create_table(
        "accounts",
        sa.Column("site", NAME, nullable=False),
        sa.Column("account", NAME, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site", "account", name="pk_accounts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "api_keys",
        sa.Column("site", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site", "id", name="pk_api_keys"),
    )
    op.create_table(
        "catalog_epoch",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_catalog_epoch"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("site", NAME, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "size", name="pk_checkpoints"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("site", NAME, nullable=False),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("visitor_id", NAME, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("reply", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "owner", "key", name="pk_idempotency_keys"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_idempotency_keys_expires_at", "idempotency_keys", ["expires_at"], unique=False)
    op.create_index("ix_idempotency_keys_site_visitor_id", "idempotency_keys", ["site", "visitor_id"], unique=False)
    op.create_table(
        "log_heads",
        sa.Column("site", NAME, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_log_heads"),
    )
    op.create_table(
        "log_leaves",
        sa.Column("site", NAME, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("pseudonym", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "seq", name="pk_log_leaves"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_nodes",
        sa.Column("site", NAME, nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "level", "index", name="pk_log_nodes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_payloads",
        sa.Column("site", NAME, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("visitor_id", NAME, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "seq", name="pk_log_payloads"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_log_payloads_site_visitor_id", "log_payloads", ["site", "visitor_id"], unique=False)
    op.create_table(
        "policies",
        sa.Column("site", NAME, nullable=False),
        sa.Column("version", NAME, nullable=False),
        sa.Column("sha256", NAME, nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "version", name="pk_policies"),
    )
    op.create_table(
        "suppressions",
        sa.Column("site", NAME, nullable=False),
        sa.Column("stub", NAME, nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "stub", name="pk_suppressions"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visitors",
        sa.Column("site", NAME, nullable=False),
        sa.Column("visitor_id", NAME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("times", sa.Text(), nullable=False),
        sa.Column("account", NAME, nullable=True),
        sa.PrimaryKeyConstraint("site", "visitor_id", name="pk_visitors"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_visitors_site_account", "visitors", ["site", "account"], unique=False)
    op.execute("INSERT INTO catalog_epoch (id, epoch) VALUES (1, 0)")
    if op.get_bind().dialect.name == "postgresql":
        _protect_leaves_on_postgresql()
        # Room on each page lets a changed row stay where its index entries point (heap-only tuples).
        op.execute("ALTER TABLE visitors SET (fillfactor = 90)")
        op.execute("ALTER TABLE log_heads SET (fillfactor = 10)")
        # The log only grows at its end: its indexes need no room in between.
        for index in ("pk_log_leaves", "pk_log_payloads", "pk_log_nodes"):
            op.execute(f"ALTER INDEX {index} SET (fillfactor = 100)")
    else:
        _protect_leaves_on_sqlite()


def _protect_leaves_on_postgresql() -> None:
    op.execute(
        f"CREATE FUNCTION refuse_leaf_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_MESSAGE}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER log_leaves_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log_leaves "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_leaf_change()"
    )


def _protect_leaves_on_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER log_leaves_no_{change.lower()} BEFORE {change} ON log_leaves "
            f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
        )
    # REPLACE removes the old row without asking the trigger above (https://sqlite.org/lang_conflict.html).
    op.execute(
        "CREATE TRIGGER log_leaves_no_replace BEFORE INSERT ON log_leaves "
        "WHEN EXISTS (SELECT 1 FROM log_leaves WHERE site = NEW.site AND seq = NEW.seq) "
        f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
    )
