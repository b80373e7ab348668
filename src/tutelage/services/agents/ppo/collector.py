"""Plays rollouts with the present policies, for all seeds together, and remembers what it takes to go on exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from tutelage.services.agents.environments.base import Observation, Step
from tutelage.services.agents.environments.fleet import Fleet
from tutelage.services.agents.policies.team import RolePolicy, Team
from tutelage.services.agents.ppo.acting import RoleChoice, actions_of, words_of
from tutelage.services.agents.ppo.inputs import Heard, RoleInputs
from tutelage.services.agents.ppo.observing import observation_state, restored_observation
from tutelage.services.agents.ppo.plain import arrays, plain
from tutelage.services.agents.ppo.speech import Speech
from tutelage.services.agents.ppo.storage import Sizes, Storage, Transitions
from tutelage.services.agents.teams.rewards import mixed


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Episodes of one seed that ended in a rollout: return (mean of the agents), steps, success."""

    returns: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    successes: list[bool] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """What one rollout brought: transitions a role, ended episodes a seed."""

    transitions: tuple[Transitions, ...]
    ended: tuple[Ended, ...]


class Collector:
    """Owns the environments of the training, the channels and where their episodes stand."""

    def __init__(
        self,
        team: Team,
        fleet: Fleet,
        speech: Speech,
        sizes: Sizes,
        generators: Sequence[Generator],
        *,
        collaboration_weight: float = 0.0,
    ) -> None:
        self._team, self._fleet, self._speech, self._sizes = team, fleet, speech, sizes
        self._collaboration_weight = collaboration_weight
        self._generators = generators
        self._storages = [Storage(policy, sizes) for policy in team.roles]
        self._makers = [
            RoleInputs(policy.role, num_seeds=sizes.seeds, num_copies=sizes.copies) for policy in team.roles
        ]
        self._memories = [
            (policy.actor.memory(sizes.seeds, storage.rows), policy.critic.memory(sizes.seeds, storage.rows))
            for policy, storage in zip(team.roles, self._storages, strict=True)
        ]
        self._observation: Observation | None = None
        self._heard: Heard = speech.silence()
        self._returns = np.zeros((sizes.seeds, sizes.copies))
        self._lengths = np.zeros((sizes.seeds, sizes.copies), dtype=np.int64)
        self._begins = torch.zeros(sizes.seeds, sizes.copies, dtype=torch.bool)

    def collect(self, *, gamma: float, lam: float, scales_rewards: bool) -> Rollout:
        """Play one rollout and return it; the normalisation learns from it afterwards."""
        if self._observation is None:
            self._observation = self._fleet.reset()
        ended = tuple(Ended() for _ in range(self._sizes.seeds))
        began = [tuple(None if memory is None else memory.clone() for memory in pair) for pair in self._memories]
        noises = [self._noise(policy) for policy in self._team.roles]
        for storage in self._storages:
            storage.limits.clear()
        with torch.inference_mode():
            for time in range(self._sizes.steps):
                self._step(time, noises, ended)
            self._look_ahead()
        transitions = [self._finish(index, began[index], gamma, lam, scales_rewards) for index in range(len(noises))]
        return Rollout(transitions=tuple(transitions), ended=ended)

    def learn_normalization(self) -> None:
        """Take what the last rollout saw into the normalisation of inputs: after the update it was used for."""
        for policy, storage in zip(self._team.roles, self._storages, strict=True):
            policy.inputs.learn(storage.raw.flatten(1, 2))
            if policy.critic_inputs is not None and storage.critic_raw is not None:
                policy.critic_inputs.learn(storage.critic_raw.flatten(1, 2))

    def state_dict(self) -> dict[str, Any]:
        """Return where everything stands, as plain types."""
        return {
            "fleet": plain(self._fleet.state_dict()),
            "speech": plain(self._speech.state_dict()),
            "observation": None if self._observation is None else plain(observation_state(self._observation)),
            "heard": plain(self._heard),
            "returns": plain(self._returns),
            "lengths": plain(self._lengths),
            "begins": self._begins.clone(),
            "memories": [[None if memory is None else memory.clone() for memory in pair] for pair in self._memories],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self._fleet.load_state_dict(arrays(state["fleet"]))
        self._speech.load_state_dict(arrays(state["speech"]))
        kept = state["observation"]
        self._observation = None if kept is None else restored_observation(arrays(kept))
        self._heard = tuple(arrays(state["heard"]))
        self._returns, self._lengths = arrays(state["returns"]), arrays(state["lengths"])
        self._begins = state["begins"].clone()
        self._memories = [(pair[0], pair[1]) for pair in state["memories"]]

    def _noise(self, policy: RolePolicy) -> Tensor:
        """Draw what makes a rollout's choices random: (T, S, rows, outputs), each seed's by its own generator."""
        rows = self._sizes.copies * len(policy.role.agents)
        drawn = [policy.role.heads.noise((self._sizes.steps, rows), generator) for generator in self._generators]
        return torch.stack(drawn, 1)

    def _step(self, time: int, noises: Sequence[Tensor], ended: Sequence[Ended]) -> None:
        observation = self._observation
        assert observation is not None, "the rollout began"
        choices = [self._choose(index, time, noises[index][time], observation) for index in range(len(noises))]
        step = self._fleet.step(actions_of(choices, len(self._fleet.about.agents)))
        heard = self._speech.deliver(words_of(choices, len(self._fleet.about.agents)), step.observation)
        self._take_in(time, step, heard)
        self._observation, self._heard = step.observation, heard
        over = step.terminated | step.truncated
        self._returns += step.rewards.mean(-1)
        self._lengths += 1
        self._begins = torch.from_numpy(over)
        if step.last is not None:
            self._conclude(step, over, ended)

    def _choose(self, index: int, time: int, noise: Tensor, observation: Observation) -> RoleChoice:
        policy, storage, maker = self._team.roles[index], self._storages[index], self._makers[index]
        raw = maker.actor(observation, self._heard)
        inputs = policy.inputs(raw)
        storage.raw[:, time], storage.inputs[:, time] = raw, inputs
        storage.begins[:, time] = self._begins.repeat(1, len(policy.role.agents))
        self._keep_critic(index, time, observation)
        allowed = maker.allowed(observation)
        storage.masks(time, allowed=allowed, plays=maker.rows(observation.plays))
        actor_memory, critic_memory = self._memories[index]
        outputs, actor_memory = policy.actor.step(inputs, actor_memory)
        self._memories[index] = actor_memory, critic_memory
        storage.outputs[:, time] = outputs
        choice = policy.role.heads.choose(outputs, policy.log_std, noise=noise, allowed=allowed)
        word, speaks = choice.word, maker.rows(observation.speaks)
        if word is not None and speaks is not None:
            word = word.masked_fill(~speaks, -1)
        if storage.action is not None and choice.action is not None:
            storage.action[:, time] = choice.action
        if storage.word is not None and word is not None:
            storage.word[:, time] = word
        return RoleChoice(role=policy.role, maker=maker, action=choice.action, word=word)

    def _keep_critic(self, index: int, time: int, observation: Observation) -> None:
        """Write the critic's own inputs of a step, where it has any; `time` T is the one after the rollout."""
        policy, storage = self._team.roles[index], self._storages[index]
        raw = self._makers[index].critic(observation, self._heard)
        if raw is None or policy.critic_inputs is None or storage.critic_inputs is None:
            return
        if storage.critic_raw is not None and time < self._sizes.steps:
            storage.critic_raw[:, time] = raw
        storage.critic_inputs[:, time] = policy.critic_inputs(raw)

    def _take_in(self, time: int, step: Step, heard: Heard) -> None:
        """Write rewards and ends; where the time limit cut an episode, what the critic saw at its end."""
        over = torch.from_numpy(step.terminated | step.truncated)
        shared = mixed(step.rewards, self._collaboration_weight)
        if step.shaping is not None:
            shared = shared + step.shaping
        for index, (policy, storage, maker) in enumerate(
            zip(self._team.roles, self._storages, self._makers, strict=True)
        ):
            repeats = len(policy.role.agents)
            rewards = maker.rows(shared)
            assert rewards is not None, "every agent has a reward"
            storage.rewards[:, time], storage.ended[:, time] = rewards, over.repeat(1, repeats)
            if step.last is not None and step.truncated.any():
                reached = torch.from_numpy(step.truncated).repeat(1, repeats)
                storage.limits.append((time, reached, self._critic_view(index, step.last, heard)))

    def _critic_view(self, index: int, observation: Observation, heard: Heard) -> Tensor:
        """Return what a role's critic is given, normalised."""
        policy, maker = self._team.roles[index], self._makers[index]
        raw = maker.critic(observation, heard)
        if raw is None or policy.critic_inputs is None:
            view: Tensor = policy.inputs(maker.actor(observation, heard))
            return view
        shared: Tensor = policy.critic_inputs(raw)
        return shared

    def _conclude(self, step: Step, over: np.ndarray[Any, Any], ended: Sequence[Ended]) -> None:
        """Count the episodes that ended; empty what belonged to them."""
        for seed, copy in np.argwhere(over):
            ended[seed].returns.append(float(self._returns[seed, copy]))
            ended[seed].lengths.append(int(self._lengths[seed, copy]))
            ended[seed].successes.append(bool(step.succeeded[seed, copy]))
        self._returns[over], self._lengths[over] = 0.0, 0
        self._speech.forget(over)
        for words in self._heard:
            if words is not None:
                words[over] = 0.0
        goes_on = torch.from_numpy(~over)
        for index, (actor, critic) in enumerate(self._memories):
            rows = goes_on.repeat(1, len(self._team.roles[index].role.agents)).unsqueeze(-1)
            self._memories[index] = (None if actor is None else actor * rows), critic

    def _look_ahead(self) -> None:
        """Write what the critics see after the last step."""
        observation = self._observation
        assert observation is not None, "the rollout ended"
        for index, (policy, storage, maker) in enumerate(
            zip(self._team.roles, self._storages, self._makers, strict=True)
        ):
            storage.inputs[:, -1] = policy.inputs(maker.actor(observation, self._heard))
            self._keep_critic(index, self._sizes.steps, observation)

    def _finish(
        self, index: int, began: tuple[Tensor | None, ...], gamma: float, lam: float, scales_rewards: bool
    ) -> Transitions:
        storage, scale = self._storages[index], self._team.returns[index]
        rewards = scale(storage.rewards, storage.ended, gamma=gamma) if scales_rewards else storage.rewards
        found = storage.finished(rewards, actor_memory=began[0], critic_memory=began[1], gamma=gamma, lam=lam)
        self._carry_critic(index, found)
        return found

    def _carry_critic(self, index: int, found: Transitions) -> None:
        """Bring the critic's memory to the end of the rollout."""
        actor, critic = self._memories[index]
        if critic is None:
            return
        seen = found.inputs if found.critic_inputs is None else found.critic_inputs
        with torch.no_grad():
            _, memories = self._team.roles[index].critic.unroll(
                seen.transpose(1, 2), critic, found.begins.transpose(1, 2)
            )
        self._memories[index] = actor, memories[:, :, -1] * ~self._storages[index].ended[:, -1, :, None]
