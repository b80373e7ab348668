"""Which parameters the trials' scores hang on: fANOVA over the complete trials. In the child, as it imports Optuna.

Functional ANOVA (Hutter, Hoos and Leyton-Brown 2014): a forest learns the score from the parameters; a parameter's
importance is the share of the forest's variance that it explains alone, scaled to sum 1. The seed fixes the forest.
Optuna's other one, PED-ANOVA, wants at least five trials in the best tenth, which is fifty.
"""

from __future__ import annotations

import warnings
from typing import Any

from tutelage.core.service import Direction

MIN_TRIALS = 10


def param_importance(
    loaded: Any, *, distributions: Any, points: list[tuple[dict[str, Any], float]], direction: Direction, seed: int
) -> dict[str, float]:
    """Return each parameter's share, most important first; `points` are the complete trials' (parameters, score)."""
    import optuna  # late: the child needs it for this alone

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction=direction, study_name="tabular")
    for params, value in points:
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(value) for name, value in found.items()}


def why_not(points: list[tuple[dict[str, Any], float]]) -> str | None:
    """Return why these trials give no importance, if they do not."""
    if len(points) < MIN_TRIALS:
        return f"{len(points)} complete trials, and {MIN_TRIALS} are needed"
    if len({value for _, value in points}) == 1:
        return "every complete trial has the same score"
    return None
