"""One update after the other: play a rollout, learn from it. Knows nothing of runs, files or commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn

from tutelage.services.agents.config import AgentsConfig
from tutelage.services.agents.policies.team import Team
from tutelage.services.agents.ppo.anchoring import divergence
from tutelage.services.agents.ppo.collector import Collector, Ended, Rollout
from tutelage.services.agents.ppo.holding import Held
from tutelage.services.agents.ppo.loss import Coefficients, role_loss
from tutelage.services.agents.ppo.minibatches import Minibatch, flattened, order_of, shuffled
from tutelage.services.agents.ppo.returns import explained_variance
from tutelage.training import Loss, Update, Updater

PER_TARGET_KL = 1.5
"""A seed whose policy moved so many times the target learns nothing in the rest of the update."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What one update came to: figures a seed (S,), ended episodes a seed, the last step's gradient and loss."""

    figures: Mapping[str, Tensor]
    ended: tuple[Ended, ...]
    grad_norm: float
    loss: float
    is_applied: bool


class Learner:
    """The task of the training layer's parts: its model is the team, its state the environments and random streams."""

    def __init__(
        self,
        team: Team,
        collector: Collector,
        generators: Sequence[Generator],
        config: AgentsConfig,
        *,
        anchor: Team | None = None,
    ) -> None:
        self._team, self._collector, self._generators, self._config = team, collector, generators, config
        self._anchor = anchor

    @property
    def model(self) -> nn.Module:
        """The team."""
        return self._team

    def update(self, updater: Updater, weigh: Coefficients) -> Learned:
        """Play one rollout and take the optimizer steps on it; the rates are those of the updater."""
        config = self._config
        rollout = self._collector.collect(
            gamma=config.gamma, lam=config.gae_lambda, scales_rewards=config.normalize_rewards
        )
        summed, last = self._learn(rollout, updater, weigh)
        if config.normalize_observations and self._anchor is None:
            self._collector.learn_normalization()
        figures = {name: torch.stack(values).mean(0) for name, values in summed.items()}
        explained = [explained_variance(part.values, part.returns) for part in rollout.transitions]
        figures["explained_variance"] = torch.stack(explained).mean(0)
        return Learned(
            figures=figures,
            ended=rollout.ended,
            grad_norm=last.grad_norm,
            loss=last.loss,
            is_applied=last.is_applied,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return where environments and random streams stand."""
        return {
            "collector": self._collector.state_dict(),
            "generators": [generator.get_state() for generator in self._generators],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        self._collector.load_state_dict(state["collector"])
        for generator, own in zip(self._generators, state["generators"], strict=True):
            generator.set_state(own)

    def _learn(self, rollout: Rollout, updater: Updater, weigh: Coefficients) -> tuple[dict[str, list[Tensor]], Update]:
        """Take every optimizer step of this rollout; return the figures of each, and the last step's summary."""
        rows = [flattened(part) for part in rollout.transitions]
        target = self._config.target_kl
        held, active = Held(updater.optimizer), torch.ones(self._team.num_seeds)
        summed: dict[str, list[Tensor]] = {}
        left = self._config.epochs * self._config.num_minibatches
        for minibatches in self._minibatches(rows):
            left -= 1
            found: dict[str, Tensor] = {}
            update = updater.update([partial(self._loss, minibatches, weigh, active, found)])
            for name, value in found.items():
                summed.setdefault(name, []).append(value)
            if target is not None:
                active = active * (found["approx_kl"] <= PER_TARGET_KL * target)
                for index in (active == 0).nonzero().flatten().tolist():
                    held.hold(index)
            if not update.is_applied or not active.any():
                break
        held.restore(steps_left_out=left)
        return summed, update

    def _minibatches(self, rows: Sequence[Minibatch]) -> Iterator[tuple[Minibatch, ...]]:
        """Yield one minibatch a role, over all epochs."""
        num = self._config.num_minibatches
        # All orders are drawn now: a seed's stream must not hang on how early an update ends.
        orders = [[order_of(each, self._generators) for each in rows] for _ in range(self._config.epochs)]
        for of_epoch in orders:
            parts = [shuffled(each, order, num) for each, order in zip(rows, of_epoch, strict=True)]
            yield from zip(*parts, strict=True)

    def _loss(
        self, minibatches: Sequence[Minibatch], weigh: Coefficients, active: Tensor, found: dict[str, Tensor]
    ) -> Loss:
        """Return the loss of all roles and seeds; each seed's is a mean over its own rows, whoever is beside it."""
        total = torch.zeros(())
        for index, (policy, rows) in enumerate(zip(self._team.roles, minibatches, strict=True)):
            loss = role_loss(policy, rows, weigh)
            total = total + (loss.total * active).sum()
            parts = loss.parts
            if self._anchor is not None:
                moved = divergence(policy, self._anchor.roles[index], rows)
                total = total + self._config.base_kl_weight * (moved * active).sum()
                parts = {**parts, "base_kl": moved.detach()}
            for name, value in parts.items():
                found[name] = found.get(name, torch.zeros_like(value)) + value / len(self._team.roles)
        return Loss(total=total, num_items=1)
