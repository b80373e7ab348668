"""Operations that run on a host."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, Column, Integer, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "mirrors",
        Column("operation", Text, primary_key=True),
        Column("host", Text, nullable=False),
        Column("remote", Text),
        Column("cursor", Integer, nullable=False),
        Column("seq", Integer, nullable=False),
        Column("log_cursor", Integer, nullable=False),
        Column("log_bytes", Integer, nullable=False),
        Column("decisions", JSON, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("mirrors")
