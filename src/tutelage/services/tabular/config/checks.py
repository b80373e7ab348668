"""Checks across the keys of a job document: what contradicts, what would be inert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutelage.core.errors import InvalidSpec, MissingDependency, unknown
from tutelage.services.tabular import catalog
from tutelage.services.tabular.models.algorithms import REGISTRY, with_space

if TYPE_CHECKING:
    from tutelage.services.tabular.config.document import TabularConfig


def check_metric(config: TabularConfig) -> None:
    """Refuse a metric of another task, and a direction that is not its own."""
    if config.metric is None:
        if config.direction is not None:
            raise InvalidSpec("'direction' is given without 'metric'", hint="the metric's own direction counts")
        return
    tasks = (config.task,) if config.task else catalog.SUPERVISED
    names = [item.name for task in tasks for item in catalog.SCORES[task]]
    if config.metric not in names:
        raise unknown(f"metric for {' or '.join(tasks)}", config.metric, names)
    own = catalog.direction_of(config.metric)
    if config.direction not in (None, own):
        raise InvalidSpec(f"{config.metric} is to {own}, got {config.direction!r}", hint="leave 'direction' out")


def check_columns(config: TabularConfig) -> None:
    """Refuse a strategy without its column, a column without its strategy, and scores that loo does not have."""
    strategy = config.validation_strategy.type
    columns = (("group", "groupColumn", config.group_column), ("timeseries", "timeColumn", config.time_column))
    for needing, key, column in columns:
        if strategy == needing and column is None:
            raise InvalidSpec(f"the validation strategy {needing} needs {key!r}", hint=f"name the column in {key}")
        if column is not None and strategy not in (None, needing):
            raise InvalidSpec(
                f"{key!r} has no meaning for the validation strategy {strategy}", hint=f"leave it out, or use {needing}"
            )
        if column is not None and column == config.target:
            raise InvalidSpec(f"{key!r} names the target {column!r}", hint="name another column")
    if config.group_column and config.time_column:
        raise InvalidSpec("both 'groupColumn' and 'timeColumn' are given", hint="keep one of them")
    if strategy == "loo" and config.metric not in (None, *catalog.LOO_METRICS):
        raise InvalidSpec(
            f"{config.metric} is not defined for the single row of a loo fold",
            hint=f"use one of {', '.join(catalog.LOO_METRICS)}",
        )


def check_space(config: TabularConfig) -> None:
    """Refuse ranges without an algorithm that has them."""
    search = config.hyperparameter_search
    if not search.space:
        return
    if config.algorithm == catalog.AUTO:
        raise InvalidSpec("'hyperparameterSearch.space' needs an algorithm", hint="name it instead of auto")
    if not search.enabled:
        raise InvalidSpec("'hyperparameterSearch.space' has no meaning: the search is disabled", hint="leave it out")
    with_space(REGISTRY[config.algorithm], search.space)


def check_threshold(config: TabularConfig) -> None:
    """Refuse a threshold without two classes, and costs without a threshold for them."""
    if config.threshold_for and config.model_type == catalog.REGRESSION:
        raise InvalidSpec("a threshold needs two classes, and this is a regression", hint="leave optimizeFor out")
    if config.optimize_for == "cost" and config.business_context is None:
        hint = '{"businessContext": {"falsePositiveCost": 1, "falseNegativeCost": 10}}'
        raise InvalidSpec("optimizeFor cost needs 'businessContext'", hint=hint)
    if config.business_context and config.threshold_for != "cost":
        raise InvalidSpec(
            f"'businessContext' has no meaning with optimizeFor {config.optimize_for}", hint="use cost, or leave it out"
        )


def check_weights(config: TabularConfig) -> None:
    """Refuse class weights where there are no classes or no learner for them."""
    if config.class_weight is None:
        return
    if config.model_type == catalog.REGRESSION:
        raise InvalidSpec("'classWeight' needs classes, and this is a regression", hint="leave it out")
    if config.algorithm != catalog.AUTO and not catalog.ALGORITHMS[config.algorithm].takes_weights:
        taking = ", ".join(name for name, entry in catalog.ALGORITHMS.items() if entry.takes_weights)
        raise InvalidSpec(f"{config.algorithm} takes no class weights", hint=f"leave them out, or use one of {taking}")


def check_algorithm(config: TabularConfig) -> None:
    """Refuse an algorithm that does not do the task or is not installed."""
    if config.algorithm == catalog.AUTO:
        return
    entry = catalog.ALGORITHMS[config.algorithm]
    if config.model_type and config.model_type not in entry.tasks:
        fitting = catalog.algorithms_for(config.model_type)
        raise InvalidSpec(
            f"{config.algorithm} does not do {config.model_type}", hint=f"allowed: auto, {', '.join(fitting)}"
        )
    if not entry.is_installed:
        raise MissingDependency(
            f"{config.algorithm} needs the package {entry.package}, which is not installed",
            hint=f"pip install {entry.package}",
        )
    if config.options.early_stopping_rounds and not entry.has_rounds:
        with_rounds = ", ".join(name for name, other in catalog.ALGORITHMS.items() if other.has_rounds)
        raise InvalidSpec(
            f"'options.earlyStoppingRounds' has no meaning for {config.algorithm}: it has no rounds",
            hint=f"leave it out, or choose one of {with_rounds}",
        )
