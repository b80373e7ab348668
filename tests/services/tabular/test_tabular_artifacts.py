"""What a finished training leaves: each file is there, is valid, and says what the result says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics
from tabular_support import Operation, config, job, make_run, make_table

from tutelage.core.errors import MissingDependency
from tutelage.services.tabular import SERVICE, catalog
from tutelage.services.tabular.fitting.fits import FitChild
from tutelage.services.tabular.report.extras import KEPT, Extras
from tutelage.services.tabular.use import use
from tutelage.settings import worker_environment

PLOTS = {
    "classification": ["confusion_matrix", "roc_curve", "precision_recall", "calibration"],
    "regression": ["residuals"],
    "both": ["learning_curve", "optimization_history", "feature_importance"],
}


def train_on(folder: Path, *, regression: bool, **more: Any) -> tuple[Operation, Any]:
    table = make_table(360, regression=regression)
    table.iloc[:240].to_csv(folder / "train.csv", index=False)
    table.iloc[240:].to_csv(folder / "test.csv", index=False)
    asked = job(folder / "train.csv", testDataPath=str(folder / "test.csv"), algorithm="lightgbm", **more)
    operation = Operation.create(folder / "home", asked)
    assert operation.run() == 0, operation.events(kind="error")
    return operation, table.iloc[240:].reset_index(drop=True)


@pytest.fixture(scope="module")
def churn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Operation, Any]:
    """A classifier of two classes with a tuned threshold, after enough trials for the importance of parameters."""
    search = {"nTrials": 11, "pruner": "none"}
    more: dict[str, Any] = {"optimizeFor": "f1", "options": {"exports": ["skops"]}}
    more |= {"validationStrategy": {"folds": 3}, "hyperparameterSearch": search}
    return train_on(tmp_path_factory.mktemp("churn"), regression=False, **more)


@pytest.fixture(scope="module")
def price(tmp_path_factory: pytest.TempPathFactory) -> tuple[Operation, Any]:
    """A regressor without a search."""
    folder = tmp_path_factory.mktemp("price")
    return train_on(folder, regression=True, hyperparameterSearch={"enabled": False})


def read(operation: Operation, name: str) -> Any:
    return json.loads((operation.files.artifacts / name).read_text())


def ask(operation: Operation, monkeypatch: pytest.MonkeyPatch, request: Any) -> Any:
    monkeypatch.setenv("TUTELAGE_HOME", str(operation.home))
    answers: list[Any] = []
    spec = json.loads(operation.files.spec.read_text())
    use(operation.files.root, config(spec["config"]), iter([request]), answers.append)
    return answers[0]


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_every_plot_is_a_light_picture(task: str, request: pytest.FixtureRequest) -> None:
    operation, _ = request.getfixturevalue("churn" if task == "classification" else "price")
    for name in (*PLOTS[task], *PLOTS["both"]):
        path = operation.files.artifacts / f"{name}.png"
        assert f"artifacts/{name}.png" in operation.result["artifacts"]
        with Image.open(path) as picture:
            picture.load()
            assert 300 <= min(picture.size) <= max(picture.size) <= 1600
            assert len(set(picture.convert("RGB").resize((60, 60)).get_flattened_data())) > 5
        assert path.stat().st_size < 100_000


def test_what_is_listed_is_there_and_nothing_else_is(
    churn: tuple[Operation, Any], price: tuple[Operation, Any]
) -> None:
    for operation, _ in (churn, price):
        listed = {name.removeprefix("artifacts/") for name in operation.result["artifacts"]}
        there = {path.name for path in operation.files.artifacts.iterdir()}
        assert there == listed | {"model.joblib.sig"}
        for name in listed:
            if name.endswith(".json"):
                read(operation, name)


def test_the_curves_of_the_test_are_those_of_the_model(
    churn: tuple[Operation, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, test = churn
    answer = ask(operation, monkeypatch, {"rows": json.loads(test.to_json(orient="records"))})
    truth, said = (test["y"] == "stays").to_numpy(), np.array(answer["probabilities"])[:, 1]
    curves = read(operation, "curves.json")
    assert curves["roc"]["classes"]["stays"]["auc"] == pytest.approx(metrics.roc_auc_score(truth, said))
    area = metrics.average_precision_score(truth, said)
    assert curves["precision_recall"]["classes"]["stays"]["average_precision"] == pytest.approx(area)
    assert curves["roc"]["classes"]["stays"]["auc"] == pytest.approx(operation.result["metrics"]["test"]["roc_auc"])
    decided = np.array(answer["predictions"]) == "stays"
    assert curves["roc"]["decision"]["precision"] == pytest.approx(metrics.precision_score(truth, decided))
    assert curves["confusion"]["counts"] == metrics.confusion_matrix(test["y"], answer["predictions"]).tolist()
    assert len(curves["search"]["trials"]) == 11
    assert curves["search"]["trials"][-1]["best"] == max(item["value"] for item in curves["search"]["trials"])
    kept = curves["learning"]["kept"]
    assert kept + 1 == operation.result["metadata"]["rounds"]
    assert curves["learning"]["validation"][kept] == min(curves["learning"]["validation"])


def test_residuals_are_those_of_the_model(price: tuple[Operation, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    operation, test = price
    answer = ask(operation, monkeypatch, {"rows": json.loads(test.to_json(orient="records", double_precision=15))})
    errors = test["y"].to_numpy() - np.array(answer["predictions"])
    found = read(operation, "curves.json")["residuals"]
    assert found["mean"] == pytest.approx(errors.mean())
    assert found["points"]["residual"] == pytest.approx(errors.tolist())
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(operation.result["metrics"]["test"]["rmse"])


def test_importance_has_intervals_beside_the_model_s_own(churn: tuple[Operation, Any]) -> None:
    document = read(churn[0], "feature_importance.json")
    assert document["importance"] == churn[0].result["featureImportance"]
    assert set(document["permutation"]) == {"age", "city", "spend", "member"}
    assert (document["method"], document["rows"]) == ("gain", 120)
    assert document["repeats"] >= 5
    assert all(item["low"] <= item["mean"] <= item["high"] for item in document["permutation"].values())
    assert document["permutation"]["age"]["low"] > 0
    assert document["permutation"]["member"]["low"] <= 0  # the target does not depend on it


def test_parameters_have_shares_where_there_are_trials_enough(
    churn: tuple[Operation, Any], price: tuple[Operation, Any]
) -> None:
    document = read(churn[0], "param_importance.json")
    assert sum(document["importance"].values()) == pytest.approx(1)
    assert set(document["importance"]) == set(churn[0].result["bestParams"])
    assert document["trials"] == 11
    skipped = price[0].result["metadata"]["artifactsSkipped"]
    assert skipped["param_importance.json"] == "1 complete trials, and 10 are needed"


def test_speed_and_size_are_metrics(churn: tuple[Operation, Any]) -> None:
    operation, _ = churn
    found = operation.result["metrics"]["latency"]
    assert 0 < found["row_ms_p50"] <= found["row_ms_p95"]
    assert found["rows_per_s"] > 100
    size = (operation.files.artifacts / "model.joblib").stat().st_size
    assert operation.result["metadata"]["modelBytes"] == size
    emitted = {name: value for scope, _, name, value in operation.metrics() if scope == ""}
    assert emitted.items() >= {**found, "model_bytes": size}.items()
    declared = {metric.name: metric.unit for metric in SERVICE.metrics}
    assert {name: declared[name] for name in ("row_ms_p50", "rows_per_s", "model_bytes")} == {
        "row_ms_p50": "ms",
        "rows_per_s": "rows/s",
        "model_bytes": "bytes",
    }


def test_the_model_card_says_only_what_was_measured(churn: tuple[Operation, Any]) -> None:
    operation, _ = churn
    card = (operation.files.artifacts / "model_card.md").read_text()
    known = " ".join(
        json.dumps(document)
        for document in (
            operation.result,
            *(read(operation, f"{name}.json") for name in ("curves", "feature_importance")),
        )
    )
    values = [abs(float(text)) for text in re.findall(r"\d+\.?\d*(?:e-?\d+)?", known)]
    fixed = {3.0, 95.0}  # folds by name, and the intervals' level
    body = re.sub(r"`[^`]*`|op_\w+", " ", card.partition("## Versions")[0])
    for text in re.findall(r"(?<![\w.])\d[\d,]*\.?\d*(?:e-?\d+)?", body):
        number = float(text.replace(",", "").rstrip("."))
        near = any(value == pytest.approx(number, rel=0.051, abs=1e-9) for value in values)
        assert near or number in fixed, f"{text} of the card is in no document"
    for name in ("## Data", "## Procedure", "## Results", "## Limits, as measured", "## Use", "## Versions"):
        assert name in card
    assert f"tutelage predict {operation.files.root.name}" in card
    assert operation.result["metadata"]["data"]["train"]["sha256"] in card
    assert "`customerID` (id:" in card
    assert operation.result["metadata"]["baseline"]["roc_auc"] == 0.5
    assert set(operation.result["metadata"]["baseline"]) == set(operation.result["metrics"]["test"])


def test_the_example_runs_as_it_is_and_predicts_as_use_does(
    churn: tuple[Operation, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, _ = churn
    environment = worker_environment(home=operation.home, cpus=1)
    del environment["TUTELAGE_HOME"]  # it finds the home that it lies in
    script = [sys.executable, str(operation.files.artifacts / "inference_example.py")]
    done = subprocess.run(script, capture_output=True, text=True, timeout=120, env=environment, cwd="/")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    answer = ask(operation, monkeypatch, read(operation, "inference_request.json"))
    assert said["predictions"] == answer["predictions"]
    assert said["classes"] == answer["classes"]
    assert np.array(said["probabilities"]) == pytest.approx(np.array(answer["probabilities"]))


def test_the_schema_tells_types_ranges_and_categories(churn: tuple[Operation, Any]) -> None:
    schema = read(churn[0], "schema.json")
    columns = {column["name"]: column for column in schema["columns"]}
    assert schema["target"] == {"name": "y", "task": "classification", **schema["target"]}
    assert sum(schema["target"]["rows"]) == schema["rows"] == 240
    table = make_table(360).iloc[:240]
    assert (columns["age"]["type"], columns["age"]["min"]) == ("number", table["age"].min())
    assert columns["age"]["missing_share"] == pytest.approx(table["age"].isna().mean())
    assert set(columns["city"]["categories"]) == {"Oslo", "Bern", "Lima"}
    assert columns["city"]["categories"]["Oslo"] == pytest.approx((table["city"] == "Oslo").mean())
    assert columns["member"]["type"] == "boolean"
    assert columns["customerID"]["used"] is False


def test_the_skops_file_is_the_model(churn: tuple[Operation, Any]) -> None:
    io = pytest.importorskip("skops.io")
    operation, test = churn
    facts = read(operation, "exports.json")["skops"]
    model = io.load(operation.files.artifacts / facts["file"], trusted=facts["trusted"])
    import joblib

    ours = joblib.load(operation.files.artifacts / "model.joblib")
    assert model.predict_proba(test).tolist() == ours.predict_proba(test).tolist()
    assert model.predict(test).tolist() == ours.predict(test).tolist()


def test_a_format_whose_packages_are_absent_is_refused_with_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "is_installed", lambda module: module not in ("skl2onnx", "onnxmltools"))
    with pytest.raises(MissingDependency) as raised:
        config({"trainDataPath": "t.csv", "targetColumn": "y", "options": {"exports": ["onnx"]}})
    assert "skl2onnx, onnxmltools" in raised.value.message


@pytest.mark.slow  # starts two fit children
def test_what_there_is_no_time_for_and_what_is_lost_is_left_out_with_its_reason(
    churn: tuple[Operation, Any], home: Path
) -> None:
    run, child = make_run(home), FitChild(home=home, cpus=1, memory_gib=4)
    model = churn[0].files.artifacts / "model.joblib"
    arguments = {"model": model, "to": run.artifact("x"), "format": "skops"}
    try:
        late = Extras(run=run, child=child, deadline_s=time.monotonic() - 1)
        assert late.ask(f"{KEPT}:exported", arguments, what="late", needs_s=0.1, timeout_s=9) is None
        assert child.pid is not None
        extras = Extras(run=run, child=child)
        assert extras.ask("json:nothing", {}, what="lost", needs_s=0.1, timeout_s=60) is None
        pid = child.pid
        assert extras.ask(f"{KEPT}:exported", arguments, what="killed", needs_s=0.0, timeout_s=0.0) is None
        assert child.pid != pid
        extras.draw("roc_curve.png", "tutelage.services.tabular.report.plots.classes:draw_roc", {"about": "broken"})
    finally:
        child.close()
        run.close()
    assert late.skipped["late"].startswith("0.0 s were left")
    assert extras.skipped["lost"].startswith("fit_failed: AttributeError")
    assert extras.skipped["killed"].startswith("fit_deadline")
    assert extras.names == []
    assert list(run.artifact("x").parent.iterdir()) == []
