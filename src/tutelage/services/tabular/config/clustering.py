"""What a clustering's document may not hold: keys that need a truth to learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutelage.core.errors import InvalidSpec
from tutelage.services.tabular import catalog

if TYPE_CHECKING:
    from tutelage.services.tabular.config.document import TabularConfig

STRATEGIES = tuple(name for name in catalog.STRATEGIES if name not in ("stratified_kfold", "loo"))


def check_clustering(config: TabularConfig) -> None:
    """Refuse, for a clustering, what needs a target: it may name one only to be compared with."""
    if config.task != catalog.CLUSTERING:
        return
    given = {
        "classWeight": config.class_weight is not None,
        "optimizeFor": config.optimize_for is not None,
        "businessContext": config.business_context is not None,
        "resampling": config.resampling.type != "none",
        "calibration": config.calibration != "none",
        "strategy": config.strategy is not None,
        "options.earlyStoppingRounds": config.options.early_stopping_rounds is not None,
    }
    for key, is_given in given.items():
        if is_given:
            raise InvalidSpec(f"{key!r} has no meaning for a clustering: it learns from no target", hint="leave it out")
    strategy = config.validation_strategy.type
    if strategy not in (None, *STRATEGIES):
        raise InvalidSpec(
            f"{strategy} has no meaning for a clustering: a fold's rows need no classes, and more than one",
            hint=f"use one of {', '.join(STRATEGIES)}",
        )
