"""The look before a training: score, leak suspects, impossible values; and what a finished model says of odd rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from tabular_support import Operation, config, job, make_table

from tutelage.core.errors import TutelageError
from tutelage.services.tabular.data.leaks import Suspect, sounds_late
from tutelage.services.tabular.data.quality import DataQuality, look
from tutelage.services.tabular.data.types import ColumnReader, infer_columns
from tutelage.services.tabular.fitting.messages import HoldOut
from tutelage.services.tabular.fitting.validation import hold_out
from tutelage.services.tabular.inspect import inspect
from tutelage.services.tabular.models.pipeline import encoder, whole_pipeline
from tutelage.services.tabular.use import answer

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=400)


def seen(frame: Any, values: Any, *, task: str, target_name: str = "y") -> DataQuality:
    columns = infer_columns(frame, names=frame.columns, asked=False)
    return look(frame, columns, values=np.asarray(values), task=task, target_name=target_name)


def suspects(frame: Any, values: Any, *, task: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.kind, item.columns) for item in seen(pd.DataFrame(frame), values, task=task).suspects]


A, B, C = (RNG.integers(1, 60, 400).astype(float) for _ in range(3))


@pytest.mark.parametrize(
    ("frame", "values", "found"),
    [
        ({"a": A, "b": B, "c": NOISE}, A + B, [("sum", ("a", "b"))]),
        ({"a": A, "b": B, "c": NOISE}, A - B, [("sum", ("a", "b"))]),
        ({"a": A, "b": B, "c": NOISE}, A * B, [("product", ("a", "b"))]),
        ({"a": A, "b": B, "c": C, "d": NOISE}, A + 2 * B - C, [("combination", ("a", "b", "c"))]),
        ({"a": A, "b": B, "c": NOISE}, A + B + RNG.normal(size=400), []),
        ({"a": np.round(A / 6), "b": NOISE}, np.round(A / 6) * 3, [("single", ("a",))]),
    ],
)
def test_exact_leaks_of_a_number_are_found(frame: dict[str, Any], values: Any, found: list[Any]) -> None:
    assert suspects(frame, values, task="regression") == found


def test_a_date_that_is_only_there_afterwards_is_a_leak_of_a_class() -> None:
    values = np.where(NOISE > 0, "left", "stayed")
    dates = np.where(NOISE > 0, "2024-01-05", None)
    frame = {"cancel_date": dates, "same": np.where(NOISE > 0, 1, 2), "other": A}
    assert suspects(frame, values, task="classification") == [("single", ("cancel_date",)), ("single", ("same",))]


@pytest.mark.parametrize(
    ("name", "is_late"),
    [
        ("balance_after", True),
        ("outcomeType", True),
        ("cancel_date", True),
        ("churn_reason", True),
        ("Refund Amount", True),
        ("afternoon", False),
        ("tenure", False),
        ("churn", False),
        ("processed", False),
    ],
)
def test_names_are_hints(name: str, is_late: bool) -> None:
    assert bool(sounds_late(name, "churn")) is is_late


def test_a_hint_costs_little_and_is_not_left_out_of_the_suggested_job(tmp_path: Path) -> None:
    frame = make_table().assign(balance_after=RNG.random(240))
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = inspect({"dataPath": str(tmp_path / "t.csv"), "targetColumn": "y"})
    assert [item["kind"] for item in found["leakSuspects"]] == ["name"]
    assert "features" not in found["suggestedJob"]
    assert config({key: value for key, value in found["suggestedJob"].items() if key != "task"}).target == "y"
    json.dumps(found, allow_nan=False)


def test_zeros_among_lengths_are_impossible_and_counts_are_not() -> None:
    lengths = RNG.normal(10, 1, 2000)
    lengths[:3] = 0
    counts = RNG.poisson(3, 2000)
    frame = pd.DataFrame({"length": lengths, "count": counts, "amount": RNG.gamma(1, 50, 2000)})
    assert seen(frame, RNG.random(2000), task="regression").impossible == {"length": 3}


def test_the_score_falls_with_what_is_wrong_and_says_why() -> None:
    good = pd.DataFrame({"a": RNG.random(400), "b": RNG.random(400)})
    bad = good.assign(
        a=np.where(RNG.random(400) < 0.3, np.nan, good["a"]),
        c="x",
        d=[np.inf, *range(399)],
        e=[-999] * 5 + [*range(395)],
    )
    best, worst = seen(good, NOISE, task="regression"), seen(bad, NOISE, task="regression")
    assert (best.score, best.reasons) == (100, ())
    assert worst.score < 90
    text = " ".join(worst.reasons)
    assert all(word in text for word in ("missing", "constant", "infinite", "stand for missing"))
    assert json.loads(json.dumps(worst.document))["score"] == worst.score


def test_a_long_table_is_sampled_and_still_gives_its_leak_away() -> None:
    first, second = RNG.integers(0, 90, 60_000), RNG.integers(0, 90, 60_000)
    found = seen(pd.DataFrame({"a": first, "b": second}), first + second, task="regression")
    assert isinstance(found.suspects[0], Suspect)
    assert found.leaking == ["a", "b"]


def test_one_row_is_too_few() -> None:
    request = HoldOut(labels=np.array([1.0]), share=0.2, seed=0, stratify=False)
    with pytest.raises(TutelageError) as raised:
        hold_out(request)
    assert (raised.value.code, bool(raised.value.hint)) == ("too_few_rows", True)


@pytest.mark.slow  # inspects 17,379 and 53,940 rows
@pytest.mark.needs_shared_data
def test_the_leaks_of_bike_sharing_and_the_zeros_of_diamonds_are_named(shared_data: Path) -> None:
    bikes = inspect({"dataPath": str(shared_data / "tabular" / "bike_sharing.csv"), "targetColumn": "cnt"})
    assert bikes["leakSuspects"][0]["columns"] == ["casual", "registered"]
    assert not {"casual", "registered"} & set(bikes["suggestedJob"]["features"])
    stones = inspect({"dataPath": str(shared_data / "tabular" / "diamonds.csv.gz"), "targetColumn": "price"})
    assert set(stones["impossibleValues"]) == {"x", "y", "z"}


@pytest.mark.slow  # a whole operation: worker and fit child are started
def test_a_leak_is_named_before_the_first_trial_and_kept_in_the_result(home: Path, tmp_path: Path) -> None:
    frame = pd.DataFrame({"casual": A, "registered": B, "text": RNG.choice(["a b", "c d"], 400), "y": A + B})
    frame.to_csv(tmp_path / "t.csv", index=False)
    search = {"hyperparameterSearch": {"enabled": False}, "validationStrategy": {"folds": 2}, "algorithm": "ridge"}
    operation = Operation.create(home, job(tmp_path / "t.csv", **search))
    assert operation.run() == 0
    told = [event for event in operation.events() if "leak suspect" in str(event["d"].get("text"))]
    first = next(event for event in operation.events(kind="metric") if event.get("s", "").startswith("trial="))
    assert "casual + registered" in told[0]["d"]["text"]
    assert told[0]["t"] <= first["t"]
    quality = operation.result["metadata"]["dataQuality"]
    assert quality["leakSuspects"][0]["columns"] == ["casual", "registered"]
    assert 0 <= quality["score"] <= 100


@pytest.fixture(scope="module")
def model() -> Any:
    frame = pd.DataFrame({"age": np.arange(60.0), "price": [f"${value}" for value in range(60)]})
    frame["city"], frame["member"] = ["Oslo", "Bern", "Lima"] * 20, ["yes", "no"] * 30
    frame["since"] = pd.date_range("2020-01-01", periods=60).astype(str)
    reader = ColumnReader(infer_columns(frame, names=frame.columns, asked=False))
    reader.categories = {"city": frozenset({"Oslo", "Bern", "Lima"})}
    encode = encoder(reader, "one_hot")
    return whole_pipeline(
        reader, encode, LinearRegression().fit(encode.fit_transform(reader.transform(frame)), NOISE[:60])
    )


ROW = {"age": 4, "price": "$7", "city": "Oslo", "member": "yes", "since": "2020-02-01"}


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({}, None),
        ({"age": None, "city": None, "since": None}, None),
        ({"price": 7}, None),
        ({"city": "Paris"}, "city: 1 rows hold values never seen in training: 'Paris'"),
        ({"more": 1}, "1 columns were ignored: more"),
        ({"age": "old"}, "age: 1 cells are not numeric, such as 'old'; they count as missing"),
        ({"member": "perhaps"}, "member: 1 cells are not boolean"),
        ({"since": "some day"}, "since: 1 cells are not datetime"),
        ({"since": 1986}, "since: 1 cells are not datetime"),
        ({"age": [1, 2]}, "age: 1 cells are not numeric"),
    ],
)
def test_odd_rows_are_predicted_with_a_warning(model: Any, change: dict[str, Any], warning: str | None) -> None:
    said = answer(model, {"rows": [ROW | change]}, target="y")
    assert np.isfinite(said["predictions"]).all()
    assert [warning in text for text in said["warnings"]] == [True] if warning else said["warnings"] == []


def test_a_missing_column_is_an_error_that_names_the_nearest(model: Any) -> None:
    row = {("Agee" if key == "age" else key): value for key, value in ROW.items()}
    with pytest.raises(TutelageError, match="'age' \\(is 'Agee' meant\\?\\)") as raised:
        answer(model, {"rows": [row]}, target="y")
    assert raised.value.code == "feature_missing"
