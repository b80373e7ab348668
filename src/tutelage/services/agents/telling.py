"""What a training tells: figures of each seed in scope `seed=K`, and their means in scope ""."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from torch import Tensor

from tutelage.core.ports import Run
from tutelage.services.agents.ppo.collector import Ended
from tutelage.services.agents.ppo.learner import Learned
from tutelage.services.agents.standing import Standing


class Teller:
    """Gathers what the updates of a round came to, and tells it at the round's end."""

    def __init__(self, run: Run, seeds: Sequence[int]) -> None:
        self._run, self._seeds = run, seeds
        self._scopes = [run.scope(f"seed={seed}") for seed in seeds] if len(seeds) > 1 else []
        self._learned: list[Learned] = []

    def take(self, learned: Learned) -> None:
        """Take an update in."""
        self._learned.append(learned)

    def tell(self, standing: Standing, *, lr: float, steps_per_s: float, difficulties: Sequence[float] = ()) -> None:
        """Report the round: means over its updates, and over the episodes that ended in it."""
        if not self._learned:
            return
        each = [self._of_seed(index) for index in range(len(self._seeds))]
        for figures, difficulty in zip(each, difficulties, strict=False):
            figures["difficulty"] = difficulty
        common = {
            "lr": lr,
            "grad_norm": statistics.fmean(learned.grad_norm for learned in self._learned),
            "env_steps": float(standing.env_steps),
            "steps_per_s": steps_per_s,
        }
        self._run.metric(standing.mean_episodes, {**means(each), **common})
        for scope, figures, episodes in zip(self._scopes, each, standing.episodes, strict=False):
            scope.metric(episodes, figures)
        self._learned.clear()

    def tell_evaluation(self, standing: Standing, each: Sequence[Mapping[str, float]]) -> dict[str, float]:
        """Report an evaluation, and return its means over seeds."""
        found = means(each)
        self._run.metric(standing.mean_episodes, found)
        for scope, figures, episodes in zip(self._scopes, each, standing.episodes, strict=False):
            scope.metric(episodes, figures)
        return found

    def _of_seed(self, index: int) -> dict[str, float]:
        names = self._learned[-1].figures
        found = {
            name: statistics.fmean(_at(learned.figures[name], index) for learned in self._learned) for name in names
        }
        return {**found, **episode_figures([learned.ended[index] for learned in self._learned])}


def episode_figures(ended: Sequence[Ended]) -> dict[str, float]:
    """Return means over the episodes that ended; nothing where none did."""
    returns = [value for each in ended for value in each.returns]
    if not returns:
        return {}
    return {
        "reward": statistics.fmean(returns),
        "success_rate": statistics.fmean(value for each in ended for value in each.successes),
        "episode_length": statistics.fmean(value for each in ended for value in each.lengths),
    }


def means(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of every figure over the seeds that have it."""
    names = dict.fromkeys(name for figures in each for name in figures)
    return {name: statistics.fmean(figures[name] for figures in each if name in figures) for name in names}


def _at(values: Tensor, index: int) -> float:
    return float(values[index])
