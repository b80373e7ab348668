"""The first schema."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, Column, Float, Integer, Text, UniqueConstraint

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "operations",
        Column("id", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("notes", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("phase", Text, nullable=False),
        Column("waiting_for", JSON),
        Column("attempt", Integer, nullable=False),
        Column("num_restarts", Integer, nullable=False),
        Column("executor", Text, nullable=False),
        Column("spec", JSON, nullable=False),
        Column("owner_name", Text, nullable=False),
        Column("owner_kind", Text, nullable=False),
        Column("tags", JSON, nullable=False),
        Column("progress", JSON, nullable=False),
        Column("definitions", JSON, nullable=False),
        Column("judged", JSON, nullable=False),
        Column("checkpoint_step", Integer),
        Column("created_at_s", Float, nullable=False),
        Column("started_at_s", Float),
        Column("ended_at_s", Float),
        Column("wanted", Text),
        Column("stopped_early", Integer, nullable=False),
        Column("error", JSON),
        Column("result", JSON),
        Column("judgement", JSON),
    )
    op.create_index("operations_by_state", "operations", ["state"])
    op.create_table(
        "attempts",
        Column("operation", Text, primary_key=True),
        Column("attempt", Integer, primary_key=True),
        Column("from_step", Integer),
        Column("process", JSON),
        Column("started_at_s", Float, nullable=False),
        Column("ended_at_s", Float),
        Column("offset", Integer, nullable=False),
        Column("num_bad_lines", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        Column("row", Integer, primary_key=True, autoincrement=True),
        Column("operation", Text, nullable=False),
        Column("seq", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("offset", Integer),
        Column("at_s", Float, nullable=False),
        Column("scope", Text, nullable=False),
        Column("step", Integer),
        Column("data", Text, nullable=False),
        UniqueConstraint("operation", "seq", name="events_seq"),
        UniqueConstraint("operation", "attempt", "offset", name="events_line"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "series",
        Column("id", Integer, primary_key=True),
        Column("operation", Text, nullable=False),
        Column("scope", Text, nullable=False),
        Column("metric", Text, nullable=False),
        Column("num_points", Integer, nullable=False),
        Column("num_repeated", Integer, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("last_step", Integer),
        Column("last_value", Float),
        Column("min_step", Integer),
        Column("min_value", Float),
        Column("max_step", Integer),
        Column("max_value", Float),
        UniqueConstraint("operation", "scope", "metric", name="series_key"),
    )
    op.create_table(
        "points",
        Column("series", Integer, primary_key=True),
        Column("attempt", Integer, primary_key=True),
        Column("step", Integer, primary_key=True),
        Column("value", Float),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "buckets",
        Column("series", Integer, primary_key=True),
        Column("attempt", Integer, primary_key=True),
        Column("bucket", Integer, primary_key=True),
        Column("num_points", Integer, nullable=False),
        Column("min_step", Integer),
        Column("min_value", Float),
        Column("max_step", Integer),
        Column("max_value", Float),
        Column("odd_step", Integer),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger",
        Column("entry", Integer, primary_key=True, autoincrement=True),
        Column("operation", Text, nullable=False),
        Column("decision", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("at_s", Float, nullable=False),
        Column("data", JSON, nullable=False),
        Column("previous_hash", Text, nullable=False),
        Column("hash", Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ledger_by_operation", "ledger", ["operation"])
    op.create_table(
        "idempotency",
        Column("principal", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("request_hash", Text, nullable=False),
        Column("answer", Text, nullable=False),
        Column("at_s", Float, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("idempotency")
    op.drop_table("ledger")
    op.drop_table("buckets")
    op.drop_table("points")
    op.drop_table("series")
    op.drop_table("events")
    op.drop_table("attempts")
    op.drop_table("operations")
