"""Alembic migrations of the tutelage database."""
