"""Copies of an environment that is not ours, stepped one after the other in this process.

(Gymnasium's own vectors in processes are ten times slower for small environments.) Each episode begins with a seed of
its own, so that a copy can be brought back by playing its episode again: `state_dict` keeps the seeds and the actions.
What an environment gives is checked at once, and an exception becomes an error that names copy and step.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tutelage.core.errors import InvalidSpec, TutelageError
from tutelage.services.agents.environments import scenes
from tutelage.services.agents.environments.base import About, Actions, Floats, Observation, Step
from tutelage.services.agents.environments.failures import check_outcome, check_seen, crashed
from tutelage.services.agents.environments.randomness import generator_state, restored_generator
from tutelage.services.agents.environments.single import Outcome, Seen, Single

LOG = logging.getLogger(__name__)
MAX_SEED = 2**31 - 1
Watch = Callable[[int, int], None]
"""Is told which copy is about to be called, for which step of its episode (0: its reset)."""


class Stacked:
    """A batch of single copies.

    `replays` says whether an episode can be played again from its seed; where it cannot, or does not come out the
    same, a restored copy begins a new episode, and the log says so. `watch` is told before each call.
    """

    def __init__(
        self,
        copies: Sequence[Single],
        *,
        seed: int,
        replays: bool = True,
        watch: Watch | None = None,
    ) -> None:
        self.copies = tuple(copies)
        self.about: About = self.copies[0].about
        self.num = len(self.copies)
        self.replays = replays
        self._rng = np.random.default_rng(seed)
        self._watch = watch
        self._seeds = [0] * self.num
        self._taken: list[list[tuple[Any, ...]]] = [[] for _ in range(self.num)]
        self._shown: list[Seen] = []

    @property
    def keeps_state(self) -> bool:
        """Whether a restored environment goes on within its episodes, as far as the environment is deterministic."""
        return self.replays

    def reset(self) -> Observation:
        """Begin anew in every copy."""
        self._shown = [self._begin(copy) for copy in range(self.num)]
        return self._observation(self._shown)

    def step(self, actions: Actions) -> Step:
        """Take one step in every copy; those that end begin anew."""
        each = [tuple(action[copy] if action is not None else None for action in actions) for copy in range(self.num)]
        outcomes = [self._step(copy, own) for copy, own in enumerate(each)]
        ended = np.array([outcome.terminated or outcome.truncated for outcome in outcomes])
        self._shown = [outcome.seen for outcome in outcomes]
        last = self._observation(self._shown) if ended.any() else None
        for copy in np.flatnonzero(ended):
            self._shown[copy] = self._begin(int(copy))
        return Step(
            observation=self._observation(self._shown),
            rewards=np.array([outcome.rewards for outcome in outcomes], np.float32),
            terminated=np.array([outcome.terminated for outcome in outcomes]),
            truncated=np.array([outcome.truncated and not outcome.terminated for outcome in outcomes]),
            succeeded=np.array([outcome.succeeded for outcome in outcomes]) & ended,
            last=last,
        )

    def observe(self) -> Observation:
        """Return what the agents see now; after a reset or a restored state."""
        return self._observation(self._shown)

    def state_dict(self) -> dict[str, Any]:
        """Return the seed and the actions of each copy's episode, what it showed last, and the generator's state."""
        episodes = [
            {"seed": self._seeds[copy], "actions": _packed(self._taken[copy]), "shown": _flat(self._shown[copy])}
            for copy in range(self.num if self._shown else 0)
        ]
        return {"episodes": episodes, "rng": generator_state(self._rng)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Play each copy's episode again up to where it was. Raises InvalidSpec for another number of copies."""
        episodes = state["episodes"]
        if len(episodes) not in (0, self.num):
            raise InvalidSpec(
                f"the state of {self.about.id!r} is of {len(episodes)} copies, here are {self.num}",
                hint="restore it with the number of copies that it was kept with",
            )
        self._rng = restored_generator(state["rng"])
        self._shown = []
        begun = [copy for copy, episode in enumerate(episodes) if not self._play_again(copy, episode)]
        if begun:
            LOG.warning(
                "the environment %r cannot be put back within its episodes: %d of %d copies began new ones",
                self.about.id,
                len(begun),
                self.num,
            )

    def scene(self, copy: int) -> dict[str, Any]:
        """Return the shapes that the environment describes, else what its agents see as bars, none longer than 1."""
        try:
            described = self.copies[copy].shapes()
        except Exception as error:  # likewise
            raise crashed(self.about.id, error, copy=copy, step=len(self._taken[copy])) from error
        if described is not None:
            shapes, bounds = described
            return scenes.scene(*shapes, bounds=bounds)
        return _bars(self._shown[copy], self.about)

    def close(self) -> None:
        """Close every copy."""
        for copy in self.copies:
            copy.close()

    def _begin(self, copy: int, seed: int | None = None) -> Seen:
        self._seeds[copy] = int(self._rng.integers(MAX_SEED)) if seed is None else seed
        self._taken[copy] = []
        self._tell(copy, 0)
        try:
            seen = self.copies[copy].reset(self._seeds[copy])
        except TutelageError:
            raise
        except Exception as error:  # it is somebody else's code: whatever it raises is its failure
            raise crashed(self.about.id, error, copy=copy, step=0) from error
        check_seen(self.about, seen, copy=copy, step=0)
        return seen

    def _step(self, copy: int, actions: tuple[Any, ...]) -> Outcome:
        step = len(self._taken[copy]) + 1
        self._tell(copy, step)
        try:
            outcome = self.copies[copy].step(actions)
        except TutelageError:
            raise
        except Exception as error:  # likewise
            raise crashed(self.about.id, error, copy=copy, step=step) from error
        check_outcome(self.about, outcome, copy=copy, step=step)
        self._taken[copy].append(actions)
        return outcome

    def _tell(self, copy: int, step: int) -> None:
        if self._watch is not None:
            self._watch(copy, step)

    def _play_again(self, copy: int, episode: Mapping[str, Any]) -> bool:
        """Bring one copy back; where it does not come out the same, begin a new episode and return False."""
        if self.replays:
            seen = self._begin(copy, int(episode["seed"]))
            for actions in _unpacked(episode["actions"]):
                outcome = self._step(copy, actions)
                seen = outcome.seen
                if outcome.terminated or outcome.truncated:
                    break
            if len(self._taken[copy]) == len(_unpacked(episode["actions"])) and _same(seen, episode["shown"]):
                self._shown.append(seen)
                return True
        self._shown.append(self._begin(copy))
        return False

    def _observation(self, shown: Sequence[Seen]) -> Observation:
        plays = np.array([seen.plays for seen in shown])
        return Observation(
            seen=tuple(np.stack(column) for column in zip(*(seen.observations for seen in shown), strict=True)),
            plays=None if plays.all() else plays,
        )


def _packed(taken: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return the actions of an episode, one array an agent."""
    return [np.stack([np.asarray(action) for action in column]) for column in zip(*taken, strict=True)]


def _unpacked(packed: Sequence[Any]) -> list[tuple[Any, ...]]:
    return list(zip(*packed, strict=True))


def _flat(seen: Seen) -> Floats:
    return np.concatenate(seen.observations)


def _same(seen: Seen, shown: Any) -> bool:
    return np.array_equal(_flat(seen), np.asarray(shown, np.float32))


def _bars(seen: Seen, about: About) -> dict[str, Any]:
    shapes = []
    widest = max(agent.observation for agent in about.agents)
    for row, (agent, observation) in enumerate(zip(about.agents, seen.observations, strict=True)):
        shapes.append(scenes.text(0, 3.0 * row + 1.5, agent.name))
        heights = np.tanh(observation)
        shapes += [
            scenes.box(place, 3.0 * row + min(0.0, float(height)), 0.8, abs(float(height)), color="blue")
            for place, height in enumerate(heights)
        ]
    return scenes.scene(*shapes, bounds=(-1, -1.5, widest + 1, 3.0 * len(about.agents)))
