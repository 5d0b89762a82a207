"""The service as its next release would be: it brings one more migration, which adds a column and a table.

The directory that holds the migrations is named by TEST_MIGRATIONS; `write_next_release` fills it.
"""

import os
import shutil
from pathlib import Path

from consent_service.storage import migrate
from tests.support.run_service import serve

_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "next_release"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("visitors", sa.Column("next_note", sa.Text))
    op.create_table("next_things", sa.Column("site", sa.Text, primary_key=True))


def downgrade() -> None:
    op.drop_table("next_things")
    op.drop_column("visitors", "next_note")
"""


def write_next_release(directory: Path) -> Path:
    """Copy the migrations and add one."""
    copied = directory / "migrations"
    shutil.copytree(migrate._directory(), copied, ignore=shutil.ignore_patterns("__pycache__"))
    head, _ = migrate.revisions()
    (copied / "versions" / "29991231_next_release.py").write_text(_MIGRATION.format(head=head), "utf-8")
    return copied


if __name__ == "__main__":
    migrate._directory = lambda: Path(os.environ["TEST_MIGRATIONS"])
    serve()
