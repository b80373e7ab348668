"""Which kinds of source a job may name."""

from __future__ import annotations

from tutelage.core.errors import NotYet, unknown
from tutelage.core.paths import SCHEME

SKLEARN_SETS = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def check_source(value: str) -> str:
    """Return `value` if its kind of source is built. Raises NotYet or UnknownName by name."""
    if value.startswith("sklearn:"):
        name = value.removeprefix("sklearn:")
        if name not in SKLEARN_SETS:
            raise unknown("scikit-learn data set", name, SKLEARN_SETS)
        return value
    lower = value.lower()
    if SCHEME.match(value):
        raise NotYet(f"sources such as {value.split(':')[0]!r} are not built yet", hint="CSV, Parquet, sklearn:NAME")
    if lower.endswith((".xlsx", ".xls", ".jsonl", ".ndjson", ".json", ".arrow", ".feather", ".orc", ".zip", ".zst")):
        raise NotYet(f"files such as {value.rsplit('.', 1)[-1]!r} are not read yet", hint="CSV (also .gz) or Parquet")
    return value
