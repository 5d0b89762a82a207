"""Name the oldest code that may run on a schema, so that a rolling deployment can start old processes on a newer one.

A later migration that takes something away raises it. Everything up to here has only expanded.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql, sqlite

revision = "20261127_floor"
down_revision = "20261126_webhooks"
branch_labels = None
depends_on = None

NAME = sa.String().with_variant(postgresql.TEXT(collation="C"), "postgresql").with_variant(sqlite.TEXT(), "sqlite")


def upgrade() -> None:
    """Add the name of the oldest revision."""
    op.add_column("catalog_epoch", sa.Column("floor", NAME, nullable=True))
    op.execute("UPDATE catalog_epoch SET floor = '20261124_initial'")
