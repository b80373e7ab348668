"""What columns are, and how their cells are read: numbers as people write them, sentinels, dates, text."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.services.tabular.data.numbers import find_sentinels, read_numbers, sniff_numbers
from tutelage.services.tabular.data.types import Column, ColumnReader, infer_columns, infinite_cells
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.encoded import EncodedRows
from tutelage.services.tabular.models.algorithms import Encoding
from tutelage.services.tabular.models.pipeline import encoded_sources, encoder


def infer(cells: Any, name: str = "x") -> Column:
    return infer_columns(pd.DataFrame({name: cells}), names=[name], asked=False)[0]


@pytest.mark.parametrize(
    ("cells", "style", "read"),
    [
        (["1.5", " 2 ", "-3e2"], "", [1.5, 2.0, -300.0]),
        (["1,234.50", "12", "1,000,000"], "thousands", [1234.5, 12.0, 1e6]),
        (["1 234", "12", "1 000 000"], "thousands", [1234.0, 12.0, 1e6]),
        (["1.234,5", "0,25", "12"], "decimal comma", [1234.5, 0.25, 12.0]),
        (["$5", "$1,200.50", "-$3", "($7)"], "currency", [5.0, 1200.5, -3.0, -7.0]),
        (["5 €", "7€", "10 EUR"], "currency", [5.0, 7.0, 10.0]),
        (["12%", "7.5 %", "-3%"], "percent", [12.0, 7.5, -3.0]),
        (["10 kg", "7.5kg", "1,200 kg"], "unit:kg", [10.0, 7.5, 1200.0]),
    ],
)
def test_numbers_are_read_as_people_write_them(cells: list[str], style: str, read: list[float]) -> None:
    series = pd.Series(cells)
    found = sniff_numbers(series)
    assert found is not None
    assert found[0] == style
    np.testing.assert_allclose(read_numbers(series, style), read)
    if style:
        column = infer([*cells, *cells])
        assert (column.kind, column.style) == ("numeric", style)
        assert style.partition(":")[0] in column.note or "kg" in column.note


@pytest.mark.parametrize(
    "cells", [["red", "blue"], ["A1", "B2"], ["10 kg", "5 lb"], ["12%", "red", "7"], ["1st", "2nd"]]
)
def test_what_is_no_column_of_numbers_is_not_taken_for_one(cells: list[str]) -> None:
    assert sniff_numbers(pd.Series(cells * 5)) is None


@given(st.lists(st.floats(-1e9, 1e9).map(lambda value: round(value, 2)), min_size=1, max_size=20))
def test_thousands_are_read_back_exactly(values: list[float]) -> None:
    written = pd.Series([f"{value:,.2f}" for value in values])
    np.testing.assert_array_equal(read_numbers(written, "thousands"), values)


@pytest.mark.parametrize(
    ("others", "sentinel", "found"),
    [
        (range(100), -999, (-999.0,)),
        (range(100), 9999, (9999.0,)),
        (range(0, 41_000, 10), 99_999, ()),  # not far enough to be sure
        (range(-2000, 2000), -999, ()),  # one of many
        ([1, 2, 3], -999, ()),  # too few others to say what is far
    ],
)
def test_a_sentinel_is_repeated_and_far_from_all_others(others: Any, sentinel: float, found: tuple[float, ...]) -> None:
    assert find_sentinels([*others, *[sentinel] * 4]) == found
    assert find_sentinels([*others, sentinel]) == ()


def test_a_row_alone_whose_category_is_missing_is_read() -> None:
    cities = pd.DataFrame({"city": ["Oslo", None, "Bern", "Oslo", "Bern"]})
    reader = ColumnReader(infer_columns(cities, names=["city"], asked=False))
    alone = reader.transform(pd.DataFrame({"city": [np.nan]}))["city"].tolist()
    assert alone == reader.transform(cities)["city"].tolist()[1:2]


def test_a_sentinel_is_read_as_missing_and_told() -> None:
    cells = [*range(50), *[-999] * 5]
    column = infer(cells)
    assert column.sentinels == (-999.0,)
    assert "5 cells of -999" in column.note
    typed = ColumnReader([column]).transform(pd.DataFrame({"x": [1, -999]}))
    np.testing.assert_array_equal(typed["x"], [1.0, np.nan])


@pytest.mark.parametrize(
    ("cells", "month"),
    [
        (["09/22/1986", "01/02/1990"], [9.0, 1.0]),
        (["22/09/1986", "01/02/1990"], [9.0, 2.0]),
        (["1986-09-22", "1990-02-01"], [9.0, 2.0]),
    ],
)
def test_the_order_of_day_and_month_is_the_columns_own(cells: list[str], month: list[float]) -> None:
    column = infer(cells * 5)
    assert column.kind == "datetime"
    typed = ColumnReader([column]).transform(pd.DataFrame({"x": cells}))
    assert typed["x:month"].tolist() == month


TITLES = [f"{rank} {work} {unit}" for rank in ("Senior", "Junior", "Chief") for work in ("Nurse", "Clerk", "Cook")
          for unit in ("North", "South", "East", "West", "Center")]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "kind", "is_dirty"),
    [
        (TITLES * 5, "categorical", True),
        (TITLES[:10] * 5, "categorical", False),
        ([f"{title} of the {index}" for index, title in enumerate(TITLES)], "text", False),
        ([f"SKU-{index:05d}" for index in range(60)], "id", False),
        ([f"{index:05d} {index * 7:05d}" for index in range(60)], "text", False),
        ([["1", "2", "3", "tall"][index % 4] for index in range(60)], "categorical", False),
    ],
)
def test_words_are_told_from_identifiers(cells: list[str], kind: str, is_dirty: bool) -> None:
    column = infer(cells)
    assert (column.kind, column.is_dirty) == (kind, is_dirty)


def test_a_column_that_mixes_numbers_and_text_says_so() -> None:
    assert "mixed types: 75% of the cells are numbers" in infer(["1", "2", "3", "tall"] * 20).note


def test_an_identifier_by_name_stays_one_whatever_its_words() -> None:
    assert infer([f"c {index} x" for index in range(60)], "customer_id").kind == "id"


def _texts(num_rows: int) -> Any:
    rng = np.random.default_rng(0)
    frame = {"n": rng.random(num_rows), "c": rng.choice(["a", "b"], num_rows), "title": rng.choice(TITLES, num_rows)}
    free = [f"the {title} came late to room number {index}" for index, title in enumerate(frame["title"])]
    return pd.DataFrame({**frame, "free": free})


@pytest.mark.parametrize("encoding", ["native", "ordinal", "one_hot"])
def test_text_is_encoded_beside_the_categories_and_mapped_back(encoding: Encoding) -> None:
    frame = _texts(300)
    reader = ColumnReader(infer_columns(frame, names=frame.columns, asked=False))
    encode = encoder(reader, encoding)
    matrix = encode.fit_transform(reader.transform(frame.iloc[:200]))
    sources = encoded_sources(encode, reader)
    assert matrix.shape[1] == len(sources)
    assert {"n", "c", "title", "free"} == set(sources)
    assert sources.count("title") > 5
    unseen = pd.DataFrame({"n": [1.0, 2.0], "c": ["z", None], "title": ["Head Baker", None], "free": ["", "qqq"]})
    held = encode.transform(reader.transform(unseen))
    block = io.BytesIO()
    joblib.dump((reader, encode), block)
    block.seek(0)
    loaded, again = joblib.load(block)
    np.testing.assert_array_equal(again.transform(loaded.transform(unseen)), held)
    np.testing.assert_array_equal(encoder(reader, encoding).fit(reader.transform(frame.iloc[:200])).transform(
        reader.transform(unseen)), held)  # fmt: skip


def test_encoded_text_is_kept_for_the_next_trial_and_is_the_same() -> None:
    frame = _texts(120)
    reader = ColumnReader(infer_columns(frame, names=frame.columns, asked=False))
    load = messages.Load(
        task="regression",
        reader=reader,
        frame=reader.transform(frame),
        target=frame["n"].to_numpy(),
        test_frame=reader.transform(frame),
        test_target=frame["n"].to_numpy(),
        threads=1,
    )
    fit = messages.Fit(algorithm="ridge", params={}, seed=1, train=np.arange(90), validation=np.arange(90, 120))
    kept = EncodedRows()
    first, again = (kept.rows(load, "one_hot", fit) for _ in range(2))
    assert first is again
    np.testing.assert_array_equal(EncodedRows().rows(load, "one_hot", fit)[1], first[1])
    other = messages.Fit(**{**vars(fit), "train": np.arange(80)})
    assert len(kept.rows(load, "one_hot", other)[1]) == 80


def test_a_fold_without_any_text_still_encodes() -> None:
    frame = _texts(100)
    reader = ColumnReader(infer_columns(frame, names=["n", "free"], asked=False))
    typed = reader.transform(frame.assign(free=None))
    assert encoder(reader, "native").fit_transform(typed).shape == (100, 1)


@pytest.mark.needs_shared_data
@pytest.mark.slow  # reads and encodes 9,228 rows and trains 100 rounds on them
def test_words_of_titles_beat_their_codes_on_real_salaries(shared_data: Path) -> None:
    from lightgbm import LGBMRegressor
    from sklearn.metrics import root_mean_squared_error
    from sklearn.model_selection import train_test_split

    target = "current_annual_salary"
    frame = pd.read_csv(shared_data / "tabular" / "employee_salaries.csv")
    train, test = train_test_split(frame, test_size=0.2, random_state=0)
    reader = ColumnReader(infer_columns(train, names=frame.columns.drop(target), asked=False))
    encode = encoder(reader, "native")
    matrix = encode.fit_transform(reader.transform(train))
    codes = [len(reader.numeric) + index for index in range(len(reader.categorical))]
    model = LGBMRegressor(n_jobs=1, verbosity=-1, random_state=0)
    model.fit(matrix, train[target], categorical_feature=codes)
    said = np.asarray(model.predict(encode.transform(reader.transform(test))))
    assert root_mean_squared_error(test[target], said) < 7_774


def test_infinite_cells_are_counted_whatever_they_are_written_as() -> None:
    frame = pd.DataFrame({"x": [1.0, np.inf, -np.inf], "y": ["1", "inf", "2"]})
    columns = [Column(name="x", kind="numeric"), Column(name="y", kind="numeric")]
    assert infinite_cells(frame, columns) == {"x": 2, "y": 1}
