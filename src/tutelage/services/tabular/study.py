"""The sampler and pruner of a search: an Optuna study in memory, rebuilt from the finished trials after a kill."""

from __future__ import annotations

from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from tutelage.core.service import Direction
from tutelage.services.tabular.algorithms import Algorithm, Choice, Dimension
from tutelage.services.tabular.config import Search
from tutelage.services.tabular.plan import seed_of
from tutelage.services.tabular.state import COMPLETE, FAILED, PRUNED, Trial

STATES = {COMPLETE: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}


class Study:
    """Proposes parameters. The same finished trials and seed propose the same, however often the worker died."""

    def __init__(
        self,
        entry: Algorithm,
        search: Search,
        *,
        seed: int,
        objective: str,
        direction: Direction,
        finished: list[Trial],
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._entry, self._search, self._seed, self._objective = entry, search, seed, objective
        pruner = optuna.pruners.MedianPruner() if search.pruner == "median" else optuna.pruners.NopPruner()
        self._study = optuna.create_study(direction=direction, pruner=pruner)
        self._asked: optuna.Trial | None = None
        for trial in finished:
            self._study.add_trial(self._frozen(trial))

    def ask(self, number: int, *, again: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the parameters of a trial: the defaults for the first, those given for an interrupted one."""
        fixed = again if again is not None else dict(self._entry.defaults) if number == 0 else None
        if fixed is not None:
            self._study.enqueue_trial(fixed)
        self._study.sampler = self._sampler(seed_of(self._seed, "sampler", number))
        self._asked = self._study.ask()
        assert self._asked.number == number, "trials are numbered as they were"
        return self._entry.suggest(self._asked)

    def should_prune(self, fold: int, mean: float) -> bool:
        """Report the running mean after a fold and tell whether the trial should end."""
        assert self._asked is not None
        self._asked.report(mean, fold)
        return self._asked.should_prune()

    def tell(self, trial: Trial) -> None:
        """Record how the asked trial ended."""
        assert self._asked is not None
        state = STATES[trial.state]
        self._study.tell(self._asked, trial.value if state is TrialState.COMPLETE else None, state=state)
        self._asked = None

    def _sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        if self._search.sampler == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        return optuna.samplers.TPESampler(seed=seed)

    def _frozen(self, trial: Trial) -> FrozenTrial:
        means = trial.means(self._objective)
        value = trial.value if trial.state == COMPLETE else means[-1] if trial.state == PRUNED else None
        return create_trial(
            state=STATES[trial.state],
            value=value,
            params=trial.params,
            distributions={name: _distribution(item) for name, item in self._entry.space.items()},
            intermediate_values=dict(enumerate(means)),
        )


def _distribution(dimension: Dimension | Choice) -> BaseDistribution:
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log, step=dimension.step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
