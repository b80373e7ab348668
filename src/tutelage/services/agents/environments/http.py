"""An environment behind HTTP: a person's or a program's server that answers JSON (docs/reference/environments.md).

`GET /about` describes it; `POST /reset` with `{"copy", "seed"}` and `POST /step` with `{"copy", "actions"}` go on. All
lists have one entry an agent.
"""

from __future__ import annotations

from typing import Any, TypeVar

import httpx
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tutelage.core.errors import InvalidSpec
from tutelage.services.agents.environments.base import About, AgentSpaces, Continuous, Discrete
from tutelage.services.agents.environments.failures import EnvironmentFailed, vector
from tutelage.services.agents.environments.scenes import Shape
from tutelage.services.agents.environments.single import Outcome, Seen
from tutelage.services.agents.environments.stacked import Stacked
from tutelage.services.agents.environments.supervised import STEP_S

SCHEMES = ("http://", "https://")


class AgentDescription(BaseModel):
    """One agent: `num_actions`, or `low` and `high`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, description="how it is called")
    observation: int = Field(ge=1, le=1_000_000, description="numbers that it sees")
    num_actions: int | None = Field(None, ge=2, le=100_000, description="discrete actions; or low and high")
    low: list[float] | None = Field(None, min_length=1, description="least value of each number of an action")
    high: list[float] | None = Field(None, min_length=1, description="largest value of each number of an action")

    def spaces(self) -> AgentSpaces:
        """Return the agent's spaces. Raises InvalidSpec where the actions are not described in one way."""
        return AgentSpaces(name=self.name, observation=self.observation, action=self._action())

    def _action(self) -> Discrete | Continuous:
        if self.num_actions is not None and self.low is None and self.high is None:
            return Discrete(num=self.num_actions)
        bounds = (self.low or [], self.high or [])
        if self.num_actions is None and len(bounds[0]) == len(bounds[1]) > 0 and all(map(float.__lt__, *bounds)):
            return Continuous(low=tuple(bounds[0]), high=tuple(bounds[1]))
        raise InvalidSpec(
            f"the actions of {self.name!r} are described as num_actions {self.num_actions}, low {self.low},"
            f" high {self.high}",
            hint="give num_actions alone, or low and high of the same length, each low below its high",
        )


class Description(BaseModel):
    """The answer to `GET /about`."""

    model_config = ConfigDict(extra="forbid")

    agents: list[AgentDescription] = Field(min_length=1, max_length=64, description="the agents, in order")
    max_steps: int = Field(ge=1, le=10_000_000, description="time limit of an episode, steps")
    success: str = Field(min_length=1, max_length=500, description="when an episode counts as a success, in words")
    version: str = Field("1", max_length=100, description="of the environment")


class ResetAnswer(BaseModel):
    """The answer to `POST /reset`."""

    observations: list[list[float]] = Field(description="what each agent sees")


class StepAnswer(BaseModel):
    """The answer to `POST /step`."""

    observations: list[list[float]] = Field(description="what each agent sees")
    rewards: list[float] = Field(description="what each agent earned")
    terminated: bool = Field(description="the episode has ended by itself")
    truncated: bool = Field(False, description="the episode was cut off")
    success: bool = Field(False, description="an episode that ended was a success")


Answer = TypeVar("Answer", bound=BaseModel)


class HttpCopy:
    """One copy behind the server, told apart by its number."""

    def __init__(self, client: httpx.Client, about: About, *, copy: int) -> None:
        self.about = about
        self._client, self._copy, self._elapsed = client, copy, 0

    def reset(self, seed: int) -> Seen:
        """Ask for a new episode."""
        self._elapsed = 0
        answer = ask(self._client, "POST", "/reset", ResetAnswer, {"copy": self._copy, "seed": seed})
        return self._seen(answer.observations)

    def step(self, actions: tuple[Any, ...]) -> Outcome:
        """Ask for one step; the time limit truncates."""
        plain = [int(action) if np.ndim(action) == 0 else [float(value) for value in action] for action in actions]
        answer = ask(self._client, "POST", "/step", StepAnswer, {"copy": self._copy, "actions": plain})
        self._elapsed += 1
        if len(answer.rewards) != len(self.about.agents):
            raise TypeError(f"{len(answer.rewards)} rewards, there are {len(self.about.agents)} agents")
        is_late = answer.truncated or self._elapsed >= self.about.max_steps
        return Outcome(
            seen=self._seen(answer.observations),
            rewards=tuple(answer.rewards),
            terminated=answer.terminated,
            truncated=is_late and not answer.terminated,
            succeeded=answer.success and (answer.terminated or is_late),
        )

    def shapes(self) -> tuple[list[Shape], tuple[float, float, float, float]] | None:
        """Return None: the protocol describes no shapes."""
        return None

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _seen(self, observations: list[list[float]]) -> Seen:
        if len(observations) != len(self.about.agents):
            raise TypeError(f"{len(observations)} observations, there are {len(self.about.agents)} agents")
        return Seen(
            observations=tuple(vector(each, "an observation") for each in observations),
            plays=(True,) * len(observations),
        )


def build(
    name: str,
    *,
    num: int,
    seed: int,
    step_timeout_s: float = STEP_S,
    transport: httpx.BaseTransport | None = None,
    **options: Any,
) -> Stacked | None:
    """Return `num` copies behind the server at an `http://` or `https://` address, or None for another kind of name.

    Raises InvalidSpec for options it does not take, EnvironmentFailed where the server does not answer, or not in the
    form of the protocol. A resumed training begins new episodes there.
    """
    if not name.startswith(SCHEMES):
        return None
    if options:
        raise InvalidSpec(
            f"an environment behind HTTP takes no {', '.join(sorted(options))}",
            hint="environment.kwargs may hold step_timeout_s; all else is the server's to know",
        )
    if not step_timeout_s > 0:
        raise InvalidSpec(f"step_timeout_s must be above 0, got {step_timeout_s}", hint="it is in seconds")
    client = httpx.Client(base_url=name, timeout=step_timeout_s, transport=transport, trust_env=False)
    try:
        told = ask(client, "GET", "/about", Description)
    except (OSError, RuntimeError, ValueError) as error:
        client.close()
        raise EnvironmentFailed(
            f"the environment {name!r} does not describe itself: {error}",
            hint="start its server; GET /about must answer as docs/reference/environments.md says",
        ) from error
    about = About(
        id=name,
        version=told.version,
        agents=tuple(agent.spaces() for agent in told.agents),
        max_steps=told.max_steps,
        success=told.success,
    )
    return Stacked([HttpCopy(client, about, copy=copy) for copy in range(num)], seed=seed, replays=False)


def ask(client: httpx.Client, method: str, path: str, kind: type[Answer], body: Any = None) -> Answer:
    """Return the parsed answer. Raises TimeoutError, ConnectionError, RuntimeError (another status) or ValueError."""
    try:
        response = client.request(method, path, json=body)
    except httpx.TimeoutException as error:
        raise TimeoutError(f"{method} {path} was not answered within {client.timeout.read:g} s") from error
    except httpx.HTTPError as error:
        raise ConnectionError(f"{method} {path} failed: {error}") from error
    if response.status_code != httpx.codes.OK:
        raise RuntimeError(f"{method} {path} was answered by {response.status_code}: {response.text}")
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"])) or "the body"
        raise ValueError(f"{method} {path} answered with a wrong {at}: {first['msg']}") from error
