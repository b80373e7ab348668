"""The sampler and pruner of a search: an Optuna study in memory, rebuilt from the finished trials after a kill."""

from __future__ import annotations

import itertools
import random
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from tutelage.core.service import Direction
from tutelage.services.tabular.catalog import DEFAULT_PRUNER
from tutelage.services.tabular.config import Search
from tutelage.services.tabular.models.algorithms import Algorithm, Choice, Dimension
from tutelage.services.tabular.plan import seed_of
from tutelage.services.tabular.search.state import COMPLETE, FAILED, PRUNED, Trial

STATES = {COMPLETE: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}
REPLAYED_SAMPLERS = ("cmaes", "qmc", "nsgaii")
"""They keep their state beside the trials: after a kill every trial is asked for again, and told what it had scored."""

REPLAYED_PRUNERS = ("successive_halving", "hyperband")
"""They keep their rungs beside the trials: after a kill every fold is reported again."""

POPULATION = 10
"""Trials of one generation of nsgaii; the library's 50 would make a search of 50 trials a random one."""

MAX_GRID = 100_000


class Study:
    """Proposes parameters. The same finished trials and seed propose the same, however often the worker died."""

    def __init__(
        self,
        entry: Algorithm,
        search: Search,
        *,
        seed: int,
        objectives: Sequence[str],
        directions: Sequence[Direction],
        finished: list[Trial],
        num_folds: int = 5,
        entry_for: Callable[[int], Algorithm] | None = None,
    ) -> None:
        """Take what proposes from where; `entry_for` is the entry by trial, where its ranges were tuned meanwhile."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._entry, self._search, self._seed, self._objectives = entry, search, seed, tuple(objectives)
        self.pruner = pruner_for(search, len(self._objectives))
        self._entry_for = entry_for or (lambda number: entry)
        self._grid = _grid(entry, seed_of(seed, "grid")) if search.sampler == "grid" else None
        # hyperband draws brackets by the name: it must not be a random one
        pruner = _pruner(self.pruner, num_folds)
        self._study = optuna.create_study(directions=list(directions), pruner=pruner, study_name="tabular")
        self._asked: optuna.Trial | None = None
        for trial in finished:
            self._restore(trial)

    def ask(self, number: int, *, again: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the parameters of a trial: the defaults for the first, those given for an interrupted one."""
        if again is not None and self._search.sampler in REPLAYED_SAMPLERS:
            again = None  # asked for anew they are the same, and the sampler's state goes on with them
        fixed = again if again is not None else self._fixed(number)
        if fixed is not None:
            self._study.enqueue_trial(fixed)
        self._study.sampler = self._sampler(number)
        self._asked = self._study.ask()
        assert self._asked.number == number, "trials are numbered as they were"
        return self._entry_for(number).suggest(self._asked)

    def is_exhausted(self, number: int) -> bool:
        """Tell whether a grid has no point left for this trial."""
        return self._grid is not None and number > len(self._grid)

    def should_prune(self, fold: int, trial: Trial) -> bool:
        """Report a fold and tell whether the trial should end; with several objectives none does."""
        assert self._asked is not None
        if len(self._objectives) > 1:
            return False
        self._asked.report(self._reported(trial)[fold], fold)
        return self._asked.should_prune()

    def tell(self, trial: Trial) -> None:
        """Record how the asked trial ended."""
        assert self._asked is not None
        state = STATES[trial.state]
        self._study.tell(self._asked, self._values(trial) if state is TrialState.COMPLETE else None, state=state)
        self._asked = None

    def _values(self, trial: Trial) -> list[float]:
        return [trial.mean(name) for name in self._objectives]

    def _reported(self, trial: Trial) -> list[float]:
        """Return what the pruner compares: running means, or for wilcoxon the folds' own scores."""
        if self.pruner == "wilcoxon":
            return [fold[self._objectives[0]] for fold in trial.folds]
        return trial.means(self._objectives[0])

    def _fixed(self, number: int) -> dict[str, Any] | None:
        if number == 0:
            return dict(self._entry.defaults)
        return None if self._grid is None else self._grid[number - 1]

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        seed = seed_of(self._seed, "sampler", number)
        name = self._search.sampler
        quiet: dict[str, Any] = {"warn_independent_sampling": False}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if name == "cmaes":
                others = optuna.samplers.RandomSampler(seed=seed)
                return optuna.samplers.CmaEsSampler(seed=seed, independent_sampler=others, **quiet)
            if name == "qmc":  # one sequence: its seed is that of the search
                others = optuna.samplers.RandomSampler(seed=seed)
                fixed: dict[str, Any] = {"scramble": True, "warn_asynchronous_seeding": False, **quiet}
                sequence = seed_of(self._seed, "qmc")
                return optuna.samplers.QMCSampler(seed=sequence, independent_sampler=others, **fixed)
            if name == "nsgaii":
                return optuna.samplers.NSGAIISampler(seed=seed, population_size=POPULATION)
            if name == "gp":
                return optuna.samplers.GPSampler(seed=seed, deterministic_objective=True)
        return optuna.samplers.TPESampler(seed=seed) if name == "tpe" else optuna.samplers.RandomSampler(seed=seed)

    def _restore(self, trial: Trial) -> None:
        if self._search.sampler in REPLAYED_SAMPLERS:
            params = self.ask(trial.number)
            assert params == trial.params, "the same trials and seed propose the same"
            self._report_again(trial)
        elif self.pruner in REPLAYED_PRUNERS:
            self.ask(trial.number, again=trial.params)
            self._report_again(trial)
        else:
            self._study.add_trial(self._frozen(trial))

    def _report_again(self, trial: Trial) -> None:
        for fold in range(len(trial.folds)):
            self.should_prune(fold, trial)
        self.tell(trial)

    def _frozen(self, trial: Trial) -> FrozenTrial:
        reported = self._reported(trial)
        value = trial.value if trial.state == COMPLETE else reported[-1] if trial.state == PRUNED else None
        return create_trial(
            state=STATES[trial.state],
            value=value,
            params=trial.params,
            distributions={name: distribution(item) for name, item in self._entry_for(trial.number).space.items()},
            intermediate_values=dict(enumerate(reported)),
        )


def pruner_for(search: Search, num_objectives: int) -> str:
    """Return the pruner's name: what was asked for, else the median, or none where several objectives count."""
    if search.pruner != DEFAULT_PRUNER:
        return search.pruner
    return "median" if num_objectives == 1 else "none"


def _pruner(name: str, num_folds: int) -> optuna.pruners.BasePruner:
    pruners = optuna.pruners
    if name == "median":
        return pruners.MedianPruner()
    if name == "percentile":
        return pruners.PercentilePruner(25.0)
    if name == "successive_halving":
        return pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    if name == "hyperband":
        return pruners.HyperbandPruner(min_resource=1, max_resource=num_folds, reduction_factor=3)
    if name == "wilcoxon":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return pruners.WilcoxonPruner(p_threshold=0.1)
    return pruners.NopPruner()


def _grid(entry: Algorithm, seed: int) -> list[dict[str, Any]]:
    """Return the grid's points in an order drawn by the seed."""
    names = list(entry.space)
    values = [entry.space[name].grid() for name in names]
    points = [dict(zip(names, point, strict=True)) for point in itertools.islice(itertools.product(*values), MAX_GRID)]
    random.Random(seed).shuffle(points)
    return points


def distribution(dimension: Dimension | Choice) -> BaseDistribution:
    """Return Optuna's form of a dimension."""
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log, step=dimension.step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
