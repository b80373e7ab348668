"""A user's class and a user's server as environments, and what becomes of each way they fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from tutelage.core.errors import InvalidSpec, TutelageError
from tutelage.services.agents.environments import http, user_class
from tutelage.services.agents.environments.failures import EnvironmentFailed
from tutelage.services.agents.environments.supervised import Supervised

FOLDER = str(Path(__file__).parent)
MODULE = "python:agents_misbehaving"


def build(name: str, *, num: int = 2, **kwargs: Any) -> Supervised:
    built = user_class.build(f"{MODULE}:{name}", num=num, seed=0, source_dir=FOLDER, **kwargs)
    assert built is not None
    return built


def build_here(name: str, *, num: int = 2) -> Any:
    """Build it in this process, as the child does."""
    return user_class.build_here(f"{MODULE}:{name}", num=num, seed=0, watch=lambda copy, step: None)


def right(num: int = 2) -> tuple[Any, ...]:
    return (np.ones(num, np.int64),)


@pytest.fixture
def corridor() -> Iterator[Supervised]:
    built = build("Corridor", length=3)
    yield built
    built.close()


def test_a_users_class_trains_in_a_process_of_its_own(corridor: Supervised) -> None:
    assert corridor._process.pid != os.getpid()
    assert (corridor.about.max_steps, corridor.about.agents[0].observation) == (12, 2)
    corridor.reset()
    steps = [corridor.step(right()) for _ in range(3)]
    assert [step.terminated.all() for step in steps] == [False, False, True]
    assert steps[2].succeeded.all()
    assert steps[2].rewards.tolist() == [[1.0], [1.0]]
    assert steps[2].last.seen[0][:, 0].tolist() == [3, 3]
    assert steps[2].observation.seen[0][:, 0].tolist() == [0, 0]
    assert corridor.scene(0)["bounds"] == [0.0, -1.0, 3.0, 1.0]


def test_a_restored_class_goes_on_within_its_episodes(corridor: Supervised) -> None:
    corridor.reset()
    shown = corridor.step(right()).observation
    kept = corridor.state_dict()
    other = build("Corridor", length=3)
    other.load_state_dict(kept)
    np.testing.assert_array_equal(other.observe().seen[0], shown.seen[0])
    np.testing.assert_array_equal(other.step(right()).observation.seen[0], corridor.step(right()).observation.seen[0])
    other.close()


def test_a_class_that_cannot_be_played_again_begins_new_episodes_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    first = build_here("Drifting")
    first.reset()
    first.step(right())
    kept = first.state_dict()
    first.load_state_dict(kept)
    assert "cannot be put back within its episodes: 2 of 2 copies began new ones" in caplog.text
    assert first.observe().seen[0][:, 0].tolist() == [0, 0]


def test_agents_that_end_early_stop_playing() -> None:
    relay = build("Relay", num=1)
    relay.reset()
    act = (np.zeros(1, np.int64), np.zeros(1, np.int64))
    steps = [relay.step(act) for _ in range(4)]
    playing = [None if step.observation.plays is None else step.observation.plays[0].tolist() for step in steps]
    assert playing == [None, [False, True], [False, True], None]
    assert steps[2].rewards.tolist() == [[0.0, 1.0]]
    assert steps[3].terminated.tolist() == [True]
    assert steps[3].last.plays.tolist() == [[False, False]]
    relay.close()


FAILURES = [
    ("Failing", r"got ZeroDivisionError: the wheel came off \(agents_misbehaving\.py:\d+ in fail\); expected a step"),
    ("GivesNan", "got nan as number 0 of what agent sees; expected finite numbers"),
    ("GivesInfiniteReward", "got a reward of inf for agent; expected a finite number"),
    ("GivesAnotherShape", r"an observation has the shape \(3,\), its space says \(2,\)"),
    ("GivesText", "an observation has the type <U1, not numbers"),
    ("GivesFour", r"step returned a tuple of 4, not \(observation, reward, terminated, truncated, info\)"),
    ("GivesNoFlag", "terminated is 'yes', neither true nor false"),
    ("GivesVectorReward", "a reward is array.*, not one number"),
    ("Exits", "got a process that ended with exit code 7; expected an answer"),
    ("IsKilled", "got a process that ended with signal 9; expected an answer"),
    ("Hangs", "got no answer to 'step' within 1 s; expected one in time"),
]
ENDS_ITS_PROCESS = ("Exits", "IsKilled", "Hangs")


def fail(environment: Any, name: str, words: str) -> None:
    environment.reset()
    for _ in range(2):
        environment.step(right())
    with pytest.raises(EnvironmentFailed, match=words) as failed:
        environment.step(right())
    assert f"the environment '{MODULE}:{name}' failed in copy 0 at step 3 of its episode" in failed.value.message
    assert failed.value.code == "environment_failed"
    assert failed.value.hint


@pytest.mark.parametrize(("name", "words"), [row for row in FAILURES if row[0] not in ENDS_ITS_PROCESS])
def test_a_failure_names_environment_copy_and_step(name: str, words: str) -> None:
    fail(build_here(name), name, words)


@pytest.mark.parametrize(("name", "words"), [row for row in FAILURES if row[0] in ("Failing", *ENDS_ITS_PROCESS)])
def test_a_failure_in_a_process_of_its_own_is_named_alike_and_ends_it(name: str, words: str) -> None:
    environment = build(name, step_timeout_s=1.0 if name == "Hangs" else 30.0)
    fail(environment, name, words)
    assert environment._process.poll() is not None


def test_a_reset_that_hangs_is_ended() -> None:
    environment = build("HangsAtReset", step_timeout_s=0.3)
    with pytest.raises(EnvironmentFailed, match=r"copy 0 at its reset: got no answer to 'reset' within 0\.3 s"):
        environment.reset()
    assert not psutil.pid_exists(environment._process.pid)
    with pytest.raises(EnvironmentFailed, match="has ended"):
        environment.reset()


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("CannotBeMade", EnvironmentFailed, "OSError: no such robot"),
        ("NoSpaces", InvalidSpec, "has no observation_space, action_space"),
        ("NoLimit", InvalidSpec, "has no time limit"),
        ("DictSpace", InvalidSpec, "shows a Dict space"),
        ("Unbounded", InvalidSpec, "takes actions without bounds"),
        ("NoSuchClass", InvalidSpec, "cannot be loaded: AttributeError"),
    ],
)
def test_a_class_that_is_no_environment_is_refused(name: str, kind: type[TutelageError], words: str) -> None:
    with pytest.raises(kind, match=words):
        build_here(name)


def test_a_refusal_crosses_from_the_process_as_it_is() -> None:
    with pytest.raises(InvalidSpec, match="has no time limit") as refused:
        build("NoLimit")
    assert refused.value.hint == "set environment.kwargs.max_steps, in steps"


def test_a_scene_that_cannot_be_drawn_is_a_failure_of_the_environment() -> None:
    environment = build_here("OddScene")
    environment.reset()
    with pytest.raises(EnvironmentFailed, match="has the shape 'a cat'; kinds are circle, line, box, text"):
        environment.scene(1)


def test_an_environment_without_a_scene_shows_what_its_agents_see() -> None:
    relay = build_here("Relay")
    relay.reset()
    assert [shape["text"] for shape in relay.scene(0)["shapes"] if shape["kind"] == "text"] == ["short", "long"]


def test_a_process_ends_with_what_it_served() -> None:
    environment = build("Corridor")
    environment.close()
    environment.close()
    assert environment._process.poll() == 0


ABOUT = {
    "agents": [{"name": "walker", "observation": 2, "num_actions": 2}],
    "max_steps": 4,
    "success": "the end is reached",
}


def server(**answers: Any) -> httpx.MockTransport:
    """A server in this process: what it answers to a path, by the request's JSON where that is a function."""
    defaults = {
        "about": ABOUT,
        "reset": lambda asked: {"observations": [[0, asked["copy"]]]},
        "step": lambda asked: {"observations": [[1, 1]], "rewards": [asked["actions"][0]], "terminated": False},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        given = {**defaults, **answers}[request.url.path.strip("/")]
        if callable(given):
            given = given(__import__("json").loads(request.content))
        return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)

    return httpx.MockTransport(answer)


def connect(**answers: Any) -> Any:
    built = http.build("http://127.0.0.1:1", num=2, seed=0, transport=server(**answers))
    assert built is not None
    return built


def test_a_server_is_stepped_copy_by_copy_and_cut_off_at_the_time_limit() -> None:
    environment = connect()
    assert environment.reset().seen[0].tolist() == [[0, 0], [0, 1]]
    steps = [environment.step((np.array([0, 1]),)) for _ in range(4)]
    assert steps[0].rewards.tolist() == [[0.0], [1.0]]
    assert [step.truncated.all() for step in steps] == [False, False, False, True]
    assert not environment.keeps_state


def test_a_server_takes_vectors_and_tells_of_success() -> None:
    described = {**ABOUT, "agents": [{"name": "arm", "observation": 2, "low": [-1.0, 0.0], "high": [1.0, 2.0]}]}
    asked: list[Any] = []

    def step(request: Any) -> Any:
        asked.append(request["actions"])
        return {"observations": [[0, 0]], "rewards": [1], "terminated": True, "success": True}

    environment = connect(about=described, step=step)
    environment.reset()
    step_ = environment.step((np.array([[0.5, 1.0], [0.25, 2.0]], np.float32),))
    assert asked == [[[0.5, 1.0]], [[0.25, 2.0]]]
    assert step_.succeeded.all()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(500, text="robot on fire"), "POST /step was answered by 500: robot on fire"),
        ({"observations": [[0, 0]], "terminated": False}, "POST /step answered with a wrong rewards: Field required"),
        (httpx.Response(200, text="<html>"), "POST /step answered with a wrong the body"),
        ({"observations": [[0]], "rewards": [0], "terminated": False}, r"shape \(1,\) for walker; expected \(2,\)"),
        ({"observations": [[0, 0]], "rewards": [0, 0], "terminated": False}, "2 rewards, there are 1 agents"),
        (
            httpx.Response(200, text='{"observations": [[0, NaN]], "rewards": [0], "terminated": false}'),
            "nan as number 1 of what walker sees",
        ),
    ],
)
def test_a_servers_wrong_answer_names_what_was_wrong(answer: Any, words: str) -> None:
    environment = connect(step=answer)
    environment.reset()
    with pytest.raises(EnvironmentFailed, match=words) as failed:
        environment.step(right())
    assert "failed in copy 0 at step 1 of its episode" in failed.value.message


def test_a_server_that_is_too_slow_is_given_up() -> None:
    def late(request: httpx.Request) -> Any:
        raise httpx.ReadTimeout("late", request=request)

    environment = connect()
    environment.reset()
    environment.copies[0]._client._transport = httpx.MockTransport(late)
    with pytest.raises(EnvironmentFailed, match="POST /step was not answered within 30 s"):
        environment.step(right())


@pytest.mark.parametrize(
    "described",
    [
        {**ABOUT, "agents": []},
        {**ABOUT, "max_steps": 0},
        {**ABOUT, "speed": 3},
    ],
)
def test_a_server_that_describes_itself_wrongly_is_refused(described: Any) -> None:
    with pytest.raises(EnvironmentFailed, match="does not describe itself: GET /about answered with a wrong"):
        connect(about=described)


def test_a_server_that_describes_actions_twice_is_refused() -> None:
    both = {"name": "walker", "observation": 2, "num_actions": 2, "low": [0.0], "high": [1.0]}
    with pytest.raises(InvalidSpec, match="the actions of 'walker' are described as"):
        connect(about={**ABOUT, "agents": [both]})


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(EnvironmentFailed, match=r"'http://127\.0\.0\.1:1' does not describe itself: GET /about failed"):
        http.build("http://127.0.0.1:1", num=1, seed=0)


def test_other_names_are_left_to_others() -> None:
    assert http.build("CartPole-v1", num=1, seed=0) is None
    assert user_class.build("CartPole-v1", num=1, seed=0) is None
