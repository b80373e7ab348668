from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from tabular_support import config, make_table

from tutelage.core.errors import TutelageError
from tutelage.core.service import scope_kind
from tutelage.services.tabular import SERVICE, catalog
from tutelage.services.tabular.catalog import GLOSSARY
from tutelage.services.tabular.config import Range, Search
from tutelage.services.tabular.data.types import ColumnReader, infer_columns
from tutelage.services.tabular.failure import failure_document
from tutelage.services.tabular.fitting.messages import Divide, HoldOut
from tutelage.services.tabular.fitting.scores import score
from tutelage.services.tabular.fitting.validation import divide, hold_out
from tutelage.services.tabular.models.algorithms import REGISTRY, with_space
from tutelage.services.tabular.models.factories import FACTORIES
from tutelage.services.tabular.models.learners import Matrices, learn
from tutelage.services.tabular.models.pipeline import encoded_sources, encoder
from tutelage.services.tabular.report.evaluation import confusion_counts
from tutelage.services.tabular.report.plots.confusion import draw_confusion
from tutelage.services.tabular.search import state
from tutelage.services.tabular.search.study import Study

LIGHTGBM = REGISTRY["lightgbm"]


def reader_of(frame: Any) -> ColumnReader:
    return ColumnReader(infer_columns(frame, names=[name for name in frame.columns if name != "y"], asked=False))


def finished(number: int, params: dict[str, Any], values: list[float], how: str) -> state.Trial:
    folds = [{"roc_auc": value} for value in values]
    value = float(np.mean(values)) if how == state.COMPLETE else None
    return state.Trial(number=number, params=params, folds=folds, state=how, value=value)


def test_the_error_of_a_mean_over_folds_counts_the_rows_they_share() -> None:
    trial = finished(0, {}, [0.8, 0.9, 1.0], state.COMPLETE)
    splits = [(np.arange(200), np.arange(100))] * 3
    assert trial.error("roc_auc", splits) == pytest.approx((0.01 * (1 / 3 + 1 / 2)) ** 0.5)
    assert finished(0, {}, [0.8], state.COMPLETE).error("roc_auc", splits[:1]) is None


def play(study: Study, trials: list[state.Trial], count: int) -> list[state.Trial]:
    """Go on from `trials` with made-up scores that depend on the parameters alone."""
    played = list(trials)
    for number in range(len(trials), count):
        params = study.ask(number)
        values: list[float] = []
        how = state.COMPLETE
        for fold in range(5):
            values.append(0.9 - abs(params["learning_rate"] - 0.05) - 0.001 * fold - 0.0001 * (fold * number % 7))
            if study.should_prune(fold, finished(number, params, values, how)) and fold < 4:
                how = state.PRUNED
                break
        played.append(finished(number, params, values, how))
        study.tell(played[-1])
    return played


def new_study(sampler: str, trials: list[state.Trial], pruner: str = "median") -> Study:
    search = Search.model_validate({"sampler": sampler, "pruner": pruner})
    return Study(LIGHTGBM, search, seed=3, objectives=["roc_auc"], directions=["maximize"], finished=trials)


SAMPLERS = [name for name in catalog.SAMPLERS if name != "gp"]
CASES = [(name, "median") for name in SAMPLERS] + [("tpe", name) for name in catalog.PRUNERS if name != "median"]


@pytest.mark.parametrize(("sampler", "pruner"), [*CASES, ("cmaes", "hyperband")])
@pytest.mark.parametrize("cut", [1, 9, 31])
def test_a_study_rebuilt_from_finished_trials_proposes_the_same(sampler: str, pruner: str, cut: int) -> None:
    whole = play(new_study(sampler, [], pruner), [], 40)
    rebuilt = new_study(sampler, whole[:cut], pruner)
    interrupted = rebuilt.ask(cut)
    assert interrupted == whole[cut].params
    rebuilt = new_study(sampler, whole[:cut], pruner)
    assert rebuilt.ask(cut, again=interrupted) == interrupted
    again = play(new_study(sampler, whole[:cut], pruner), whole[:cut], 40)
    assert again == whole
    assert any(trial.state == state.PRUNED for trial in whole) is (pruner != "none")
    assert len({str(trial.params) for trial in whole}) > 30


def test_cmaes_comes_closer_to_the_best_learning_rate() -> None:
    rates = [abs(trial.params["learning_rate"] - 0.05) for trial in play(new_study("cmaes", []), [], 120)]
    assert np.mean(rates[-30:]) < np.mean(rates[1:31])


def test_a_grid_ends_when_its_points_are_tried() -> None:
    entry = with_space(REGISTRY["ridge"], {"alpha": Range(low=0.1, high=10)})
    search = Search.model_validate({"sampler": "grid"})
    study = Study(entry, search, seed=3, objectives=["rmse"], directions=["minimize"], finished=[])
    assert sorted(study.ask(number)["alpha"] for number in range(1)) == [1.0]
    assert [study.is_exhausted(number) for number in (0, 3, 4)] == [False, False, True]


@pytest.mark.parametrize(
    ("space", "default", "holds"),
    [
        ({"learning_rate": {"low": 0.2, "high": 0.5}}, ("learning_rate", 0.2), [0.2, 0.5]),
        ({"n_estimators": {"choices": [7, 9]}}, ("n_estimators", 7), [7, 9]),
        ({"num_leaves": {"low": 40, "high": 50, "log": False}}, ("num_leaves", 40), [40, 45, 50]),
    ],
)
def test_a_space_in_the_spec_replaces_the_algorithm_s_own(space: Any, default: Any, holds: list[Any]) -> None:
    search = Search.model_validate({"space": space})
    entry = with_space(LIGHTGBM, search.space)
    (name,) = space
    assert (name, entry.defaults[name]) == default
    study = Study(entry, search, seed=3, objectives=["roc_auc"], directions=["maximize"], finished=[])
    values = [study.ask(number)[name] for number in range(5)]
    assert all(min(holds) <= value <= max(holds) for value in values)


def test_the_first_trial_is_the_defaults() -> None:
    assert new_study("tpe", []).ask(0) == LIGHTGBM.defaults


def test_a_state_reads_back_as_it_was_and_links_what_cannot_change(tmp_path: Path) -> None:
    trials = [finished(number, {"C": 0.1 * number}, [0.7, 0.8], state.COMPLETE) for number in range(230)]
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir(), second.mkdir()
    kept = state.State(fingerprint="f", trials=trials, best_number=3, num_fits=460, tuned={"n_trials": 9})
    kept.predictions[3] = [np.array([0.25, 0.5]), np.array([0.75])]
    kept.current = state.Trial(number=230, params={"C": 2.0})
    state.saver(kept, None)(first)
    state.saver(kept, first)(second)
    read = state.load(second)
    assert [values.tolist() for values in read.predictions[3]] == [[0.25, 0.5], [0.75]]
    read.predictions = kept.predictions
    assert read == kept
    same = {path.name for path in second.iterdir() if path.samefile(first / path.name)}
    assert same == {"trials-000000.json", "trials-000100.json", "oof-000003-0000.npy", "oof-000003-0001.npy"}


@pytest.mark.parametrize("encoding", ["native", "ordinal", "one_hot"])
def test_encoders_learn_from_training_rows_alone_and_take_anything_else(encoding: Any) -> None:
    frame = make_table(80)
    reader = reader_of(frame)
    typed = reader.transform(frame)
    train = typed.iloc[:40]
    fitted = encoder(reader, encoding).fit(train)
    before = fitted.transform(train)
    odd = frame.iloc[40:].assign(city="Atlantis", age=None, spend="1e9")
    strange = fitted.transform(reader.transform(odd))
    np.testing.assert_array_equal(fitted.transform(train), before)
    assert len(encoded_sources(fitted, reader)) == before.shape[1] == strange.shape[1]
    if encoding != "native":
        assert np.isfinite(strange).all()


def test_an_all_missing_training_fold_is_tolerated() -> None:
    frame = make_table(60).assign(late=[np.nan] * 40 + [1.0, 2.0] * 10)
    reader = reader_of(frame)
    typed = reader.transform(frame)
    for name in ("ordinal", "one_hot"):
        assert np.isfinite(encoder(reader, name).fit(typed.iloc[:40]).transform(typed)).all()


def test_a_forest_grown_by_rounds_is_the_forest_grown_at_once() -> None:
    rng = np.random.default_rng(0)
    rows, target = rng.random((150, 4)), rng.integers(0, 2, 150)
    params = {"n_estimators": 35, "max_depth": 4, "min_samples_leaf": 1, "max_features": 0.5}
    grown = FACTORIES["random_forest"]("classification", params, 7, 1)
    data = Matrices(
        task="classification",
        train=rows[:100],
        target=target[:100],
        validation=rows[100:],
        validation_target=target[100:],
        classes=np.array([0, 1]),
    )
    curve: list[float] = []
    counts = learn(
        "random_forest",
        grown,
        data,
        early_stopping=None,
        report=lambda step, values: curve.append(values["val_logloss"]),
    )
    at_once = RandomForestClassifier(random_state=7, **params).fit(rows[:100], target[:100])
    np.testing.assert_array_equal(grown.predict_proba(rows), at_once.predict_proba(rows))
    assert (counts.trained, len(curve)) == (4, 4)
    said = at_once.predict_proba(rows[100:])
    assert curve[-1] == pytest.approx(score("classification", target[100:], said, data.classes)["log_loss"])


def test_scores_agree_with_scikit_learn_and_closed_forms() -> None:
    truth, classes = np.array(["a", "b", "b", "a"]), np.array(["a", "b"])
    said = np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.8, 0.2]])
    found = score("classification", truth, said, classes)
    assert found["accuracy"] == 0.75
    assert found["recall"] == 0.5
    assert found["precision"] == 1.0
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.6, 0.4, 0.8]).mean())
    assert found["roc_auc"] == roc_auc_score(truth == "b", said[:, 1])
    numbers = score("regression", np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 5.0]), None)
    assert numbers == pytest.approx({"rmse": np.sqrt(4 / 3), "mae": 2 / 3, "r2": -1.0})


def test_held_out_rows_keep_the_shares_of_the_classes() -> None:
    labels = np.array([0] * 80 + [1] * 20)
    kept, held = hold_out(HoldOut(labels=labels, share=0.25, seed=1, stratify=True))
    assert sorted([*kept, *held]) == list(range(100))
    assert labels[held].sum() == 5


@pytest.mark.parametrize(
    ("target", "strategy", "shuffle"),
    [
        (np.array([0, 1, 0, 1]), "stratified_kfold", True),
        (np.array([0] * 30 + [1] * 3), "stratified_kfold", True),
        (np.array([0] * 20 + [1] * 20), "kfold", False),
    ],
)
def test_too_few_rows_say_what_is_needed(target: Any, strategy: str, shuffle: bool) -> None:
    with pytest.raises(TutelageError) as raised:
        divide(Divide(strategy=strategy, folds=5, shuffle=shuffle, seed=0), target, has_classes=True)
    assert raised.value.code == "too_few_rows"
    assert raised.value.hint


def test_a_confusion_matrix_is_counted_and_drawn(tmp_path: Path) -> None:
    truth, said = np.array(["a", "a", "b"]), np.array(["a", "b", "b"])
    counts = confusion_counts(truth, said, ["a", "b"])
    assert counts.tolist() == [[1, 1], [0, 1]]
    for count in (2, 12, 40):
        path = tmp_path / f"{count}.png"
        counts = np.eye(count, dtype=int) * 7
        draw_confusion(path, {"about": "t", "classes": [f"class {index}" for index in range(count)], "counts": counts})
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_failure_document_has_the_contract_s_shape(tmp_path: Path) -> None:
    document = failure_document({"code": "one_class", "message": "m", "hint": "h"}, tmp_path)
    assert document == {
        "success": False,
        "error": {"code": "one_class", "message": "m", "hint": "h"},
        "suggestions": ["h"],
        "partial": {"bestParams": None, "nTrials": 0, "artifacts": []},
        "experiment": {"status": "disabled"},
        "unrecognized": [],
    }


def test_every_scope_names_its_step_and_every_pair_exists() -> None:
    names = {metric.name for metric in GLOSSARY}
    assert len(names) == len(GLOSSARY)
    assert {metric.pairs for metric in GLOSSARY if metric.pairs} <= names
    units = {scope: SERVICE.unit_of(scope) for scope in ("", "trial=3", "trial=3/fold=1", "final", "refit")}
    assert list(units.values()) == ["trial", "fold", "round", "round", "round"]
    assert {scope_kind(scope) for scope in units if scope} == set(SERVICE.scopes)


def test_a_set_of_scikit_learn_needs_no_target() -> None:
    assert config({"trainDataPath": "sklearn:iris"}).target == "target"
