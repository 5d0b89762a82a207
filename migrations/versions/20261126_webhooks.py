"""Add webhook endpoints and the outbox of what is on its way to them.

Nothing existing changes but one nullable column, so the release before runs on this schema as well.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "20261126_webhooks"
down_revision = "20261125_report_counts"
branch_labels = None
depends_on = None

NAME = sa.String().with_variant(postgresql.TEXT(collation="C"), "postgresql").with_variant(sqlite.TEXT(), "sqlite")


def upgrade() -> None:
    """Add the tables and the column that tells writers of a site's endpoints."""
    op.create_table(
        "webhook_endpoints",
        sa.Column("site", NAME, nullable=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", "id", name="pk_webhook_endpoints"),
    )
    op.create_table(
        "webhook_outbox",
        sa.Column("site", NAME, nullable=False),
        sa.Column("visitor_id", NAME, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("endpoint", NAME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("site", "visitor_id", "seq", "endpoint", name="pk_webhook_outbox"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_webhook_outbox_site_endpoint_due_at", "webhook_outbox", ["site", "endpoint", "due_at"], unique=False
    )
    op.add_column("log_heads", sa.Column("endpoints", sa.Text(), nullable=True))
