"""From a config and its sources to everything the search needs: typed rows in the fit child, splits, the objective."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.core.errors import InvalidSpec, nearest, unknown
from tutelage.core.ports import Run
from tutelage.services.tabular import catalog
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.data.sources import read_table
from tutelage.services.tabular.data.target import Target, read_target, read_test_target, target_column
from tutelage.services.tabular.data.types import (
    CATEGORICAL,
    DATETIME,
    MISSING,
    USED,
    Column,
    ColumnReader,
    as_text,
    as_times,
    infer_columns,
    infinite_cells,
)
from tutelage.services.tabular.errors import FIT_ERRORS, FIT_HINTS, FeatureMissing, NoFeatures
from tutelage.services.tabular.fitting import messages
from tutelage.services.tabular.fitting.fits import FitChild
from tutelage.services.tabular.models.algorithms import REGISTRY, Algorithm, with_space

TEST_SHARE = 0.2
STATEFUL = ("cmaes", "qmc", "grid")
"""Samplers whose trials are a sequence of its own: a branch with another one starts afresh."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is trained on what. Row numbers count the rows of the source that have a target."""

    task: str
    algorithm: str
    objective: str
    classes: list[Any]
    reader: ColumnReader
    columns: list[Column]
    tables: Mapping[str, Mapping[str, Any]]
    train_rows: messages.Rows
    test_rows: messages.Rows
    target: Any
    test_target: Any
    strategy: str
    divided: messages.Divided
    fingerprint: str

    @property
    def ignored(self) -> dict[str, str]:
        """Columns that are not learned from, and why."""
        return {item.name: f"{item.kind}: {item.note}" for item in self.columns if item.kind not in USED}

    @property
    def baseline(self) -> float:
        """The trivial model's mean objective over the folds."""
        return float(np.mean([scores[self.objective] for scores in self.divided.trivial]))


def entry_of(config: TabularConfig, algorithm: str) -> Algorithm:
    """Return an algorithm's entry: in the ranges that the config asks for, where it asks for this algorithm."""
    asked = config.hyperparameter_search.space if config.algorithm == algorithm else {}
    return with_space(REGISTRY[algorithm], asked)


def seed_of(*parts: object) -> int:
    """Return a seed that depends on all parts and nothing else, below 2**31."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big") % 2**31


@dataclass(frozen=True, kw_only=True)
class _Split:
    """Training and test rows, and where they come from."""

    frame: Any
    values: Any
    rows: messages.Rows
    test_frame: Any
    test_values: Any
    test_rows: messages.Rows
    target: Target
    tables: dict[str, Mapping[str, Any]]


def make_plan(config: TabularConfig, run: Run, child: FitChild) -> Plan:
    """Read, check and divide the data, and hand the typed rows to the child."""
    split = _read_and_split(config, run, child)
    task = split.target.task
    strategy = _check_task(config, split.target)
    times, groups = split_columns(config, split.frame)
    columns = infer_columns(split.frame, names=_feature_names(config, split.frame), asked=config.features is not None)
    reader = ColumnReader(columns)
    _check_features(reader, columns, split.test_frame)
    _tell_columns(config, run, split.frame, columns)
    load = messages.Load(
        task=task,
        reader=reader,
        frame=reader.transform(split.frame),
        target=split.values,
        test_frame=reader.transform(split.test_frame),
        test_target=split.test_values,
        threads=run.cpus,
        class_weight=_class_weight(config, split.target),
    )
    answered(child.ask(load))
    folds = config.validation_strategy
    request = messages.Divide(
        strategy=strategy,
        folds=folds.num_folds,
        shuffle=folds.shuffle is not False,
        seed=run.seed,
        repeats=folds.repeats or catalog.DEFAULT_REPEATS,
        groups=groups,
        times=times,
    )
    algorithm = _algorithm(config, run, len(split.frame))
    objective = config.metric or catalog.default_metric(task, len(split.target.classes), strategy=strategy)
    return Plan(
        task=task,
        algorithm=algorithm,
        objective=objective,
        classes=split.target.classes,
        reader=reader,
        columns=columns,
        tables=split.tables,
        train_rows=split.rows,
        test_rows=split.test_rows,
        target=split.values,
        test_target=split.test_values,
        strategy=strategy,
        divided=answered(child.ask(request)),
        fingerprint=_fingerprint(config, run.seed, split.tables, algorithm, objective, strategy),
    )


def _read_and_split(config: TabularConfig, run: Run, child: FitChild) -> _Split:
    """Read the sources; the test is a table of its own, or held out before anything is learned from the rows."""
    table = read_table(config.train_data_path)
    target = read_target(target_column(table.frame, config.target), model_type=config.model_type)
    _check_task(config, target)
    _tell_dropped(run, target, "training")
    frame = table.frame[target.kept].reset_index(drop=True)
    tables: dict[str, Mapping[str, Any]] = {"train": table.record}
    if config.test_data_path is None:
        rows, test_rows = _hold_out(config, run, child, target, frame)
        test_frame, test_values = frame.iloc[test_rows].reset_index(drop=True), target.values[test_rows]
        frame, values = frame.iloc[rows].reset_index(drop=True), target.values[rows]
    else:
        test_table = read_table(config.test_data_path)
        tables["test"] = test_table.record
        test_target = read_test_target(target_column(test_table.frame, config.target), target)
        _tell_dropped(run, test_target, "test")
        test_frame = test_table.frame[test_target.kept].reset_index(drop=True)
        values, test_values = target.values, test_target.values
        rows, test_rows = np.arange(len(frame)), np.arange(len(test_frame))
    return _Split(
        frame=frame,
        values=values,
        rows=rows,
        test_frame=test_frame,
        test_values=test_values,
        test_rows=test_rows,
        target=target,
        tables=tables,
    )


def answered(answer: Any) -> Any:
    """Return an answer of the child. Raises the operation's error when the child was lost."""
    if isinstance(answer, messages.Lost):
        raise FIT_ERRORS[answer.reason](answer.detail, hint=FIT_HINTS[answer.reason])
    return answer


def _check_task(config: TabularConfig, target: Target) -> str:
    """Return the validation strategy once the task is known; refuse what does not fit the task."""
    strategy = config.validation_strategy.type
    if target.task == catalog.REGRESSION and strategy == "stratified_kfold":
        raise InvalidSpec(f"stratified_kfold needs classes; {target.name!r} holds numbers", hint="use kfold")
    names = [item.name for item in catalog.SCORES[target.task]]
    if config.metric is not None and config.metric not in names:
        raise unknown(f"metric for {target.task}", config.metric, names)
    if config.algorithm != catalog.AUTO and target.task not in catalog.ALGORITHMS[config.algorithm].tasks:
        raise InvalidSpec(
            f"{config.algorithm} does not do {target.task}, and {target.name!r} asks for it",
            hint=f"allowed: auto, {', '.join(catalog.algorithms_for(target.task))}",
        )
    if config.class_weight is not None and target.task == catalog.REGRESSION:
        raise InvalidSpec(f"'classWeight' needs classes; {target.name!r} holds numbers", hint="leave it out")
    if config.threshold_for and len(target.classes) != 2:
        what = f"{len(target.classes)} classes" if target.classes else "numbers"
        raise InvalidSpec(f"a threshold needs two classes; {target.name!r} has {what}", hint="leave optimizeFor out")
    return config.strategy_for(target.task)


def _class_weight(config: TabularConfig, target: Target) -> Any:
    """Return `balanced`, or weights in the order of the classes. Raises UnknownName for a class that is not there."""
    asked = config.class_weight
    if not isinstance(asked, dict):
        return asked
    names = [str(name) for name in target.classes]
    for name in asked:
        if name not in names:
            raise unknown("class in classWeight", name, names)
    return [asked.get(name, 1.0) for name in names]


def split_columns(config: TabularConfig, frame: Any) -> tuple[Any, Any]:
    """Return (times, groups) that the splits go by, each None where no column is named for it."""
    named = [name for name in (config.time_column, config.group_column) if name]
    for name in named:
        if name not in frame.columns:
            raise missing_column(name, frame)
    times = as_times(frame[config.time_column]) if config.time_column else None
    groups = as_text(frame[config.group_column]).fillna(MISSING).to_numpy() if config.group_column else None
    return times, None if groups is None else np.unique(groups.astype(str), return_inverse=True)[1]


def _hold_out(config: TabularConfig, run: Run, child: FitChild, target: Target, frame: Any) -> tuple[Any, Any]:
    times, groups = split_columns(config, frame)
    request = messages.HoldOut(
        labels=target.values,
        share=config.test_size or TEST_SHARE,
        seed=run.seed,
        stratify=target.task == catalog.CLASSIFICATION,
        groups=groups,
        times=times,
    )
    kept, held = answered(child.ask(request))
    return kept, held


def _feature_names(config: TabularConfig, frame: Any) -> list[str]:
    if config.features is None:
        return [name for name in frame.columns if name not in (config.target, config.group_column)]
    for name in config.features:
        if name not in frame.columns:
            raise missing_column(name, frame)
    return list(dict.fromkeys(config.features))


def missing_column(name: str, frame: Any) -> FeatureMissing:
    """Build the error for a column that is not there, with the nearest name."""
    close = nearest(name, frame.columns)
    question = f" Did you mean {close!r}?" if close else ""
    columns = ", ".join(map(str, list(frame.columns)[:30]))
    return FeatureMissing(f"there is no column {name!r}.{question}", hint=f"columns: {columns}")


def _check_features(reader: ColumnReader, columns: list[Column], test_frame: Any) -> None:
    if not reader.columns:
        kinds = ", ".join(f"{item.name} ({item.kind})" for item in columns[:10]) or "none besides the target"
        raise NoFeatures(f"no column is left to learn from; columns: {kinds}", hint="name others in 'features'")
    missing = [name for name in reader.names if name not in test_frame.columns]
    if missing:
        raise FeatureMissing(
            f"the test data lack {len(missing)} columns of the training data: {', '.join(missing[:8])}",
            hint="give the test the same columns, or leave them out by 'features'",
        )


def _tell_dropped(run: Run, target: Target, which: str) -> None:
    dropped = len(target.kept) - int(target.kept.sum())
    if dropped:
        run.log(f"{dropped} {which} rows without a target were left out", level="warning")


def _tell_columns(config: TabularConfig, run: Run, frame: Any, columns: list[Column]) -> None:
    for column in columns:
        if column.kind not in USED:
            run.log(f"column {column.name!r} is not learned from: {column.kind}, {column.note}", level="warning")
        elif column.kind == DATETIME:
            run.log(f"column {column.name!r} is read as days, month, weekday and hour", level="warning")
        elif column.note and column.kind != CATEGORICAL:
            run.log(f"column {column.name!r}: {column.note}")
    if config.group_column and config.features is None:
        run.log(f"column {config.group_column!r} divides the rows and is not learned from")
    for name, count in infinite_cells(frame, columns).items():
        run.log(f"column {name!r}: {count} infinite cells count as missing", level="warning")
    twice = int(frame.duplicated().sum())
    if twice:
        run.log(f"{twice} of {len(frame)} training rows repeat another row", level="warning")


def _algorithm(config: TabularConfig, run: Run, num_rows: int) -> str:
    if config.algorithm != catalog.AUTO:
        return config.algorithm
    chosen = catalog.choose_algorithm(num_rows)
    run.log(f"algorithm auto: {chosen} for {num_rows} training rows")
    return chosen


def _fingerprint(config: TabularConfig, seed: int, tables: Mapping[str, Any], *chosen: str) -> str:
    """Name what makes trials comparable; a checkpoint with another fingerprint is not gone on from."""
    search = config.hyperparameter_search
    fixed = {
        "tables": {name: record["sha256"] for name, record in tables.items()},
        "chosen": chosen,
        "seed": seed,
        "target": config.target,
        "features": config.features,
        "test_size": config.test_size,
        "validation": config.validation_strategy.model_dump(),
        "split_by": [config.group_column, config.time_column],
        "search": [search.sampler, search.pruner] if search.sampler in STATEFUL else None,
        "space": {name: item.model_dump() for name, item in search.space.items()},
        "class_weight": config.class_weight,
        "early_stopping": config.options.early_stopping_rounds,
    }
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16]
