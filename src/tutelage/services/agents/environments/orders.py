"""Two tasks of one guide and several workers, in which one way of addressing beats the other.

`announcement`: all must do the same thing at once. A broadcast tells everybody in one step; a direct word reaches one
worker, and the others can only take from its absence that the order is not among those for which they are told.

`dispatch`: each order is meant for one worker, and each other that acts takes something off. There are as many words as
tasks, so a word has no room to say for whom it is. A direct word needs none: who hears it is meant. A broadcast word
can only say what, or whom, never both.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tutelage.services.agents.environments import scenes
from tutelage.services.agents.environments.base import (
    About,
    Actions,
    AgentSpaces,
    Booleans,
    Discrete,
    Floats,
    Link,
    Observation,
    Reference,
)
from tutelage.services.agents.environments.vectorized import VectorizedTask, at_least, one_hot, within

GUIDE = 0
COLORS = ("blue", "green", "amber", "red", "violet", "grey")
ENOUGH = 0.9
LEAST_COST = 0.5
"""Below it, all acting at every word would be worth more than the bounds say."""


class Orders(VectorizedTask):
    """A new order each step, to be followed in the next one; a return is the mean score of an order, at most 1."""

    STATE = ("order", "worker", "due_order", "due_worker", "scored")

    def __init__(self, num: int, *, seed: int, num_workers: int, num_tasks: int, rounds: int) -> None:
        super().__init__(num, seed=seed)
        self.num_workers = at_least("num_workers", num_workers, 2, most=8)
        self.num_tasks = at_least("num_tasks", num_tasks, 2, most=len(COLORS))
        self.rounds = at_least("rounds", rounds, 1)
        self.order = np.zeros(num, np.int64)
        self.worker = np.zeros(num, np.int64)
        self.due_order = np.full(num, -1)
        self.due_worker = np.full(num, -1)
        self.scored = np.zeros(num)

    def begin(self, which: Booleans) -> None:
        """Nothing is due yet; draw the first order."""
        self.due_order[which] = self.due_worker[which] = -1
        self.scored[which] = 0
        self._draw(which)

    def advance(self, actions: Actions) -> tuple[NDArray[np.float64], Booleans, Booleans]:
        """Score what the workers do about the order that was seen one step ago; the last one is the end."""
        done = np.stack([np.asarray(action) for action in actions[1:]], 1)
        score = np.where(self.due_order >= 0, self.score(done), 0.0) / self.rounds
        self.scored += score
        self.due_order, self.due_worker = self.order.copy(), self.worker.copy()
        self._draw(np.ones(self.num, bool))
        rewards = np.repeat(score[:, None], self.num_workers + 1, axis=1)
        return rewards, self.elapsed >= self.rounds, self.scored >= ENOUGH

    def scene(self, copy: int) -> dict[str, Any]:
        """Draw the guide with its order above the workers; whoever an order is for has a bar under it."""
        middle = (self.num_workers - 1) / 2
        order = int(self.order[copy])
        shapes = [scenes.circle(middle, 2, 0.35, color=COLORS[order], label=f"order {order}")]
        shapes += [scenes.circle(place, 0, 0.3, color="grey", label=str(place)) for place in range(self.num_workers)]
        shapes += [scenes.box(place - 0.3, -0.55, 0.6, 0.1, color="green") for place in self.meant(copy)]
        return scenes.scene(*shapes, bounds=(-1, -1, self.num_workers, 3))

    @abstractmethod
    def score(self, done: NDArray[Any]) -> NDArray[np.float64]:
        """Return the score (B,) of what the workers did (B, workers) about the order that is due."""

    @abstractmethod
    def meant(self, copy: int) -> list[int]:
        """Return the workers that the order shown now is for."""

    def _draw(self, which: Booleans) -> None:
        count = int(which.sum())
        self.order[which] = self.rng.integers(self.num_tasks, size=count)
        self.worker[which] = self.rng.integers(self.num_workers, size=count)

    def _state(self) -> Floats:
        """What is ordered now and what is due: a critic that cannot see the latter takes luck for skill."""
        orders = np.eye(self.num_tasks + 1, dtype=np.float32)
        workers = np.eye(self.num_workers + 1, dtype=np.float32)
        # -1, nothing due, picks the last row.
        parts = (orders[self.order], workers[self.worker], orders[self.due_order], workers[self.due_worker])
        return np.concatenate(parts, 1)

    def _plays(self) -> Booleans:
        """The guide until the last order, the workers once one is due."""
        is_due = np.repeat((self.due_order >= 0)[:, None], self.num_workers, 1)
        return np.concatenate([self.elapsed[:, None] < self.rounds, is_due], 1)

    def _workers_see(self) -> tuple[Floats, ...]:
        """Each worker sees which one it is, and whether an order is due."""
        due = (self.due_order >= 0).astype(np.float32)[:, None]
        own = np.eye(self.num_workers, dtype=np.float32)
        return tuple(np.concatenate([np.repeat(own[[k]], self.num, 0), due], 1) for k in range(self.num_workers))

    def _describe(self, name: str, *, guide: int, actions: int, success: str, bounds: dict[str, Reference]) -> About:
        workers = tuple(
            AgentSpaces(name=f"worker_{place}", observation=self.num_workers + 1, action=Discrete(num=actions))
            for place in range(self.num_workers)
        )
        hearers = tuple(range(1, self.num_workers + 1))
        return About(
            id=name,
            version="2",
            agents=(AgentSpaces(name="guide", observation=guide, action=None), *workers),
            max_steps=self.rounds + 1,
            state=2 * (self.num_tasks + self.num_workers + 2),
            success=success,
            link=Link(words=self.num_tasks, speakers=(GUIDE,), hearers=hearers),
            references=bounds,
        )


class Announcement(Orders):
    """All workers must do the one task that the guide sees: the score is the share that do."""

    def __init__(self, num: int, *, seed: int, num_workers: int = 4, num_tasks: int = 4, rounds: int = 8) -> None:
        super().__init__(num, seed=seed, num_workers=num_workers, num_tasks=num_tasks, rounds=rounds)
        silent = 1 / num_tasks
        direct = (num_tasks + num_workers) / (num_tasks * num_workers)
        self.about = self._describe(
            "announcement",
            guide=num_tasks,
            actions=num_tasks,
            success=f"at least {ENOUGH:.0%} of what was ordered is done",
            bounds={
                "oracle": Reference(value=1.0, how="exact: a word for each task, heard by all"),
                "broadcast": Reference(value=1.0, how="exact: a word for each task, heard by all"),
                "direct": Reference(
                    value=direct,
                    how="exact: who is told knows, the others guess among the orders of which they are not told;"
                    " the best of all ways to choose whom to tell",
                ),
                "no_channel": Reference(value=silent, how=f"exact: one of {num_tasks} tasks is right"),
                "random": Reference(value=silent, how=f"exact: one of {num_tasks} tasks is right"),
            },
        )

    def score(self, done: NDArray[Any]) -> NDArray[np.float64]:
        """Return the share of workers that do what is due."""
        share: NDArray[np.float64] = (done == self.due_order[:, None]).mean(1)
        return share

    def meant(self, copy: int) -> list[int]:
        """Return all workers."""
        return list(range(self.num_workers))

    def observe(self) -> Observation:
        """The guide: the order, one-hot. A worker: which one it is, and whether an order is due."""
        seen = (one_hot(self.order, self.num_tasks), *self._workers_see())
        return Observation(seen=seen, plays=self._plays(), state=self._state())


class Dispatch(Orders):
    """One worker must do the task, the others rest (action 0): 1 where it does, less `cost`, 0.5 to 1, for each other
    that acts. At 0.5 a guess loses less, and learning finds the code more often; the bounds of words stay."""

    def __init__(
        self,
        num: int,
        *,
        seed: int,
        num_workers: int = 3,
        num_tasks: int = 3,
        rounds: int = 8,
        cost: float = 1.0,
    ) -> None:
        super().__init__(num, seed=seed, num_workers=num_workers, num_tasks=num_tasks, rounds=rounds)
        self.cost = within("cost", cost, LEAST_COST, 1.0)
        rest = 1 / (num_tasks + 1)
        served = num_tasks if num_tasks >= num_workers else num_tasks - 1
        self.about = self._describe(
            "dispatch",
            guide=num_workers + num_tasks,
            actions=num_tasks + 1,
            success=f"a mean score of at least {ENOUGH} an order",
            bounds={
                "oracle": Reference(value=1.0, how="exact: a word for each task, told to the worker that is meant"),
                "direct": Reference(value=1.0, how="exact: a word for each task, told to the worker that is meant"),
                "broadcast": Reference(
                    value=served / (num_workers * num_tasks),
                    how=f"exact: {num_tasks} words stand for {num_tasks} answers, which serve {served} of"
                    f" {num_workers * num_tasks} orders at no cost to the others",
                ),
                "no_channel": Reference(value=0.0, how="exact: acting unasked is wrong more often than right"),
                "random": Reference(
                    value=rest - cost * (num_workers - 1) * (1 - rest),
                    how=f"exact: right with 1 in {num_tasks + 1}, each other acts with {num_tasks} in {num_tasks + 1}",
                ),
            },
        )

    def score(self, done: NDArray[Any]) -> NDArray[np.float64]:
        """Return 1 where the worker that is meant does the task, less `cost` for each other that acts."""
        own = done[np.arange(self.num), self.due_worker]
        others = (done != 0).sum(1) - (own != 0)
        score: NDArray[np.float64] = (own == self.due_order + 1).astype(float) - self.cost * others
        return score

    def meant(self, copy: int) -> list[int]:
        """Return the one worker."""
        return [int(self.worker[copy])]

    def observe(self) -> Observation:
        """The guide: worker and task, one-hot. A worker: which one it is, and whether an order is due."""
        guide = np.concatenate([one_hot(self.worker, self.num_workers), one_hot(self.order, self.num_tasks)], 1)
        return Observation(seen=(guide, *self._workers_see()), plays=self._plays(), state=self._state())
