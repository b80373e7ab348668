"""From a config and its sources to everything the search needs: typed rows in the fit child, splits, the objective."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from tutelage.core.errors import InvalidSpec, nearest, unknown
from tutelage.core.ports import Run
from tutelage.services.tabular import catalog
from tutelage.services.tabular.config import TabularConfig
from tutelage.services.tabular.data.profile import profile
from tutelage.services.tabular.data.quality import DataQuality, look
from tutelage.services.tabular.data.sources import Table, read_table
from tutelage.services.tabular.data.target import Target, read_labels, read_target, read_test_target, target_column
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
from tutelage.services.tabular.selection import EVIDENCE, RULES, select

TEST_SHARE = 0.2
SAMPLE_ROWS = 200
STATEFUL = ("cmaes", "qmc", "grid", "nsgaii")
"""Samplers whose trials are a sequence of its own: a branch with another one starts afresh."""

LINEAR_PROBES = ("ridge", "gradient_boosting")
LINEAR_WITHIN = 1.02
"""By rules, a regression is linear where ridge's error is at most this many times gradient boosting's."""

PROBED_ROWS = 5_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is trained on what. Row numbers count the rows of the source that have a target."""

    task: str
    algorithm: str
    objective: str
    objectives: tuple[str, ...]
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
    profile: dict[str, dict[str, Any]]
    """Facts of the columns learned from, on the training rows."""

    sample: Any
    """A few raw test rows, of the columns learned from: for the example, and to time the model with."""
    test_frame: Any
    """The test rows as they were read, for the evaluation."""
    quality: DataQuality

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
    task, strategy = split.target.task, _check_task(config, split.target)
    columns = _columns(config, split)
    reader = ColumnReader(columns)
    _check_features(reader, columns, split.test_frame)
    quality = _tell_data(config, run, split, columns)
    typed = reader.transform(split.frame)
    load = messages.Load(
        task=task,
        reader=reader,
        frame=typed,
        target=split.values,
        test_frame=reader.transform(split.test_frame),
        test_target=split.test_values,
        threads=run.cpus,
        class_weight=_class_weight(config, split.target),
        resample=_resample(config),
    )
    answered(child.ask(load))
    divided = _divide(config, run, child, strategy, split.frame)
    algorithm = _algorithm(config, run, child, task, divided)
    objectives = _objectives(config, split.target, strategy)
    return Plan(
        task=task,
        algorithm=algorithm,
        objective=objectives[0],
        objectives=objectives,
        classes=split.target.classes,
        reader=reader,
        columns=columns,
        tables=split.tables,
        train_rows=split.rows,
        test_rows=split.test_rows,
        target=split.values,
        test_target=split.test_values,
        strategy=strategy,
        divided=divided,
        fingerprint=_fingerprint(config, run.seed, split.tables, algorithm, *objectives, strategy),
        profile=profile(reader, typed),
        sample=split.test_frame[reader.names].head(SAMPLE_ROWS),
        test_frame=split.test_frame,
        quality=quality,
    )


def _divide(config: TabularConfig, run: Run, child: FitChild, strategy: str, frame: Any) -> messages.Divided:
    times, groups = split_columns(config, frame)
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
    divided: messages.Divided = answered(child.ask(request))
    return divided


def _read_and_split(config: TabularConfig, run: Run, child: FitChild) -> _Split:
    """Read the sources; the test is a table of its own, or held out before anything is learned from the rows."""
    table = _read(run, config.train_data_path)
    target = _target(config, table.frame)
    _check_task(config, target)
    _tell_dropped(run, target, "training")
    frame = table.frame[target.kept].reset_index(drop=True)
    tables: dict[str, Mapping[str, Any]] = {"train": table.record}
    if config.test_data_path is None:
        rows, test_rows = _hold_out(config, run, child, target, frame)
        test_frame, test_values = frame.iloc[test_rows].reset_index(drop=True), target.values[test_rows]
        frame, values = frame.iloc[rows].reset_index(drop=True), target.values[rows]
    else:
        test_table = _read(run, config.test_data_path)
        tables["test"] = test_table.record
        test_target = _test_target(config, test_table.frame, target)
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


def _read(run: Run, source: str) -> Table:
    table = read_table(source, memory_gib=run.memory_gib)
    for note in table.notes:
        run.log(note)
    return table


def _target(config: TabularConfig, frame: Any) -> Target:
    if config.task == catalog.CLUSTERING:
        return read_labels(frame, config.target)
    return read_target(target_column(frame, config.target), model_type=config.task)


def _test_target(config: TabularConfig, frame: Any, target: Target) -> Target:
    if config.task == catalog.CLUSTERING:
        return read_labels(frame, config.target if config.target in frame.columns else "")
    return read_test_target(target_column(frame, config.target), target)


def answered(answer: Any) -> Any:
    """Return an answer of the child. Raises the operation's error when the child was lost."""
    if isinstance(answer, messages.Lost):
        raise FIT_ERRORS[answer.reason](answer.detail, hint=FIT_HINTS[answer.reason])
    return answer


def _check_task(config: TabularConfig, target: Target) -> str:
    """Return the validation strategy once the task is known; refuse what does not fit the task."""
    if target.task == catalog.CLUSTERING:
        return config.strategy_for(target.task)  # known to be one when the document was read, and checked there
    strategy = config.validation_strategy.type
    if target.task == catalog.REGRESSION and strategy == "stratified_kfold":
        raise InvalidSpec(f"stratified_kfold needs classes; {target.name!r} holds numbers", hint="use kfold")
    names = [item.name for item in catalog.SCORES[target.task]]
    for name in (config.metric, *(config.metrics or ())):
        if name is not None and name not in (*names, *catalog.TIMED):
            raise unknown(f"metric for {target.task}", name, names)
    if config.algorithm != catalog.AUTO and target.task not in catalog.ALGORITHMS[config.algorithm].tasks:
        raise InvalidSpec(
            f"{config.algorithm} does not do {target.task}, and {target.name!r} asks for it",
            hint=f"allowed: auto, {', '.join(catalog.algorithms_for(target.task))}",
        )
    for key, is_given in (("resampling", config.resampling.type), ("calibration", config.calibration)):
        if is_given != "none" and target.task == catalog.REGRESSION:
            raise InvalidSpec(f"{key!r} needs classes; {target.name!r} holds numbers", hint="leave it out")
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


def _columns(config: TabularConfig, split: _Split) -> list[Column]:
    """Return what each column is, found on the training rows, and check the names that a job gives."""
    check_named(config.sensitive_features, split.frame, split.test_frame)
    names = _feature_names(config, split.frame)
    columns = infer_columns(split.frame, names=names, asked=config.features is not None)
    return as_categories(columns, config.categorical_features)


def _feature_names(config: TabularConfig, frame: Any) -> list[str]:
    if config.features is None:
        check_named(config.exclude_features, frame)
        left_out = {config.target, config.group_column, *config.exclude_features}
        return [name for name in frame.columns if name not in left_out]
    for name in config.features:
        if name not in frame.columns:
            raise missing_column(name, frame)
    return list(dict.fromkeys(config.features))


def as_categories(columns: list[Column], names: list[str]) -> list[Column]:
    """Return the columns with those of `names` as categories. Raises FeatureMissing for one that is not there."""
    known = [column.name for column in columns]
    for name in names:
        if name not in known:
            raise missing_column(name, pd.DataFrame(columns=known))
    note = "listed in categoricalFeatures"
    return [replace(column, kind=CATEGORICAL, note=note) if column.name in names else column for column in columns]


def check_named(names: list[str], *frames: Any) -> None:
    """Raise FeatureMissing for a name that one of the tables does not have."""
    for frame in frames:
        for name in names:
            if name not in frame.columns:
                raise missing_column(name, frame)


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


def _tell_data(config: TabularConfig, run: Run, split: _Split, columns: list[Column]) -> DataQuality:
    """Tell what was read, and name leak suspects, before anything is trained; return the quality."""
    _tell_columns(config, run, split.frame, columns)
    target = split.target
    values = None if target.task == catalog.CLUSTERING else split.values  # labels are not learned: nothing can leak
    quality = look(split.frame, columns, values=values, task=target.task, target_name=target.name)
    run.log(f"data quality {quality.score} of 100: {'; '.join(quality.reasons) or 'nothing to take off'}")
    for suspect in quality.suspects:
        said = f"{' + '.join(suspect.columns)}: {suspect.why} ({suspect.share:.1%} explained)"
        if suspect.is_hint:
            run.log(f"possible leak, by name only: {said}")
        else:
            run.log(f"leak suspect: {said}; leave it out by 'features' unless it is known beforehand", level="warning")
    return quality


def _resample(config: TabularConfig) -> messages.Resample | None:
    asked = config.resampling
    if asked.type == "none":
        return None
    return messages.Resample(kind=asked.type, ratio=asked.ratio, neighbours=asked.num_neighbours)


def _objectives(config: TabularConfig, target: Target, strategy: str) -> tuple[str, ...]:
    """Return what is searched on, the one that decides first."""
    if config.metrics:
        return tuple(config.metrics)
    return (config.metric or catalog.default_metric(target.task, len(target.classes), strategy=strategy),)


def _algorithm(config: TabularConfig, run: Run, child: FitChild, task: str, divided: messages.Divided) -> str:
    if config.algorithm != catalog.AUTO:
        return config.algorithm
    strategy, num_rows = config.strategy or EVIDENCE, len(divided.final[0]) + len(divided.final[1])
    is_linear = strategy == RULES and task == catalog.REGRESSION and _is_linear(config, run, child, divided)
    is_searched = config.hyperparameter_search.enabled
    chosen = select(task, num_rows, strategy=strategy, is_searched=is_searched, is_linear=is_linear)
    absent = f"; not installed: {', '.join(chosen.absent)}" if chosen.absent else ""
    run.log(f"algorithm auto: {chosen.name} ({chosen.why}{absent})")
    return chosen.name


def _is_linear(config: TabularConfig, run: Run, child: FitChild, divided: messages.Divided) -> bool:
    """Measure on the first fold whether ridge is as good as gradient boosting, both with defaults."""
    train, held = divided.folds[0]
    errors = []
    for name in LINEAR_PROBES:
        request = messages.Fit(
            algorithm=name,
            params=REGISTRY[name].defaults,
            seed=seed_of(run.seed, "probe", name),
            train=_thinned(train),
            validation=_thinned(held),
        )
        fitted = answered(child.ask(request, timeout_s=config.options.fit_timeout))
        errors.append(fitted.scores["rmse"])
    run.log(f"rmse on the first fold: ridge {errors[0]:.5g}, gradient boosting {errors[1]:.5g}")
    return bool(errors[0] <= LINEAR_WITHIN * errors[1])


def _thinned(rows: messages.Rows) -> messages.Rows:
    """Return at most so many rows, evenly apart."""
    return rows[:: -(-len(rows) // PROBED_ROWS)]


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
        "resampling": config.resampling.model_dump() if config.resampling.type != "none" else None,
        "early_stopping": config.options.early_stopping_rounds,
        "columns": [sorted(config.exclude_features), sorted(config.categorical_features)],
    }
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:16]
