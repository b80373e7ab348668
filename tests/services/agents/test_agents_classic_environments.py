"""Our batched environments against Gymnasium's own, step for step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.environments.registry import build

gymnasium = pytest.importorskip("gymnasium")

COPIES, STEPS = 6, 1100


CHANGED = {"gravity": 20.0, "masscart": 0.7, "masspole": 0.3, "length": 0.9, "force_mag": 6.0}


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1"])
def test_every_copy_equals_gymnasium_step_for_step(name: str) -> None:
    num_ended, num_late = _compared(name, {})
    assert num_ended >= 5
    assert num_late >= 1


def test_a_cartpole_of_other_dynamics_equals_gymnasium_with_these_attributes() -> None:
    num_ended, _ = _compared("CartPole-v1", CHANGED)
    assert num_ended >= 5


@pytest.mark.parametrize("name", sorted(CHANGED))
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_dynamics_that_are_none_are_refused(name: str, value: float) -> None:
    with pytest.raises(InvalidSpec, match=f"{name} must be above 0"):
        build("CartPole-v1", num=1, seed=0, kwargs={name: value})


def _compared(name: str, kwargs: dict[str, float]) -> tuple[int, int]:
    """Step both side by side; return how many episodes ended, and how many of them by the time limit."""
    ours = build(name, num=COPIES, seed=5, kwargs=kwargs)
    theirs = [gymnasium.make(name) for _ in range(COPIES)]
    for each in theirs:
        _change(each.unwrapped, kwargs)
        each.reset(seed=0)
    observation = ours.reset()
    _follow(ours, theirs, range(COPIES))
    draw = np.random.default_rng(1)
    num_ended = num_late = 0
    for step_number in range(STEPS):
        actions = _actions(name, observation.seen[0], draw, is_held=step_number % 7 < 6)
        step = ours.step((actions,))
        for copy, each in enumerate(theirs):
            seen, reward, terminated, truncated, _ = each.step(int(actions[copy]))
            is_over = terminated or truncated
            got = step.last.seen[0][copy] if is_over and step.last is not None else step.observation.seen[0][copy]
            assert got.dtype == seen.dtype
            np.testing.assert_array_equal(got, seen)
            assert step.rewards[copy, 0] == reward
            assert (step.terminated[copy], step.truncated[copy]) == (terminated, truncated and not terminated)
            num_ended, num_late = num_ended + is_over, num_late + (truncated and not terminated)
        over = np.flatnonzero(step.terminated | step.truncated)
        for copy in over:
            theirs[copy].reset()
        _follow(ours, theirs, over)
        observation = step.observation
    return num_ended, num_late


def _change(environment: Any, kwargs: dict[str, float]) -> None:
    """Give Gymnasium's cart other dynamics, and what it computes of them when it is made."""
    for attribute, value in kwargs.items():
        assert hasattr(environment, attribute)
        setattr(environment, attribute, value)
    if kwargs:
        environment.total_mass = environment.masspole + environment.masscart
        environment.polemass_length = environment.masspole * environment.length


def _follow(ours: Any, theirs: list[Any], copies: Any) -> None:
    """Have Gymnasium's environments begin where ours did."""
    state = ours.state_dict()["state"]
    for copy in copies:
        theirs[copy].unwrapped.state = state[:, copy].copy()


def _actions(name: str, seen: np.ndarray[Any, Any], draw: np.random.Generator, *, is_held: bool) -> Any:
    """Balance the pole, or swing the arm, most of the time; some copies only draw, so that both ends occur."""
    random = draw.integers(2 if name == "CartPole-v1" else 3, size=len(seen))
    if name == "CartPole-v1":
        skilled = (seen[:, 2] + 0.5 * seen[:, 3] + 0.1 * seen[:, 0] + 0.1 * seen[:, 1] > 0).astype(np.int64)
    else:
        skilled = np.where(seen[:, 4] > 0, 2, 0)
    half = np.arange(len(seen)) < len(seen) // 2
    return np.where(half & is_held, skilled, random) if name == "CartPole-v1" else np.where(half, skilled, random)


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1"])
def test_a_kept_environment_goes_on_exactly(name: str) -> None:
    first, second = build(name, num=4, seed=3), build(name, num=4, seed=99)
    first.reset()
    second.reset()
    draw = np.random.default_rng(0)
    actions = [draw.integers(2, size=4) for _ in range(300)]
    for each in actions[:100]:
        first.step((each,))
    second.load_state_dict(first.state_dict())
    for each in actions[100:]:
        left, right = first.step((each,)), second.step((each,))
        np.testing.assert_array_equal(left.observation.seen[0], right.observation.seen[0])
        np.testing.assert_array_equal(left.terminated, right.terminated)


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1"])
def test_a_scene_can_be_drawn(name: str) -> None:
    environment = build(name, num=2, seed=0)
    environment.reset()
    scene = environment.scene(1)
    assert len(scene["bounds"]) == 4
    assert {shape["kind"] for shape in scene["shapes"]} <= {"circle", "line", "box", "text"}
