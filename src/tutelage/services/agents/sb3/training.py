"""A training by Stable-Baselines3 under our metrics, commands and checkpoints; a step is an episode, as elsewhere."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from stable_baselines3.common.callbacks import BaseCallback

from tutelage.core.commands import ENDING, Command, Verb
from tutelage.core.ports import Run
from tutelage.services.agents.building import fleet_of
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.evaluation.baseline import random_return
from tutelage.services.agents.evaluation.evaluate import DURING
from tutelage.services.agents.sb3.models import make_model, restore
from tutelage.services.agents.sb3.playing import during
from tutelage.services.agents.standing import Standing
from tutelage.training.outcome import Ending

MODEL, STANDING = "sb3_model.zip", "standing.pt"
NUM_POINTS = 200
"""Points of the curves at most, as far as episodes end often enough."""
ENDINGS: Mapping[Verb, Ending] = {Verb.STOP: "stop", Verb.PAUSE: "pause", Verb.CANCEL: "cancel"}
THEIRS = {
    "approx_kl": "train/approx_kl",
    "clip_fraction": "train/clip_fraction",
    "explained_variance": "train/explained_variance",
    "value_loss": "train/value_loss",
    "policy_loss": "train/policy_gradient_loss",
}
"""Our metrics -> the library's."""


class Training:
    """One seed, one attempt. Commands are obeyed and checkpoints written where an episode has ended."""

    def __init__(self, config: AgentsConfig, run: Run) -> None:
        self.config, self._run = config, run
        (self.seed,) = config.seed_list(run.seed)
        self.model = make_model(config, self.seed)
        self.about = self.model.get_env().fleet.about
        self.standing = Standing.fresh(1)
        self.best = _weights(self.model)
        self.ending: Ending | None = None
        self._ended: list[Mapping[str, Any]] = []
        self._told_at, self._evaluated_at, self._saved_at = 0, -1, -1
        self._began_s, self._told_cpu_s = time.process_time(), 0.0
        folder = run.resume()
        if folder is not None:
            self._resume(folder)
        self._declare()

    @property
    def total(self) -> int:
        """The budget, environment steps."""
        assert self.config.max_steps is not None, "checked with the config"
        return self.config.max_steps

    @property
    def step(self) -> int:
        """Episodes that ended."""
        return self.standing.episodes[0]

    def run(self) -> Ending:
        """Train until the budget is spent or a command ends it."""
        self._began_s = time.process_time()
        left = self.total - self.model.num_timesteps
        if left > 0:
            # No log interval: what an update came to stays readable, and nothing is printed.
            self.model.learn(left, callback=_Steps(self), log_interval=None, reset_num_timesteps=False)
        self._count_cpu()
        if self.ending in ("pause", "cancel"):
            return self.ending
        self._run.phase("concluding")
        self._tell()
        if self._evaluated_at != self.step:
            self._evaluate()
        self._save()
        return self.ending or "max_steps"

    def close(self) -> None:
        """Give back the environments."""
        self.model.get_env().close()

    def after_step(self, infos: Sequence[Mapping[str, Any]]) -> bool:
        """Take one step of all copies in; return whether the training goes on."""
        ended = [info for info in infos if "episode" in info]
        self.standing.env_steps = int(self.model.num_timesteps)
        if not ended:
            return True
        self._ended += ended
        self.standing.episodes[0] += len(ended)
        if self.standing.env_steps - self._told_at >= self.total / NUM_POINTS:
            self._tell()
        if self._is_evaluation_due():
            self._evaluate()
            self._save()
        while self.ending is None and (command := self._run.next_command()) is not None:
            self._follow(command)
        return self.ending is None

    def _follow(self, command: Command) -> None:
        run, detail = self._run, ""
        if command.verb in (Verb.CHECKPOINT, Verb.PAUSE, Verb.CANCEL):
            if not self._save():
                if command.verb is Verb.CHECKPOINT:
                    run.refused(command, reason="the checkpoint could not be written; the log says why")
                    return
                detail = "no checkpoint could be written: it goes on from the one before"
        elif command.verb is not Verb.STOP:
            run.refused(command, reason=f"a training by Stable-Baselines3 does not hear {command.verb}")
            return
        run.applied(command, step=self.step, detail=detail)
        if command.verb in ENDING:
            self.ending = ENDINGS[command.verb]

    def _tell(self) -> None:
        """Report the episodes that ended since the last point, and what the last update came to."""
        self._count_cpu()
        if not self._ended:
            return
        standing, ended = self.standing, self._ended
        steps = standing.env_steps - self._told_at
        values = {
            "reward": statistics.fmean(info["episode"]["r"] for info in ended),
            "success_rate": statistics.fmean(info["is_success"] for info in ended),
            "episode_length": statistics.fmean(info["episode"]["l"] for info in ended),
            "env_steps": float(standing.env_steps),
            "steps_per_s": steps / max(standing.cpu_s - self._told_cpu_s, 1e-9),
            **_learned(self.model.logger.name_to_value),
        }
        self._run.metric(self.step, values)
        self._run.progress(standing.env_steps, self.total, message="training", unit="environment step")
        self._told_at, self._told_cpu_s, self._ended = standing.env_steps, standing.cpu_s, []

    def _evaluate(self) -> None:
        self._count_cpu()
        played, standing = during(self.model, self.config, self.seed), self.standing
        standing.evaluations = max(standing.evaluations + 1, self._due())
        value = float(played.returns.mean())
        standing.observe_success(0, bool(played.successes.all()))
        if standing.observe(0, value):
            self.best = _weights(self.model)
        standing.curve.append([standing.env_steps, [value]])
        found = {"eval_reward": value, "eval_success_rate": float(played.successes.mean())}
        self._run.metric(self.step, found)
        self._evaluated_at = self.step
        self._began_s = time.process_time()  # evaluations are no part of the training's seconds

    def _due(self) -> int:
        return math.floor(self.standing.env_steps / self.total * self.config.num_evaluations)

    def _is_evaluation_due(self) -> bool:
        return self._due() > self.standing.evaluations

    def _save(self) -> bool:
        """Write a checkpoint of this step, unless it is there; tell whether it is."""
        if self._saved_at == self.step:
            return True
        curve = self.standing.curve
        metrics = {"reward": curve[-1][1][0]} if curve and self._evaluated_at == self.step else {}
        if self._run.checkpoint(self.step, self._write, metrics) is None:
            return False
        self._saved_at = self.step
        return True

    def _write(self, folder: Path) -> None:
        self.model.save(folder / MODEL)
        state = {"standing": self.standing.state_dict(), "best": self.best, "evaluated_at": self._evaluated_at}
        torch.save(state, folder / STANDING)

    def _resume(self, folder: Path) -> None:
        """Go on with weights, optimizers and counters; a rollout or an experience memory begins anew."""
        restore(self.model, folder / MODEL)
        state = torch.load(folder / STANDING, weights_only=True)
        self.standing, self.best = Standing.from_state(state["standing"]), dict(state["best"])
        self.model.num_timesteps = self.standing.env_steps
        if hasattr(self.model, "learning_starts"):
            self.model.learning_starts += self.standing.env_steps
        self._told_at, self._saved_at = self.standing.env_steps, self.step
        self._evaluated_at = int(state["evaluated_at"])

    def _declare(self) -> None:
        fleet = fleet_of(self.config, [self.seed], num_copies=self.config.evaluation_episodes, stream=DURING)
        try:
            self.baseline = random_return(fleet, seed=self.seed)
        finally:
            fleet.close()
        self._run.define(
            "reward", objective=True, direction="maximize", baseline=self.baseline, baseline_name="acting at random"
        )
        self._run.phase("training")
        self._began_s, self._told_cpu_s = time.process_time(), self.standing.cpu_s

    def _count_cpu(self) -> None:
        now_s = time.process_time()
        self.standing.cpu_s += now_s - self._began_s
        self._began_s = now_s


class _Steps(BaseCallback):
    """Hands every step of the library's loop to the training."""

    def __init__(self, training: Training) -> None:
        super().__init__()
        self._training_here = training

    def _on_step(self) -> bool:
        return self._training_here.after_step(self.locals["infos"])


def _learned(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the finite ones of what the library told of its last update."""
    found = {ours: float(values[theirs]) for ours, theirs in THEIRS.items() if theirs in values}
    if "train/entropy_loss" in values:
        found["entropy"] = -float(values["train/entropy_loss"])
    if "train/learning_rate" in values:
        found["lr"] = float(values["train/learning_rate"])
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.policy.state_dict().items()}
