"""The tables, in SQLAlchemy Core. A change here comes with a migration."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Index, Integer, MetaData, Table, Text, UniqueConstraint

METADATA = MetaData()

OPERATIONS = Table(
    "operations",
    METADATA,
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
    Index("operations_by_state", "state"),
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
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

EVENTS = Table(
    "events",
    METADATA,
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

SERIES = Table(
    "series",
    METADATA,
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

POINTS = Table(
    "points",
    METADATA,
    Column("series", Integer, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("value", Float),
    sqlite_with_rowid=False,
)
"""One number at a (series, attempt, step); SQLite keeps infinities as they are, and NULL stands for NaN."""

BUCKETS = Table(
    "buckets",
    METADATA,
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
"""For each 512 steps of a long curve: how many points, where the least and greatest finite value lie, and where
the first non-finite one."""

LEDGER = Table(
    "ledger",
    METADATA,
    Column("entry", Integer, primary_key=True, autoincrement=True),
    Column("operation", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    Column("data", JSON, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ledger_by_operation", "operation"),
    sqlite_autoincrement=True,
)
"""Append-only and hash-chained over the whole home: decisions, and what became of them."""

IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at_s", Float, nullable=False),
    sqlite_with_rowid=False,
)

TOKENS = Table(
    "tokens",
    METADATA,
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
"""Tokens and logins; of a secret only its SHA-256 is kept."""

MIRRORS = Table(
    "mirrors",
    METADATA,
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
"""Operations that run on a host: what they are called there, and how far they were mirrored."""

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("num_tries", Integer, nullable=False),
    Column("next_at_s", Float, nullable=False),
    sqlite_with_rowid=False,
)
"""Messages to webhooks that have not been delivered yet."""

MARKS = Table(
    "marks",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("row", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How far a reader of the events has come, by the reader's name."""
