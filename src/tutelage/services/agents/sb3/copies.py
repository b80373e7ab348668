"""Our batched environments as a vector environment of Stable-Baselines3: one agent, no masks."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.environments.base import About, Continuous, Discrete, Observation
from tutelage.services.agents.environments.fleet import Fleet


class Copies(VecEnv):
    """The copies of one seed. `infos` tell an episode's end: return, steps, success, and whether time ran out."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        seen, acts = spaces_of(fleet.about)
        super().__init__(fleet.num, seen, acts)
        self._returns, self._lengths = np.zeros(fleet.num), np.zeros(fleet.num, np.int64)
        self._chosen: Any = None

    def reset(self) -> Any:
        """Begin anew in every copy; (copies, numbers)."""
        self._returns[:], self._lengths[:] = 0, 0
        return _only(self.fleet.reset())

    def step_async(self, actions: Any) -> None:
        """Take the actions (copies, ...) of the coming step."""
        self._chosen = np.asarray(actions)

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        """Step; return observations, rewards, ends and infos as the library expects them."""
        step = self.fleet.step((self._chosen[None],))
        rewards, truncated = step.rewards[0, :, 0], step.truncated[0]
        ended = step.terminated[0] | truncated
        self._returns += rewards
        self._lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for copy in np.flatnonzero(ended):
            assert step.last is not None, "an episode ended"
            infos[copy] = {
                "terminal_observation": _only(step.last)[copy],
                "TimeLimit.truncated": bool(truncated[copy]),
                "episode": {"r": float(self._returns[copy]), "l": int(self._lengths[copy])},
                "is_success": bool(step.succeeded[0, copy]),
            }
        self._returns[ended], self._lengths[ended] = 0, 0
        return _only(step.observation), rewards.copy(), ended, infos

    def close(self) -> None:
        """Give back the environments."""
        self.fleet.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return nothing for the render mode, which copies do not have, and know no other attribute."""
        if attr_name != "render_mode":
            raise AttributeError(attr_name)
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Copies have no attributes of their own."""
        raise AttributeError(attr_name)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Copies have no methods of their own."""
        raise AttributeError(method_name)

    def env_is_wrapped(self, wrapper_class: type[Any], indices: Any = None) -> list[bool]:
        """Nothing is wrapped."""
        return [False] * self.num_envs


def spaces_of(about: About) -> tuple[Any, Any]:
    """Return the spaces of a task of one agent. Raises InvalidSpec for a team."""
    if len(about.agents) != 1:
        raise InvalidSpec(
            f"backend 'sb3' trains one agent, and {about.id} has {len(about.agents)}", hint="take backend 'own'"
        )
    (agent,) = about.agents
    seen = spaces.Box(-np.inf, np.inf, (agent.observation,), np.float32)
    if isinstance(agent.action, Discrete):
        return seen, spaces.Discrete(agent.action.num)
    assert isinstance(agent.action, Continuous), "a single agent acts"
    low, high = np.array(agent.action.low, np.float32), np.array(agent.action.high, np.float32)
    return seen, spaces.Box(low, high, dtype=np.float32)


def _only(observation: Observation) -> Any:
    """Return what the one agent of the one seed sees, (copies, numbers)."""
    if observation.allowed is not None:
        raise InvalidSpec("the environment forbids actions, which backend 'sb3' cannot heed", hint="take backend 'own'")
    return observation.seen[0][0]
