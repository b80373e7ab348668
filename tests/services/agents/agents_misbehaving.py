"""Environments as users write them: good ones, and one for each way to fail. Loaded by name in a child process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

import numpy as np
from gymnasium import spaces


class Corridor:
    """Walk right: the last cell ends the episode; Gymnasium's interface without Gymnasium's base class."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)
    action_space = spaces.Discrete(2)
    max_steps = 12

    def __init__(self, length: int = 5) -> None:
        self.length = length

    def reset(self, *, seed: int) -> tuple[Any, dict[str, Any]]:
        self.rng = np.random.default_rng(seed)
        self.at = 0
        return self.seen(), {}

    def step(self, action: int) -> Any:
        self.at = max(0, self.at + (1 if action == 1 else -1))
        reached = self.at >= self.length
        return self.seen(), float(reached), reached, False, {"success": reached}

    def seen(self) -> Any:
        return np.array([self.at, self.rng.normal()], np.float32)

    def scene(self) -> dict[str, Any]:
        return {"bounds": [0, -1, self.length, 1], "shapes": [{"kind": "circle", "x": self.at, "y": 0, "r": 0.3}]}


class Failing(Corridor):
    """Fails in the third step of whichever copy is first to reach its third episode or step, in one way."""

    def step(self, action: int) -> Any:
        self.num_steps = getattr(self, "num_steps", 0) + 1
        given = super().step(0)
        return self.fail(given) if self.num_steps == 3 else given

    def fail(self, given: Any) -> Any:
        raise ZeroDivisionError("the wheel came off")


class GivesNan(Failing):
    def fail(self, given: Any) -> Any:
        return np.array([np.nan, 0], np.float32), *given[1:]


class GivesInfiniteReward(Failing):
    def fail(self, given: Any) -> Any:
        return given[0], float("inf"), *given[2:]


class GivesAnotherShape(Failing):
    def fail(self, given: Any) -> Any:
        return np.zeros(3, np.float32), *given[1:]


class GivesText(Failing):
    def fail(self, given: Any) -> Any:
        return np.array(["a", "b"]), *given[1:]


class GivesFour(Failing):
    def fail(self, given: Any) -> Any:
        return given[:4]


class GivesNoFlag(Failing):
    def fail(self, given: Any) -> Any:
        return given[0], given[1], "yes", *given[3:]


class GivesVectorReward(Failing):
    def fail(self, given: Any) -> Any:
        return given[0], np.zeros(2), *given[2:]


class Exits(Failing):
    def fail(self, given: Any) -> Any:
        sys.exit(7)


class IsKilled(Failing):
    def fail(self, given: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)


class Hangs(Failing):
    def fail(self, given: Any) -> Any:
        threading.Event().wait()


class HangsAtReset(Corridor):
    def reset(self, *, seed: int) -> Any:
        threading.Event().wait()


class CannotBeMade(Corridor):
    def __init__(self) -> None:
        raise OSError("no such robot")


class NoSpaces:
    def reset(self, *, seed: int) -> Any: ...

    def step(self, action: int) -> Any: ...


class NoLimit(Corridor):
    max_steps = None


class DictSpace(Corridor):
    observation_space = spaces.Dict({"a": spaces.Discrete(2)})


class OddScene(Corridor):
    def scene(self) -> dict[str, Any]:
        return {"bounds": [0, 0, 1, 1], "shapes": ["a cat"]}


class Unbounded(Corridor):
    action_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)


class Drifting(Corridor):
    """Not deterministic given its seed: each object's episodes depend on how many it had before."""

    num_episodes = 0

    def seen(self) -> Any:
        Drifting.num_episodes += 1
        return np.array([self.at, Drifting.num_episodes], np.float32)


class Relay:
    """PettingZoo's interface: the first agent ends after two steps, the second after four."""

    possible_agents = ("short", "long")
    max_cycles = 10

    def observation_space(self, agent: str) -> Any:
        return spaces.Box(0, 10, (1,), np.float32)

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(2)

    def reset(self, *, seed: int) -> Any:
        self.agents, self.time = list(self.possible_agents), 0
        return self.seen(), {}

    def step(self, actions: dict[str, int]) -> Any:
        assert set(actions) == set(self.agents)
        self.time += 1
        ended = {"short": self.time >= 2, "long": self.time >= 4}
        observations = self.seen()
        given = (observations, dict.fromkeys(observations, 1.0), {a: ended[a] for a in observations})
        self.agents = [agent for agent in self.agents if not ended[agent]]
        return *given, dict.fromkeys(observations, False), {agent: {} for agent in observations}

    def seen(self) -> dict[str, Any]:
        return {agent: np.array([self.time], np.float32) for agent in self.agents}


class Fragile(Corridor):
    """Hangs after 400 steps of an object where a file is; else it is well."""

    def __init__(self, flag: str) -> None:
        super().__init__()
        self.flag, self.num_steps = flag, 0

    def step(self, action: int) -> Any:
        self.num_steps += 1
        if self.num_steps > 400 and os.path.exists(self.flag):
            threading.Event().wait()
        return super().step(action)
