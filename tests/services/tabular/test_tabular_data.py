from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.core.errors import TutelageError
from tutelage.services.tabular.data.readers.delimited import sniff_delimiter
from tutelage.services.tabular.data.sources import read_table
from tutelage.services.tabular.data.target import read_target, read_test_target, target_column
from tutelage.services.tabular.data.types import MISSING, Column, ColumnReader, infer_columns
from tutelage.services.tabular.inspect import inspect

TEXT = "a,b,y\n1,x,0\n2,é,1\n3,z,0\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiter_and_encoding_are_sniffed(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.replace(",", delimiter).encode(encoding))
    frame = read_table(str(path)).frame
    assert list(frame.columns) == ["a", "b", "y"]
    assert frame["b"].tolist() == ["x", "é", "z"]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compression_is_seen_in_the_bytes_not_in_the_name(tmp_path: Path, pack: Any) -> None:
    path = tmp_path / "named_anyhow.csv"
    path.write_bytes(pack(TEXT.encode()))
    assert len(read_table(str(path)).frame) == 3


def test_parquet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [1, 2], "y": [0, 1]}).to_parquet(path)
    table = read_table(str(path))
    assert (table.format, table.frame.shape) == ("parquet", (2, 2))


@given(st.lists(st.sampled_from(["x", "1", "2.5", ""]), min_size=2, max_size=5), st.sampled_from([",", ";", "\t", "|"]))
def test_any_simple_table_gives_its_delimiter_away(cells: list[str], delimiter: str) -> None:
    header = delimiter.join(f"c{index}" for index in range(len(cells)))
    assert sniff_delimiter("\n".join([header, *[delimiter.join(cells)] * 3])) == delimiter


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "data_unreadable"),
        (b"", "data_empty"),
        (b"  \n \n", "data_empty"),
        (b"a,b,y\n", "data_empty"),
        (bytes(range(256)) * 8, "data_unreadable"),
        (b"\x1f\x8b" + b"broken", "data_unreadable"),
        (b"PAR1broken", "data_unreadable"),
        (b"a,b\n1,2\n1,2,3,4\n", "data_unreadable"),
        (b"a,b,a\n1,2,3\n", "duplicate_columns"),
    ],
)
def test_bad_files_have_their_code_and_a_next_step(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TutelageError) as raised:
        read_table(str(path))
    assert raised.value.code == code
    assert raised.value.hint


@pytest.mark.parametrize(
    ("cells", "model_type", "code"),
    [
        ([None, None, " "], None, "target_missing"),
        (["a", "a", "a"], None, "one_class"),
        ([1.5, 1.5, 1.5], "regression", "target_constant"),
        (["1", "2", "many"], "regression", "target_not_numeric"),
        ([1.0, np.inf, 2.0], "regression", "non_finite_target"),
        ([1.0, np.inf, 2.0], "classification", "non_finite_target"),
        (list(np.linspace(0, 1, 100)), "classification", "target_not_classes"),
    ],
)
def test_impossible_targets_have_their_code(cells: list[Any], model_type: str | None, code: str) -> None:
    with pytest.raises(TutelageError) as raised:
        read_target(pd.Series(cells, name="y"), model_type=model_type)
    assert raised.value.code == code
    assert raised.value.hint


def test_a_missing_target_names_the_nearest_column() -> None:
    with pytest.raises(TutelageError, match="Did you mean 'Churn'") as raised:
        target_column(pd.DataFrame({"Churn": [1], "age": [2]}), "churned")
    assert raised.value.code == "target_missing"


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["yes", "no"] * 30, "classification"),
        ([0, 1] * 30, "classification"),
        ([True, False] * 30, "classification"),
        ([1.5, 2.25, 3.0] * 30, "regression"),
        (list(range(90)), "regression"),
    ],
)
def test_the_task_follows_from_the_target(cells: list[Any], task: str) -> None:
    assert read_target(pd.Series(cells, name="y"), model_type=None).task == task


def test_labels_of_the_test_are_read_as_those_of_the_training() -> None:
    train = read_target(pd.Series([0, 1, 1, 0], name="y"), model_type="classification")
    test = read_test_target(pd.Series([0.0, None, 1.0], name="y"), train)
    assert test.values.tolist() == [0, 1]
    with pytest.raises(TutelageError, match="lack: 7"):
        read_test_target(pd.Series([0, 7], name="y"), train)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([1.5, 2.0, None] * 10, "numeric"),
        (["1.5", " ", "?", "3"] * 10, "numeric"),
        (["red", "blue", "?"] * 10, "categorical"),
        (["yes", "No", " "] * 10, "boolean"),
        ([True, False] * 10, "boolean"),
        (["2024-01-05", "2023-12-31"] * 10, "datetime"),
        (["same"] * 20, "constant"),
        ([None] * 20, "empty"),
        (["?", " "] * 10, "empty"),
        ([f"c-{index}" for index in range(40)], "id"),
        (list(range(40)), "id"),
        ([f"a long text of more than five words {index}" for index in range(40)], "text"),
    ],
)
def test_kinds_are_inferred(cells: list[Any], kind: str) -> None:
    frame = pd.DataFrame({"x": cells})
    assert infer_columns(frame, names=["x"], asked=False)[0].kind == kind


def test_an_identifier_that_was_asked_for_is_kept() -> None:
    frame = pd.DataFrame({"x": [f"c-{index}" for index in range(40)]})
    assert infer_columns(frame, names=["x"], asked=True)[0].kind == "categorical"


def test_cells_are_read_alike_from_text_numbers_and_json() -> None:
    columns = [Column(name="n", kind="numeric"), Column(name="c", kind="categorical"), Column(name="b", kind="boolean")]
    reader = ColumnReader(columns)
    frame = pd.DataFrame(
        {"n": ["1.5", "?", np.inf, None], "c": [7.0, "7", " ", None], "b": ["Yes", "false", True, None]}, dtype=object
    )
    typed = reader.transform(frame)
    assert typed["c"].tolist() == ["7", "7", MISSING, MISSING]
    np.testing.assert_equal(typed["n"].to_numpy(), [1.5, np.nan, np.nan, np.nan])
    np.testing.assert_equal(typed["b"].to_numpy(), [1.0, 0.0, 1.0, np.nan])
    assert reader.transform(frame.iloc[:0]).shape == (0, 3)


def test_inspect_suspects_leaks_and_suggests_a_job_without_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 50, 400), rng.integers(0, 50, 400)
    frame = pd.DataFrame({"a": first, "b": second, "c": rng.random(400), "y": first + second})
    frame.to_csv(tmp_path / "t.csv", index=False)
    seen = inspect({"dataPath": str(tmp_path / "t.csv"), "targetColumn": "y"})
    assert seen["leakSuspects"][0]["columns"] == ["a", "b"]
    assert seen["suggestedJob"]["features"] == ["c"]
    assert 0 <= seen["quality"]["score"] < 100


def test_inspect_without_a_target_describes_the_columns() -> None:
    seen = inspect({"dataPath": "sklearn:wine"})
    assert (seen["rows"], len(seen["columnKinds"])) == (178, 13)
