"""Tokens, and messages to webhooks."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Float, Integer, Text, UniqueConstraint

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "tokens",
        Column("id", Text, primary_key=True),
        Column("name", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("scope", Text, nullable=False),
        Column("is_login", Integer, nullable=False),
        Column("secret_hash", Text, nullable=False),
        Column("created_at_s", Float, nullable=False),
        Column("expires_at_s", Float),
        Column("revoked_at_s", Float),
        UniqueConstraint("secret_hash", name="tokens_secret"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deliveries",
        Column("id", Text, primary_key=True),
        Column("url", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("num_tries", Integer, nullable=False),
        Column("next_at_s", Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "marks",
        Column("name", Text, primary_key=True),
        Column("row", Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("marks")
    op.drop_table("deliveries")
    op.drop_table("tokens")
