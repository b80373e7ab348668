"""What each column is, found on the training rows alone, and how its cells become numbers and categories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tutelage.services.tabular.data.dates import DATE_PARTS, date_parts, read_dates, sniff_dates
from tutelage.services.tabular.data.numbers import PLAIN, find_sentinels, plain_numbers, read_numbers, sniff_numbers
from tutelage.services.tabular.errors import DataUnreadable

NUMERIC, BOOLEAN, CATEGORICAL, DATETIME = "numeric", "boolean", "categorical", "datetime"
ID, CONSTANT, TEXT, EMPTY = "id", "constant", "text", "empty"
USED = (NUMERIC, BOOLEAN, CATEGORICAL, DATETIME, TEXT)
MISSING_TEXTS = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", ".", "missing"})
TRUE_TEXTS, FALSE_TEXTS = frozenset({"true", "yes", "t", "y"}), frozenset({"false", "no", "f", "n"})
MISSING = "(missing)"
MAX_ODD = 0.05
"""Share of a numeric column's cells that may be no number."""

MIN_MIXED = 0.2
"""Share of numbers, and of other text, from which on a column is said to mix them."""

DIRTY_FROM, DIRTY_WORDS = 40, 2.0
"""Categories of more values than this, with so many words each on average, are also read as text: their words say
which of them are alike."""

TEXT_WORDS, TEXT_SHARE = 5.0, 0.2
MAX_TEXT_CHARS = 500
"""Characters of a cell of text that are read."""

ID_NAME = re.compile(r"(?:^|[_\s.-])(?:id|uuid|guid|key|index|rownum|row_number)$|[a-z](?:ID|Id|UUID|Uuid)$", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its kind, and why, in words for a person.

    `style` is how its numbers or dates are written; `sentinels` are numbers that stand for a missing value;
    `is_dirty` marks categories whose words are read too.
    """

    name: str
    kind: str
    note: str = ""
    num_unique: int = 0
    num_missing: int = 0
    style: str = ""
    sentinels: tuple[float, ...] = ()
    is_dirty: bool = False


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
    found = _of_text(cells, name) if _is_text(series) else _of_values(cells, name, len(series))
    if found.kind == ID and asked:
        found = Found(CATEGORICAL, "listed in features, though it looks like id")
    return Column(name=name, **vars(found), **facts)


@dataclass(frozen=True)
class Found:
    """What a column was found to be; the fields of Column."""

    kind: str
    note: str = ""
    style: str = ""
    sentinels: tuple[float, ...] = ()
    is_dirty: bool = False


def _is_text(series: Any) -> bool:
    return not (
        pd.api.types.is_numeric_dtype(series)
        or pd.api.types.is_bool_dtype(series)
        or pd.api.types.is_datetime64_any_dtype(series)
    )


def _of_values(cells: Any, name: str, num_rows: int) -> Found:
    if pd.api.types.is_bool_dtype(cells):
        return Found(BOOLEAN)
    if pd.api.types.is_datetime64_any_dtype(cells):
        return Found(DATETIME)
    unique = cells.nunique() == num_rows >= 20
    if unique and pd.api.types.is_integer_dtype(cells):
        if ID_NAME.search(name):
            return Found(ID, "an integer of its own in every row, and named like an identifier")
        if int(cells.max()) - int(cells.min()) == num_rows - 1:
            return Found(ID, "counts the rows")
    return _numeric(cells.astype("float64"), "", PLAIN)


def _of_text(cells: Any, name: str) -> Found:
    lower = set(cells.str.lower().unique()[:50])
    if lower <= TRUE_TEXTS | FALSE_TEXTS and len(lower) == 2:
        return Found(BOOLEAN)
    written = sniff_numbers(cells)
    if written:
        style, note = written
        numbers = read_numbers(cells, style)
        odd = int(numbers.isna().sum())
        if odd <= MAX_ODD * len(cells):
            note += f"; {odd} cells that are no number count as missing" if odd else ""
            return _numeric(numbers, note, style)
    order = sniff_dates(cells)
    if order is not None:
        return Found(DATETIME, f"dates stored as text{', ' + order if order else ''}", order)
    return _words(cells, name)


def _words(cells: Any, name: str) -> Found:
    """Tell text, identifiers and categories apart."""
    count, distinct = len(cells), cells.nunique()
    words = cells.head(1000).str.slice(0, MAX_TEXT_CHARS).str.count(r"\s+").mean() + 1
    if words >= TEXT_WORDS and distinct > TEXT_SHARE * count:
        return Found(TEXT, f"free text, {words:.0f} words a cell")
    is_unique = count >= 20 and (distinct > 0.95 * count or (distinct > 0.5 * count and ID_NAME.search(name)))
    if is_unique and (words < DIRTY_WORDS or ID_NAME.search(name)):
        return Found(ID, f"{distinct} different values in {count} rows")
    if is_unique:
        return Found(TEXT, f"a text of its own in nearly every row, {words:.1f} words a cell")
    if distinct > DIRTY_FROM and words >= DIRTY_WORDS:
        return Found(
            CATEGORICAL, f"{distinct} categories of {words:.1f} words: their words are read too", is_dirty=True
        )
    numbers = float(plain_numbers(cells).notna().mean())
    if MIN_MIXED <= numbers <= 1 - MIN_MIXED:
        return Found(CATEGORICAL, f"mixed types: {numbers:.0%} of the cells are numbers, the others text; read as text")
    return Found(CATEGORICAL)


def _numeric(numbers: Any, note: str, style: str) -> Found:
    sentinels = find_sentinels(numbers)
    if sentinels:
        count = int(np.isin(numbers.to_numpy(), sentinels).sum())
        shown = ", ".join(f"{value:g}" for value in sentinels)
        said = f"{count} cells of {shown}, far from all others, count as missing"
        note = f"{note}; {said}" if note else said
    return Found(NUMERIC, note, style, sentinels)


def as_text(series: Any) -> Any:
    """Return cells as stripped text; whole floats lose their `.0`, so that 7 and 7.0 are one category."""
    return series.astype(object).map(_cell_text, na_action="ignore").astype(object)  # a lone missing cell stays a text


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
        found = (read_dates(series, _order_of(series)) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    odd = series[found.isna()]
    if len(odd):
        example = str(odd.iloc[0])[:40]
        raise DataUnreadable(
            f"the time column {series.name!r} is no date or number in {len(odd)} rows, such as {example!r}",
            hint="remove those rows, or name another column",
        )
    return found.to_numpy(dtype="float64")


def _order_of(series: Any) -> str:
    return (sniff_dates(_present(series)) or "") if _is_text(series) else ""


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
        numbers = [column for column in self.columns if column.kind not in (CATEGORICAL, TEXT)]
        return [name for column in numbers for name in typed_names(column)]

    @property
    def categorical(self) -> list[str]:
        """The typed columns that are categories."""
        return [column.name for column in self.columns if column.kind == CATEGORICAL]

    @property
    def texts(self) -> list[str]:
        """The typed columns that are text, with the words of categories among them."""
        return [text_name(column) for column in self.columns if column.kind == TEXT or column.is_dirty]

    @property
    def sources(self) -> dict[str, str]:
        """Typed column -> the raw column behind it."""
        pairs = ((name, column.name) for column in self.columns for name in (text_name(column), *typed_names(column)))
        return dict(pairs)

    def fit(self, frame: Any, target: Any = None) -> ColumnReader:
        """Do nothing; the kinds are known."""
        return self

    def transform(self, frame: Any) -> Any:
        """Return the typed frame of a raw one."""
        typed: dict[str, Any] = {}
        for column in self.columns:
            typed.update(_read_column(frame[column.name], column))
        ordered = {name: typed[name] for name in (*self.numeric, *self.categorical, *self.texts)}
        return pd.DataFrame(ordered, index=frame.index)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def typed_names(column: Column) -> list[str]:
    """Return the typed columns of a raw one, its text apart."""
    return [f"{column.name}:{part}" for part in DATE_PARTS] if column.kind == DATETIME else [column.name]


def text_name(column: Column) -> str:
    """Return the typed column that holds a raw one's words."""
    return f"{column.name}:text"


def _read_column(series: Any, column: Column) -> dict[str, Any]:
    if column.kind in (CATEGORICAL, TEXT):
        return _read_words(series, column)
    if column.kind == DATETIME:
        is_number = pd.api.types.is_numeric_dtype(series)  # not a date: pandas would take it for nanoseconds
        times = read_dates(pd.Series(pd.NaT, index=series.index) if is_number else series, column.style)
        return dict(zip(typed_names(column), date_parts(times), strict=True))
    if column.kind == BOOLEAN and not pd.api.types.is_numeric_dtype(series):
        return {column.name: as_text(series).str.lower().map(_truth)}
    numbers = _read_numbers(series, column).to_numpy(dtype="float64", na_value=np.nan)
    is_missing = ~np.isfinite(numbers)
    if column.sentinels:
        is_missing |= np.isin(numbers, column.sentinels)
    return {column.name: np.where(is_missing, np.nan, numbers)}


def _read_numbers(series: Any, column: Column) -> Any:
    if pd.api.types.is_datetime64_any_dtype(series):
        return pd.Series(np.nan, index=series.index)
    if not _is_text(series):
        return series.astype("float64")
    return read_numbers(as_text(series), column.style)


def _read_words(series: Any, column: Column) -> dict[str, Any]:
    text = as_text(series)
    words = text.where(~(text.isna() | text.str.lower().isin(MISSING_TEXTS)), MISSING)
    read = {column.name: words} if column.kind == CATEGORICAL else {}
    if column.kind == TEXT or column.is_dirty:
        read[text_name(column)] = words.where(words != MISSING, "").str.slice(0, MAX_TEXT_CHARS)
    return read


def _truth(text: str) -> float:
    return 1.0 if text in TRUE_TEXTS else 0.0 if text in FALSE_TEXTS else float("nan")


def unreadable_cells(frame: Any, typed: Any, columns: Iterable[Column]) -> dict[str, tuple[int, str]]:
    """Count cells that hold something, but nothing of their column's kind, with the first of them; read as missing."""
    found = {}
    for column in columns:
        if column.kind not in (NUMERIC, BOOLEAN, DATETIME):
            continue
        raw = as_text(frame[column.name])
        is_there = raw.notna() & ~raw.astype(str).str.lower().isin(MISSING_TEXTS)
        if column.sentinels or pd.api.types.is_float_dtype(frame[column.name]):
            is_there &= ~pd.to_numeric(raw, errors="coerce").isin([*column.sentinels, np.inf, -np.inf])
        lost = is_there.to_numpy(dtype=bool) & typed[typed_names(column)[0]].isna().to_numpy()
        if lost.any():
            found[column.name] = (int(lost.sum()), str(raw[lost].iloc[0])[:40])
    return found


def infinite_cells(frame: Any, columns: Iterable[Column]) -> dict[str, int]:
    """Count infinite cells of numeric columns; they are read as missing."""
    found = {}
    for column in columns:
        if column.kind == NUMERIC:
            count = int(np.isinf(_read_numbers(frame[column.name], column)).sum())
            if count:
                found[column.name] = count
    return found
