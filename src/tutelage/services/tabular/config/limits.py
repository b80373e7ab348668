"""Checks of the limits of a job: seconds, memory, and what a bit-identical rerun cannot have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutelage.core.errors import InvalidSpec

if TYPE_CHECKING:
    from tutelage.services.tabular.config.document import TabularConfig

TIME_BOUND_TRIALS = 100_000
"""The trials of a search that its time limit ends."""


def check_limits(config: TabularConfig) -> None:
    """Refuse seconds in a deterministic job: how far a fit gets in them differs from run to run."""
    if not config.deterministic:
        return
    in_seconds = (
        ("timeLimit", config.time_limit is not None),
        ("hyperparameterSearch.timeout", config.hyperparameter_search.timeout is not None),
        ("options.fitTimeout", "fit_timeout" in config.options.model_fields_set),
    )
    for key, is_given in in_seconds:
        if is_given:
            raise InvalidSpec(
                f"'{key}' counts seconds, and 'deterministic' promises a bit-identical rerun",
                hint="bound it by hyperparameterSearch.nTrials (and earlyStoppingRounds, folds) instead, or leave "
                "'deterministic' out",
            )


def num_trials(config: TabularConfig) -> int:
    """Return the number of trials: the one asked for, or as many as the time limit has room for."""
    search = config.hyperparameter_search
    is_time_bound = config.time_limit is not None and "n_trials" not in search.model_fields_set
    return TIME_BOUND_TRIALS if is_time_bound else search.n_trials
