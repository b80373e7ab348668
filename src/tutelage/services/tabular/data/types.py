"""What each column is, found on the training rows alone, and how its cells become numbers and categories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tutelage.services.tabular.errors import DataUnreadable

NUMERIC, BOOLEAN, CATEGORICAL, DATETIME = "numeric", "boolean", "categorical", "datetime"
ID, CONSTANT, TEXT, EMPTY = "id", "constant", "text", "empty"
USED = (NUMERIC, BOOLEAN, CATEGORICAL, DATETIME)
MISSING_TEXTS = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", ".", "missing"})
TRUE_TEXTS, FALSE_TEXTS = frozenset({"true", "yes", "t", "y"}), frozenset({"false", "no", "f", "n"})
MISSING = "(missing)"
NUMERIC_SHARE = 0.95
ID_NAME = re.compile(r"(?:^|[_\s.-])(?:id|uuid|guid|key|index|rownum|row_number)$|[a-z](?:ID|Id|UUID|Uuid)$", re.ASCII)
DATE_SHAPE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
DATE_PARTS = ("days", "month", "weekday", "hour")


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its kind, and why, in words for a person."""

    name: str
    kind: str
    note: str = ""
    num_unique: int = 0
    num_missing: int = 0


def infer_columns(frame: Any, *, names: Iterable[str], asked: bool) -> list[Column]:
    """Return what each named column is. `asked`: the user listed them, so that identifiers are kept as categories."""
    return [_infer(frame[name], name, asked=asked) for name in names]


def _infer(series: Any, name: str, *, asked: bool) -> Column:
    cells = series.dropna() if not _is_text(series) else _present(series)
    facts: dict[str, Any] = {"num_unique": int(cells.nunique()), "num_missing": len(series) - len(cells)}
    if facts["num_unique"] == 0:
        return Column(name=name, kind=EMPTY, note="no cell has a value", **facts)
    if facts["num_unique"] == 1 and facts["num_missing"] == 0:
        return Column(name=name, kind=CONSTANT, note=f"the same in every row: {str(cells.iloc[0])[:40]!r}", **facts)
    kind, note = _kind_of_text(cells, name) if _is_text(series) else _kind_of_values(cells, name, len(series))
    if kind in (ID, TEXT) and asked:
        kind, note = CATEGORICAL, f"listed in features, though it looks like {kind}"
    return Column(name=name, kind=kind, note=note, **facts)


def _is_text(series: Any) -> bool:
    return not (
        pd.api.types.is_numeric_dtype(series)
        or pd.api.types.is_bool_dtype(series)
        or pd.api.types.is_datetime64_any_dtype(series)
    )


def _kind_of_values(cells: Any, name: str, num_rows: int) -> tuple[str, str]:
    if pd.api.types.is_bool_dtype(cells):
        return BOOLEAN, ""
    if pd.api.types.is_datetime64_any_dtype(cells):
        return DATETIME, ""
    unique = cells.nunique() == num_rows >= 20
    if unique and pd.api.types.is_integer_dtype(cells):
        if ID_NAME.search(name):
            return ID, "an integer of its own in every row, and named like an identifier"
        if int(cells.max()) - int(cells.min()) == num_rows - 1:
            return ID, "counts the rows"
    return NUMERIC, ""


def _kind_of_text(cells: Any, name: str) -> tuple[str, str]:
    lower = set(cells.str.lower().unique()[:50])
    if lower <= TRUE_TEXTS | FALSE_TEXTS and len(lower) == 2:
        return BOOLEAN, ""
    numbers = pd.to_numeric(cells, errors="coerce").notna()
    if numbers.mean() >= NUMERIC_SHARE:
        odd = int((~numbers).sum())
        return NUMERIC, "numbers stored as text" + (f"; {odd} cells that are no number count as missing" if odd else "")
    if cells.head(200).str.contains(DATE_SHAPE).mean() >= NUMERIC_SHARE and _dates(cells).notna().mean() > 0.9:
        return DATETIME, "dates stored as text"
    distinct = cells.nunique() / len(cells)
    words = cells.head(1000).str.count(r"\s+").mean() + 1
    if words >= 5 and distinct > 0.2:
        return TEXT, f"free text, {words:.0f} words a cell"
    if len(cells) >= 20 and (distinct > 0.95 or (distinct > 0.5 and ID_NAME.search(name))):
        return ID, f"{cells.nunique()} different values in {len(cells)} rows"
    return CATEGORICAL, ""


def as_text(series: Any) -> Any:
    """Return cells as stripped text; whole floats lose their `.0`, so that 7 and 7.0 are one category."""
    return series.astype(object).map(_cell_text, na_action="ignore")


def _cell_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _present(series: Any) -> Any:
    text = as_text(series).dropna().astype(str)
    return text[~text.str.lower().isin(MISSING_TEXTS)]


def as_times(series: Any) -> Any:
    """Return numbers that order the rows: numbers as they are, dates as seconds. Raises DataUnreadable for others."""
    if pd.api.types.is_numeric_dtype(series):
        found = series.astype("float64")
    else:
        found = (_dates(series) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    odd = series[found.isna()]
    if len(odd):
        example = str(odd.iloc[0])[:40]
        raise DataUnreadable(
            f"the time column {series.name!r} is no date or number in {len(odd)} rows, such as {example!r}",
            hint="remove those rows, or name another column",
        )
    return found.to_numpy(dtype="float64")


def _dates(cells: Any) -> Any:
    return pd.to_datetime(cells, errors="coerce", format="mixed", utc=True)


class ColumnReader:
    """Turns a raw frame into the typed one: numbers as float64, categories as text; fitted to nothing but the kinds.

    First step of the saved pipeline, so that a model takes raw rows. `categories` are those of the rows that the
    kept model was trained on, for warnings about unseen ones.
    """

    def __init__(self, columns: Iterable[Column], *, categories: Mapping[str, frozenset[str]] | None = None) -> None:
        given = tuple(columns)
        self.columns = tuple(column for column in given if column.kind in USED)
        self.unused = frozenset(column.name for column in given if column.kind not in USED)
        self.categories = dict(categories or {})

    @property
    def names(self) -> list[str]:
        """The raw columns that are read."""
        return [column.name for column in self.columns]

    @property
    def numeric(self) -> list[str]:
        """The typed columns that are numbers."""
        return [name for column in self.columns if column.kind != CATEGORICAL for name in _typed_names(column)]

    @property
    def categorical(self) -> list[str]:
        """The typed columns that are categories."""
        return [column.name for column in self.columns if column.kind == CATEGORICAL]

    def source_of(self, typed: str) -> str:
        """Return the raw column behind a typed one."""
        return next(column.name for column in self.columns if typed in _typed_names(column))

    def fit(self, frame: Any, target: Any = None) -> ColumnReader:
        """Do nothing; the kinds are known."""
        return self

    def transform(self, frame: Any) -> Any:
        """Return the typed frame of a raw one."""
        typed: dict[str, Any] = {}
        for column in self.columns:
            typed.update(_read_column(frame[column.name], column))
        ordered = {name: typed[name] for name in (*self.numeric, *self.categorical)}
        return pd.DataFrame(ordered, index=frame.index)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _typed_names(column: Column) -> list[str]:
    return [f"{column.name}:{part}" for part in DATE_PARTS] if column.kind == DATETIME else [column.name]


def _read_column(series: Any, column: Column) -> dict[str, Any]:
    if column.kind == CATEGORICAL:
        text = as_text(series)
        return {column.name: text.where(~(text.isna() | text.str.lower().isin(MISSING_TEXTS)), MISSING)}
    if column.kind == DATETIME:
        return _date_parts(_dates(series), column)
    if column.kind == BOOLEAN and not pd.api.types.is_numeric_dtype(series):
        return {column.name: as_text(series).str.lower().map(_truth)}
    numbers = pd.to_numeric(series if not _is_text(series) else as_text(series), errors="coerce").astype("float64")
    return {column.name: numbers.where(np.isfinite(numbers))}


def _truth(text: str) -> float:
    return 1.0 if text in TRUE_TEXTS else 0.0 if text in FALSE_TEXTS else float("nan")


def _date_parts(dates: Any, column: Column) -> dict[str, Any]:
    days = (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
    parts = (days, dates.dt.month, dates.dt.day_of_week, dates.dt.hour)
    return {
        name: part.astype("float64").fillna(float("nan"))
        for name, part in zip(_typed_names(column), parts, strict=True)
    }


def infinite_cells(frame: Any, columns: Iterable[Column]) -> dict[str, int]:
    """Count infinite cells of numeric columns; they are read as missing."""
    found = {}
    for column in columns:
        if column.kind == NUMERIC:
            cells = frame[column.name]
            numbers = pd.to_numeric(as_text(cells) if _is_text(cells) else cells, errors="coerce").astype("float64")
            count = int(np.isinf(numbers).sum())
            if count:
                found[column.name] = count
    return found
