"""Trainings of policies for the benchmark `agents_ppo`: ours by the service's own loop, and Stable-Baselines3's.

CPU seconds of one thread, evaluations apart; a mark is crossed where 50 greedy episodes reach it on average.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.support.fitting import open_run
from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.environments.registry import build
from tutelage.services.agents.evaluation.evaluate import final
from tutelage.services.agents.evaluation.play import Played
from tutelage.services.agents.standing import Standing
from tutelage.services.agents.training import Training

EVALUATION_EPISODES, FINAL_EPISODES = 50, 100


@dataclass(frozen=True, kw_only=True)
class Task:
    """An environment, its mark, our preset and the settings of SB3's zoo (rl-baselines3-zoo, ppo.yml)."""

    name: str
    environment: str
    mark: float
    preset: str
    budget: int
    zoo: Mapping[str, Any]
    num_envs: int
    normalizes: bool
    rollouts_per_evaluation: int


TASKS = (
    Task(
        name="cartpole",
        environment="CartPole-v1",
        mark=475.0,
        preset="cartpole",
        budget=100_000,
        zoo={
            "n_steps": 32,
            "batch_size": 256,
            "gae_lambda": 0.8,
            "gamma": 0.98,
            "n_epochs": 20,
            "ent_coef": 0.0,
            "learning_rate": lambda left: left * 1e-3,
            "clip_range": lambda left: left * 0.2,
        },
        num_envs=8,
        normalizes=False,
        rollouts_per_evaluation=5,
    ),
    Task(
        name="acrobot",
        environment="Acrobot-v1",
        mark=-100.0,
        preset="acrobot",
        budget=1_000_000,
        zoo={"n_steps": 256, "gae_lambda": 0.94, "gamma": 0.99, "n_epochs": 4, "ent_coef": 0.0},
        num_envs=16,
        normalizes=True,
        rollouts_per_evaluation=2,
    ),
)


@dataclass(kw_only=True)
class Course:
    """What one seed's training came to. None where the mark was not crossed."""

    seed: int
    crossed_cpu_s: float | None = None
    crossed_steps: int | None = None
    final_return: float | None = None
    """Mean of 100 fresh greedy episodes with the last weights."""


@dataclass(kw_only=True)
class Job:
    """One process's training of some seeds: its CPU seconds are those of all of them."""

    courses: list[Course] = field(default_factory=list)
    steps: int = 0
    cpu_s: float = 0.0

    @property
    def steps_per_cpu_s(self) -> float:
        """Environment steps of all seeds a CPU second."""
        return self.steps / self.cpu_s

    def crossed_cpu_s(self) -> list[float]:
        """Return what a seed cost until its mark: its share of the job's CPU seconds. Infinite where never crossed."""
        return [float("inf") if each.crossed_cpu_s is None else each.crossed_cpu_s for each in self.courses]


def train_ours(task: Task, seeds: list[int], *, budget: int | None = None) -> Job:
    """Train seeds in one batched job over the preset's whole budget, evaluating often."""
    settings = {"preset": task.preset, "seeds": seeds, "num_evaluations": 100}
    limits = {} if budget is None else {"max_steps": budget}
    config = AgentsConfig.model_validate({**settings, **limits, "evaluation_episodes": EVALUATION_EPISODES})
    courses = [Course(seed=seed) for seed in seeds]

    def watch(standing: Standing, played: Played) -> None:
        for index, course in enumerate(courses):
            if course.crossed_steps is None and played.returns[index].mean() >= task.mark:
                course.crossed_steps, course.crossed_cpu_s = standing.env_steps, standing.cpu_s / len(seeds)

    with tempfile.TemporaryDirectory(prefix="tutelage-bench-") as name:
        run = open_run(Path(name), seed=seeds[0])
        training = Training(config, run, watch=watch)
        try:
            training.run()
        finally:
            training.close()
            run.close()
    evaluated = final(training.team, config.model_copy(update={"final_episodes": FINAL_EPISODES}), seeds)
    for index, course in enumerate(courses):
        course.final_return = float(evaluated.greedy.returns[index].mean())
    standing = training.standing
    return Job(courses=courses, steps=standing.env_steps * len(seeds), cpu_s=standing.cpu_s)


def train_sb3(task: Task, seed: int, *, budget: int | None = None) -> Job:
    """Train one seed with Stable-Baselines3's PPO and its zoo's settings, until its mark or its budget."""
    from stable_baselines3 import PPO  # here, since it may be absent
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import VecNormalize

    made = make_vec_env(task.environment, task.num_envs, seed=seed)
    environments = VecNormalize(made) if task.normalizes else made
    watch = _Watch()
    model = PPO("MlpPolicy", environments, seed=seed, device="cpu", **task.zoo)
    course = Course(seed=seed)

    def act(seen: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        shown = environments.normalize_obs(seen) if task.normalizes else seen
        actions: np.ndarray[Any, Any] = model.predict(shown, deterministic=True)[0]
        return actions

    def evaluate() -> bool:
        watch.stop()
        value = greedy_return(task.environment, act)
        if value >= task.mark:
            course.crossed_steps, course.crossed_cpu_s = model.num_timesteps, watch.cpu_s
        watch.go()
        return value >= task.mark

    model.learn(budget or task.budget, callback=_callback(evaluate, every=task.rollouts_per_evaluation))
    watch.stop()
    return Job(courses=[course], steps=int(model.num_timesteps), cpu_s=watch.cpu_s)


def greedy_return(environment: str, act: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> float:
    """Return the mean return of one episode in each of 50 copies."""
    copies = build(environment, num=EVALUATION_EPISODES, seed=99_991)
    seen, returns, plays = copies.reset().seen[0], np.zeros(copies.num), np.ones(copies.num, dtype=bool)
    while plays.any():
        step = copies.step((act(seen),))
        returns += step.rewards[:, 0] * plays
        plays &= ~(step.terminated | step.truncated)
        seen = step.observation.seen[0]
    return float(returns.mean())


def _callback(evaluate: Callable[[], bool], *, every: int) -> Any:
    from stable_baselines3.common.callbacks import BaseCallback

    class Evaluating(BaseCallback):  # type: ignore[misc]  # the library has no types for us
        """Evaluates before each so many rollouts, and ends once the mark is crossed."""

        rollouts, is_done = 0, False

        def _on_rollout_start(self) -> None:
            self.rollouts += 1
            if self.rollouts % every == 0 and not self.is_done:
                self.is_done = evaluate()

        def _on_step(self) -> bool:
            return not self.is_done

    return Evaluating()


class _Watch:
    """CPU seconds of this process, with stops."""

    def __init__(self) -> None:
        self.cpu_s = 0.0
        self.go()

    def go(self) -> None:
        self._began_s = time.process_time()

    def stop(self) -> None:
        self.cpu_s += time.process_time() - self._began_s
