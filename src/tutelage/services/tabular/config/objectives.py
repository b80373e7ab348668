"""Several objectives at once: which may be named together, and what the search must be for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.services.tabular import catalog

if TYPE_CHECKING:
    from tutelage.services.tabular.config.document import TabularConfig

SAMPLER = "nsgaii"


def check_objectives(config: TabularConfig) -> None:
    """Refuse objectives that are unknown or repeated, or a search that has no use for several."""
    names = config.metrics
    if names is None:
        return
    if config.metric is not None:
        raise InvalidSpec("both 'metric' and 'metrics' are given", hint="keep one of them")
    search = config.hyperparameter_search
    if search.sampler != SAMPLER or not search.enabled:
        got = search.sampler if search.enabled else "a disabled search"
        raise InvalidSpec(
            f"'metrics' needs the search with the sampler {SAMPLER}, got {got}",
            hint=f'{{"hyperparameterSearch": {{"sampler": "{SAMPLER}"}}}}, or a single metric',
        )
    if search.pruner not in (catalog.DEFAULT_PRUNER, "none"):
        raise InvalidSpec(
            f"the pruner {search.pruner} compares one objective, and 'metrics' names {len(names)}",
            hint="leave the pruner out",
        )
    if len(set(names)) < len(names):
        raise InvalidSpec(f"'metrics' names an objective twice: {', '.join(names)}", hint="name each once")
    if names[0] in catalog.TIMED:
        raise InvalidSpec(
            f"the first of 'metrics' is {names[0]}, a time; the model with the best first one is kept",
            hint="name a score first",
        )
    _check_names(config, names)


def _check_names(config: TabularConfig, names: list[str]) -> None:
    tasks = (config.task,) if config.task else catalog.SUPERVISED
    scores = [item.name for task in tasks for item in catalog.SCORES[task]]
    for name in names:
        if name not in (*scores, *catalog.TIMED):
            raise unknown(f"metric for {' or '.join(tasks)}", name, [*scores, *catalog.TIMED])
        if config.validation_strategy.type == "loo" and name not in (*catalog.LOO_METRICS, *catalog.TIMED):
            raise InvalidSpec(
                f"{name} is not defined for the single row of a loo fold",
                hint=f"use some of {', '.join((*catalog.LOO_METRICS, *catalog.TIMED))}",
            )
