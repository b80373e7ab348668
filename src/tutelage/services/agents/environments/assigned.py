"""Hierarchical assignment: a manager joins a team and gives every worker a goal, to be held for some steps.

The manager is one more agent of the task, whose action is one goal for each worker at once: `held` decides, so that
two workers need not be sent to one landmark by chance. It plays, and learns, where an assignment is due, sees what all
workers see, and is rewarded with the mean of their rewards. Workers see the goal they were given from the next step on,
as a message is heard one step later. The return of the task is what it was: the mean with the manager's is the mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.environments import scenes
from tutelage.services.agents.environments.base import (
    About,
    Actions,
    AgentSpaces,
    BatchedEnvironment,
    Booleans,
    Discrete,
    Floats,
    Integers,
    Observation,
    Step,
)

MANAGER = "manager"
NOBODY = -1
"""A worker that has no goal yet: before the first assignment of an episode is seen."""
MAX_CHOICES = 1024
"""Ways to assign, goals to the power of workers, that one manager chooses among."""


@runtime_checkable
class Assignable(Protocol):
    """A task whose things may be goals: the first `num_goals` entities of every agent's observation."""

    num_goals: int
    difficulty: float

    def goal_distances(self) -> Floats:
        """Return how far each agent is from each goal, (B, agents, goals), in steps of about 1 at the task's scale."""

    def goal_line(self, copy: int, agent: int, goal: int) -> tuple[float, float, float, float] | None:
        """Return the line x, y, x2, y2 from an agent to a goal as a scene draws it; None: the goal is no more."""


class Assigned:
    """Copies of a task with a manager, the last agent.

    `every`: steps that an assignment is held. `goal_weight`: what workers learn from beside their reward, for each unit
    that they came nearer to their goal in a step (`Step.shaping`, no part of the return).
    """

    def __init__(self, task: BatchedEnvironment, *, every: int, goal_weight: float) -> None:
        if not isinstance(task, Assignable):
            raise InvalidSpec(
                f"coordination_strategy 'hierarchical' assigns goals, and {task.about.id!r} lists none",
                hint="take simple_spread or foraging, or another strategy: centralized, independent",
            )
        self._task, self._goals, self._every, self._goal_weight = task, task, every, goal_weight
        self.num = task.num
        self._workers, self.num_goals = len(task.about.agents), task.num_goals
        self.about = _about(task.about, task.num_goals)
        self._codes = self.num_goals ** np.arange(self._workers)
        self.held: Integers = np.full((self.num, self._workers), NOBODY)
        """The goal of each worker, (B, workers)."""
        self._elapsed: Integers = np.zeros(self.num, np.int64)

    @property
    def difficulty(self) -> float:
        """The task's own, which may be moved."""
        return self._goals.difficulty

    @difficulty.setter
    def difficulty(self, value: float) -> None:
        self._goals.difficulty = value

    @property
    def is_due(self) -> Booleans:
        """Where the manager assigns in the coming step, (B,)."""
        due: Booleans = self._elapsed % self._every == 0
        return due

    def assigned(self, chosen: Integers) -> Integers:
        """Return the goal of each worker (B, workers) that the manager's actions (B,) stand for."""
        goals: Integers = (chosen[:, None] // self._codes) % self.num_goals
        return goals

    def reset(self) -> Observation:
        """Begin anew in every copy, with nothing assigned."""
        observation = self._task.reset()
        self._forget(np.ones(self.num, bool))
        return self._seen(observation)

    def step(self, actions: Actions) -> Step:
        """Assign where it is due, and take one step of the task."""
        *own, chosen = actions
        self.held = np.where(self.is_due[:, None], self.assigned(np.asarray(chosen)), self.held)
        before = self._distances()
        step = self._task.step(tuple(own))
        self._elapsed += 1
        ended = step.terminated | step.truncated
        shaping = self._shaping(before, ended)
        last = None if step.last is None else self._seen(step.last)
        self._forget(ended)
        return replace(
            step,
            observation=self._seen(step.observation),
            rewards=np.concatenate([step.rewards, step.rewards.mean(1, keepdims=True)], 1),
            last=last,
            shaping=shaping,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the task's state, the goals and how long each copy has played."""
        return {"task": self._task.state_dict(), "held": self.held.copy(), "elapsed": self._elapsed.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self._task.load_state_dict(state["task"])
        self.held, self._elapsed = np.array(state["held"]), np.array(state["elapsed"])

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the task, with a line from each worker to its goal."""
        drawn = self._task.scene(copy)
        goals = enumerate(self.held[copy].tolist())
        ends = [self._goals.goal_line(copy, worker, goal) for worker, goal in goals if goal != NOBODY]
        lines = [scenes.line(*each, color="violet") for each in ends if each is not None]
        return {**drawn, "shapes": [*lines, *drawn["shapes"]]}

    def close(self) -> None:
        """Close the task."""
        self._task.close()

    def _forget(self, ended: Booleans) -> None:
        self.held = np.where(ended[:, None], NOBODY, self.held)
        self._elapsed = np.where(ended, 0, self._elapsed)

    def _distances(self) -> Floats:
        """Return how far each worker is from its goal, (B, workers); everybody has one once a step began."""
        found: Floats = np.take_along_axis(self._goals.goal_distances(), self.held[..., None], 2)[..., 0]
        return found

    def _shaping(self, before: Floats, ended: Booleans) -> Floats | None:
        """Return what came nearer, weighed, (B, agents); nothing for the manager, nor where a new episode began."""
        if not self._goal_weight:
            return None
        nearer = np.where(ended[:, None], 0.0, before - self._distances()) * self._goal_weight
        return np.concatenate([nearer, np.zeros((self.num, 1))], 1).astype(np.float32)

    def _seen(self, observation: Observation) -> Observation:
        hot: Floats = np.eye(self.num_goals + 1, dtype=np.float32)[self.held][..., : self.num_goals]
        workers = tuple(
            self._worker_sees(agent, observation.seen[agent], hot[:, agent]) for agent in range(self._workers)
        )
        manager = np.concatenate([*observation.seen, hot.reshape(self.num, -1)], 1)
        due = self.is_due
        plays = np.ones((self.num, self._workers), bool) if observation.plays is None else observation.plays
        allowed = observation.allowed or (None,) * self._workers
        state = manager if observation.state is None else np.concatenate([observation.state, manager], 1)
        return replace(
            observation,
            seen=(*workers, manager),
            plays=np.concatenate([plays, due[:, None]], 1),
            allowed=(*allowed, self._allowed(due)),
            state=state,
        )

    def _worker_sees(self, agent: int, seen: Floats, hot: Floats) -> Floats:
        """Append which goal it has, one-hot, and that entity's own numbers; zeros where it has none."""
        entities = self.about.agents[agent].entities
        assert entities is not None, "goals are entities"
        size = entities.size
        listed = seen[:, entities.start : entities.start + self.num_goals * size].reshape(self.num, -1, size)
        chosen = (listed * hot[..., None]).sum(1)
        return np.concatenate([seen, hot, chosen], 1).astype(np.float32)

    def _allowed(self, due: Booleans) -> Booleans:
        """Return (B, choices): any where an assignment is due, else the one that is held."""
        allowed = np.ones((self.num, MAX_CHOICES), bool)[:, : self.num_goals**self._workers]
        held = np.flatnonzero(~due)
        allowed[held] = False
        allowed[held, (self.held[held] * self._codes).sum(1)] = True
        return allowed


def _about(task: About, num_goals: int) -> About:
    """Return the facts of a task with its manager. Raises InvalidSpec where there are too many ways to assign."""
    workers, choices = len(task.agents), num_goals ** len(task.agents)
    if choices > MAX_CHOICES:
        raise InvalidSpec(
            f"{num_goals} goals for {workers} workers are {num_goals}^{workers} = {choices:,} ways to assign, more "
            f"than {MAX_CHOICES:,}",
            hint="make the task with fewer agents or goals, or take coordination_strategy 'centralized'",
        )
    sees = sum(agent.observation for agent in task.agents) + workers * num_goals
    agents = tuple(
        replace(agent, observation=agent.observation + num_goals + (agent.entities.size if agent.entities else 0))
        for agent in task.agents
    )
    manager = AgentSpaces(name=MANAGER, observation=sees, action=Discrete(num=choices))
    return replace(task, agents=(*agents, manager), state=task.state + sees)


__all__ = ["MANAGER", "NOBODY", "Assignable", "Assigned"]
