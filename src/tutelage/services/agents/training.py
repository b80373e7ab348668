"""One attempt of a training on the parts of the training layer: update, tell, evaluate, keep, obey."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from tutelage.core.errors import NonFiniteGradient
from tutelage.core.ports import Run
from tutelage.services.agents.base_model import Base, begin_with, frozen_copy
from tutelage.services.agents.building import (
    CHOICES,
    OWN_TUNABLES,
    check_task,
    fleet_of,
    generators_of,
    roles_for,
    speech_of,
    team_of,
    training_plan,
)
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.difficulty import difficulties_of, move
from tutelage.services.agents.evaluation.baseline import random_return
from tutelage.services.agents.evaluation.coordination import figures_of
from tutelage.services.agents.evaluation.evaluate import DURING, during
from tutelage.services.agents.evaluation.play import Played
from tutelage.services.agents.policies.team import copy_seed
from tutelage.services.agents.ppo.collector import Collector
from tutelage.services.agents.ppo.learner import Learner
from tutelage.services.agents.ppo.loss import Coefficients
from tutelage.services.agents.ppo.storage import Sizes
from tutelage.services.agents.standing import Standing
from tutelage.services.agents.telling import Teller
from tutelage.training import Keeper, Progress, Tuning, Updater, create_schedule, obey, read_checkpoint
from tutelage.training.checkpoint import are_finite
from tutelage.training.outcome import Ending

Watch = Callable[[Standing, Played], None]
"""Hears of every evaluation on the way."""


class Training:
    """A job of several seeds. A step is an episode: commands are obeyed, and checkpoints written, where one ended."""

    def __init__(self, config: AgentsConfig, run: Run, *, base: Base | None = None, watch: Watch | None = None) -> None:
        self._config, self._run, self._base, self._watch = config, run, base, watch
        self.seeds = config.seed_list(run.seed)
        num = config.num_copies
        self._fleet = fleet_of(config, self.seeds, num_copies=num)
        self.about = self._fleet.about
        check_task(config, self.about)
        self._speech = speech = speech_of(config, self.about, self.seeds, num_copies=num)
        self.team = team_of(config, roles_for(config, self.about, speech), self.seeds, num_copies=num)
        if base is not None:
            begin_with(self.team, base)
        self.best = {name: tensor.clone() for name, tensor in self.team.state_dict().items()}
        generators = generators_of(self.seeds, CHOICES)
        sizes = Sizes(seeds=len(self.seeds), steps=config.rollout_steps, copies=num)
        collector = Collector(
            self.team,
            self._fleet,
            speech,
            sizes,
            generators,
            collaboration_weight=config.collaboration_weight,
        )
        anchor = frozen_copy(base, config, self.seeds) if base is not None and config.base_kl_weight else None
        self._learner = Learner(self.team, collector, generators, config, anchor=anchor)
        self.standing = Standing.fresh(len(self.seeds))
        self._difficulties = difficulties_of(config, self._fleet)
        self._teller = Teller(run, self.seeds)
        self._begin()

    @property
    def model(self) -> nn.Module:
        """The team, for the keeper."""
        return self.team

    def _begin(self) -> None:
        config, run = self._config, self._run
        plan = training_plan(config)
        folder = run.resume()
        saved = read_checkpoint(folder, self.team) if folder else None
        self._updater, self._schedule = Updater(self.team, plan), create_schedule(plan.schedule)
        own = {name: float(getattr(config, name)) for name in OWN_TUNABLES}
        self._tuning = Tuning(plan, self._updater.optimizer, own=own)
        self._keeper = Keeper(task=self, updater=self._updater, schedule=self._schedule, tuning=self._tuning, run=run)
        self._progress = Progress.from_state(saved.state["progress"]) if saved else Progress()
        if saved:
            self._keeper.restore(saved, self._progress)
        self._declare()
        if saved is None and self._base is not None:
            self._evaluate()

    def _declare(self) -> None:
        config = self._config
        fleet = fleet_of(config, self.seeds[:1], num_copies=config.evaluation_episodes, stream=DURING)
        try:
            self.baseline = random_return(fleet, seed=self.seeds[0])
        finally:
            fleet.close()
        bound = self.about.references.get("no_channel") if any(self._speech.symbols) else None
        baseline = (self.baseline, "acting at random") if bound is None else (bound.value, "the best without a channel")
        self._run.define(
            "reward", objective=True, direction="maximize", baseline=baseline[0], baseline_name=baseline[1]
        )
        self._run.phase("training")

    def run(self) -> Ending:
        """Train until the budget is spent or a command ends it; a checkpoint is there where it was left."""
        while (ending := self._ending()) is None:
            self._round()
        if ending in ("pause", "cancel"):
            return ending
        self._run.phase("concluding")
        if self._progress.evaluated_at != self._progress.step or self.standing.evaluations == 0:
            self._evaluate()
        self._save()
        return ending

    def close(self) -> None:
        """Give back the environments."""
        self._fleet.close()

    @property
    def total(self) -> int:
        """The budget: environment steps of a seed, or episodes where only these are given."""
        return self._tuning.whole("max_steps")

    @property
    def done(self) -> int:
        """How much of the budget is spent, in its unit."""
        return self.standing.env_steps if self._config.max_steps else self.standing.mean_episodes

    def state_dict(self) -> Mapping[str, Any]:
        """Return what a checkpoint keeps beside weights and optimizer."""
        return {
            "learner": self._learner.state_dict(),
            "standing": self.standing.state_dict(),
            "difficulties": [each.state_dict() for each in self._difficulties],
            "best": self.best,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self._learner.load_state_dict(state["learner"])
        self.standing = Standing.from_state(state["standing"])
        for difficulty, kept in zip(self._difficulties, state["difficulties"], strict=True):
            difficulty.load_state_dict(kept)
        self.best = dict(state["best"])

    def _ending(self) -> Ending | None:
        asked = obey(self._run, self._tuning, step=self._progress.step, save=self._save)
        if asked is not None:
            return asked
        return "max_steps" if self.done >= self.total else None

    def _round(self) -> None:
        """Update until an episode has ended, so that every step is a state of its own; then do what is due."""
        before, cpu_s, env_steps = self.standing.mean_episodes, time.process_time(), self.standing.env_steps
        while self.standing.mean_episodes == before and self.done < self.total:
            lr = self._update()
        spent_s = time.process_time() - cpu_s
        self.standing.cpu_s += spent_s
        self._progress.step = self.standing.mean_episodes
        steps = (self.standing.env_steps - env_steps) * len(self.seeds)
        self._teller.tell(
            self.standing,
            lr=lr,
            steps_per_s=steps / max(spent_s, 1e-9),
            difficulties=[each.value for each in self._difficulties],
        )
        unit = "environment step" if self._config.max_steps else ""
        self._run.progress(self.done, self.total, message="training", unit=unit)
        if self._is_evaluation_due():
            self._evaluate()
            self._save()

    def _update(self) -> float:
        """Take one update at the rates of now; return the learning rate. Raises NonFiniteGradient."""
        factor = self._schedule.factor(self.done, max_steps=self.total)
        tuning, lr = self._tuning, self._tuning["lr"] * factor
        self._updater.set_rates(lr=lr, weight_decay=tuning.get("weight_decay"))
        weigh = Coefficients(
            clip=tuning["clip"],
            value=tuning["value_coefficient"],
            entropy=tuning["entropy_coefficient"],
            exploration=tuning["exploration_rate"] * factor,
            exploration_weight=self._config.exploration_weight,
            signalling=tuning["signalling_weight"],
            signalling_target=self._config.signalling_target,
            listening=tuning["listening_weight"] * factor,
        )
        learned = self._learner.update(self._updater, weigh)
        standing = self.standing
        standing.updates += 1
        standing.env_steps += self._config.num_copies * self._config.rollout_steps
        standing.count(learned.ended)
        move(self._difficulties, self._fleet, learned.ended)
        if not learned.is_applied:
            raise NonFiniteGradient(
                f"not finite at update {standing.updates}: loss {learned.loss:g}, gradient norm {learned.grad_norm:g}",
                hint="branch from a checkpoint before it with a lower learning_rate or gradient_clip",
            )
        self._teller.take(learned)
        return lr

    def _is_evaluation_due(self) -> bool:
        return math.floor(self.done / self.total * self._config.num_evaluations) > self.standing.evaluations

    def _evaluate(self) -> None:
        """Evaluate every seed, tell it, and keep the weights of a seed that was never better."""
        config, standing, progress = self._config, self.standing, self._progress
        played = during(self.team, config, self.seeds)
        is_first = self.done == 0  # of a base model, before any update: no part of the plan
        standing.evaluations = (
            0
            if is_first
            else max(standing.evaluations + 1, math.floor(self.done / self.total * config.num_evaluations))
        )
        each = figures_of(self.team, config, self.seeds, self.about, played)
        for index in range(len(self.seeds)):
            value = float(played.returns[index].mean())
            each[index] |= {"eval_reward": value, "eval_success_rate": float(played.successes[index].mean())}
            standing.observe_success(index, bool(played.successes[index].all()))
            if standing.observe(index, value):
                copy_seed(self.best, self.team, index)
        standing.curve.append([standing.env_steps, [figures["eval_reward"] for figures in each]])
        found = self._teller.tell_evaluation(standing, each)
        if self._watch is not None:
            self._watch(standing, played)
        progress.evaluated_at = progress.step
        progress.latest = {**found, "reward": found["eval_reward"]}

    def _save(self) -> bool:
        """Write a checkpoint. Raises NonFiniteGradient rather than keep weights that are not finite."""
        if not are_finite(self.team):
            raise NonFiniteGradient(
                f"the weights are not finite after update {self.standing.updates}",
                hint="branch from a checkpoint before it with a lower learning_rate",
            )
        return self._keeper.write(self._progress)
