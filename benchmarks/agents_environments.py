"""Steps per CPU second of the batched environments of `agents`, against the public packages they are equal to."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.report import Figure, Report
from tutelage.services.agents.environments.base import Actions, BatchedEnvironment, Discrete
from tutelage.services.agents.environments.registry import build

COPIES = 256
ADAPTED_COPIES = 8


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A task of ours, and the public environment that it equals."""

    key: str
    ours: str
    package: str
    public: str


PAIRS = (
    Pair(key="cartpole", ours="CartPole-v1", package="gymnasium", public="CartPole-v1"),
    Pair(key="acrobot", ours="Acrobot-v1", package="gymnasium", public="Acrobot-v1"),
    Pair(key="speaker_listener", ours="speaker_listener", package="mpe2", public="mpe2.simple_speaker_listener_v4"),
    Pair(key="spread", ours="simple_spread", package="mpe2", public="mpe2.simple_spread_v3"),
    Pair(key="reference", ours="simple_reference", package="mpe2", public="mpe2.simple_reference_v3"),
    Pair(key="four_rooms", ours="four_rooms", package="minigrid", public="MiniGrid-FourRooms-v0"),
    Pair(key="key_door", ours="key_door", package="minigrid", public="MiniGrid-DoorKey-8x8-v0"),
)


def run(*, quick: bool) -> Report:
    """Step each pair for the same CPU time with evenly drawn actions; both see, and begin new episodes."""
    budget_s = 0.1 if quick else 1.0
    figures: list[Figure] = []
    peers: dict[str, dict[str, float | str]] = {}
    for pair in PAIRS:
        ours = rate(build(pair.ours, num=COPIES, seed=0), budget_s)
        figures.append(Figure(key=f"{pair.key}_steps_per_s", value=ours, unit="steps/CPU s"))
        if importlib.util.find_spec(pair.package) is None:
            peers[pair.public] = {"steps_per_s": "absent"}
            continue
        theirs = rate_alone(pair, budget_s)
        peers[pair.public] = {"steps_per_s": theirs}
        figures.append(Figure(key=f"{pair.key}_ratio", value=ours / theirs, unit="times"))
    for key, name in (("cartpole", "gymnasium:CartPole-v1"), ("spread", "mpe2.simple_spread_v3")):
        adapted = rate(build(name, num=ADAPTED_COPIES, seed=0), budget_s)
        figures.append(Figure(key=f"adapted_{key}_steps_per_s", value=adapted, unit="steps/CPU s"))
    return Report(name="agents_environments", figures=figures, peers=peers)


def rate(environment: BatchedEnvironment, budget_s: float) -> float:
    """Return joint steps of all agents per CPU second of this process."""
    rng = np.random.default_rng(0)
    actions = [draw(environment, rng) for _ in range(32)]
    environment.reset()

    def step_all() -> int:
        for each in actions:
            environment.step(each)
        return len(actions) * environment.num

    found = timed(step_all, budget_s)
    environment.close()
    return found


def rate_alone(pair: Pair, budget_s: float) -> float:
    """Return the steps per CPU second of the public environment in a plain loop, as its own documentation has it."""
    rng = np.random.default_rng(0)
    if pair.package == "mpe2":
        return timed(_parallel_loop(pair.public, rng), budget_s)
    return timed(_single_loop(pair, rng), budget_s)


def _single_loop(pair: Pair, rng: np.random.Generator) -> Callable[[], int]:
    importlib.import_module(pair.package)
    environment = importlib.import_module("gymnasium").make(pair.public, disable_env_checker=True)
    actions = rng.integers(environment.action_space.n, size=256).tolist()
    environment.reset(seed=0)

    def loop() -> int:
        for action in actions:
            _, _, terminated, truncated, _ = environment.step(action)
            if terminated or truncated:
                environment.reset()
        return len(actions)

    return loop


def _parallel_loop(public: str, rng: np.random.Generator) -> Callable[[], int]:
    environment = importlib.import_module(public).parallel_env()
    names = environment.possible_agents
    joint = [{name: int(rng.integers(environment.action_space(name).n)) for name in names} for _ in range(256)]
    environment.reset(seed=0)

    def loop() -> int:
        for actions in joint:
            environment.step(actions)
            if not environment.agents:
                environment.reset()
        return len(joint)

    return loop


def timed(work: Callable[[], int], budget_s: float) -> float:
    """Return what `work` counts per CPU second of this process, after one call that is not timed."""
    work()
    done, began_s = 0, time.process_time()
    while (spent_s := time.process_time() - began_s) < budget_s:
        done += work()
    return done / spent_s


def draw(environment: BatchedEnvironment, rng: np.random.Generator) -> Actions:
    """Return evenly drawn actions for every copy."""
    return tuple(
        rng.integers(agent.action.num, size=environment.num) if isinstance(agent.action, Discrete) else None
        for agent in environment.about.agents
    )
