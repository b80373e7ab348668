"""One optimizer step: backward, unscale, check, filter, clip, step, average. Usable with or without `fit`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from tutelage.training.averaging import WeightAverage
from tutelage.training.gradients import UpdateRatio, clip_gradients, norm_of
from tutelage.training.grokfast import GradientFilter
from tutelage.training.optimizers import create_optimizer, load_named_state, named_state
from tutelage.training.parameters import freeze, matching, parameter_groups
from tutelage.training.plan import Plan
from tutelage.training.precision import create_precision
from tutelage.training.task import Loss
from tutelage.training.world import ALONE, World, power_of_two_above

LossOf = Callable[[], Loss]
"""Computes the loss of one batch; called within the plan's precision."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """What one optimizer step amounted to, over all its batches and ranks.

    `is_applied` is False where it was left out: a value was not finite. `is_overflow` says that it was float16's own
    overflow, which passes as the loss scale falls.
    """

    loss: float
    num_items: int
    grad_norm: float
    filtered_grad_norm: float | None = None
    update_ratio: float | None = None
    means: Mapping[str, float] = field(default_factory=dict)
    is_applied: bool = True
    is_overflow: bool = False


class Updater:
    """Owns what a step needs beside the model: optimizer, gradient filter, precision, averaged weights.

    Made from the model and a plan: freezes, groups and creates everything by it. For loops other than `fit`, such as
    reinforcement learning with several steps a rollout: set the rates with `set_rates`, then `update`.
    """

    def __init__(self, model: nn.Module, plan: Plan, *, precision: str | None = None, world: World = ALONE) -> None:
        freeze(model, plan.freeze)
        self.model, self._plan, self._world = model, plan, world
        self.optimizer = create_optimizer(parameter_groups(model, plan.groups), plan.optimizer)
        self.precision = create_precision(precision or plan.precision, model)
        self.average = WeightAverage(model, plan.ema_decay) if plan.ema_decay is not None else None
        self.filter = self._filter()
        self._trained = [param for group in self.optimizer.param_groups for param in group["params"]]
        self._names: dict[Tensor, str] = {param: name for name, param in model.named_parameters()}

    def _filter(self) -> GradientFilter | None:
        options = self._plan.grokfast
        if options is None:
            return None
        excluded = matching(self.model, options.exclude)
        return GradientFilter(self.model.named_parameters(), options, excluded=excluded)

    def set_rates(self, *, lr: float, weight_decay: float | None = None) -> None:
        """Set the learning rate, times each group's scale, and the decay of the groups that have the optimizer's."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["lr_scale"]
            if weight_decay is not None and group["decays"] and "weight_decay" in group:
                group["weight_decay"] = weight_decay

    def update(
        self,
        losses: Sequence[LossOf],
        *,
        without_sync: Callable[[], AbstractContextManager[Any]] = nullcontext,
        measure_ratio: bool = False,
    ) -> Update:
        """Take one optimizer step on the mean loss over the items of all `losses` (and of all ranks).

        `without_sync` is the context for all batches but the last, in which ranks do not exchange gradients.
        """
        self.optimizer.zero_grad(set_to_none=True)
        self.precision.begin()
        summed = self._backward(losses, without_sync)
        self.precision.finish(self.optimizer)
        gradients = [param.grad for param in self._trained if param.grad is not None]
        torch._foreach_mul_(gradients, self._world.size * summed.unit / max(summed.num_items, 1))
        norm = norm_of(gradients)
        is_finite = math.isfinite(norm) and math.isfinite(summed.loss)
        filtered, ratio = None, None
        if is_finite:
            filtered, ratio = self._apply(gradients, norm, measure_ratio=measure_ratio)
        may_pass = self.precision.settle()
        is_applied = is_finite and (filtered is None or math.isfinite(filtered))
        return Update(
            loss=summed.loss,
            num_items=summed.num_items,
            grad_norm=norm,
            filtered_grad_norm=filtered,
            update_ratio=ratio,
            means=summed.means,
            is_applied=is_applied,
            is_overflow=not is_applied and may_pass and math.isfinite(summed.loss),
        )

    def _backward(self, losses: Sequence[LossOf], without_sync: Callable[[], AbstractContextManager[Any]]) -> _Summed:
        """Add up the gradients of all batches, each divided by a power of two near the first one's items.

        The exact divisor, the items of all batches and ranks, is known only afterwards; the power keeps the numbers
        near those of a mean, without a rounding of its own.
        """
        summed = _Summed()
        for index, loss_of in enumerate(losses):
            with without_sync() if index < len(losses) - 1 else nullcontext():
                with self.precision.forward():
                    loss = loss_of()
                if index == 0:
                    summed.unit = power_of_two_above(self._world.largest(loss.num_items))
                self.precision.backward(loss.total / summed.unit)
            summed.add(loss)
        summed.over(self._world)
        return summed

    def _apply(self, gradients: list[Tensor], norm: float, *, measure_ratio: bool) -> tuple[float | None, float | None]:
        """Filter, clip, step, average; return the filtered norm and the update's ratio."""
        filtered = None
        if self.filter is not None:
            self.filter.apply()
            filtered = norm = norm_of(gradients)
            if not math.isfinite(norm):
                return filtered, None
        clip_gradients(gradients, self._plan.clip, norm=norm)
        ratio = UpdateRatio(self._trained) if measure_ratio else None
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        return filtered, ratio.measure() if ratio else None

    def state_dict(self) -> dict[str, Any]:
        """Return everything but weights and averaged weights."""
        return {
            "optimizer": {"name": self._plan.optimizer["name"], "state": named_state(self.optimizer, self._names)},
            "filter": self.filter.state_dict() if self.filter else None,
            "precision": self.precision.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> bool:
        """Take back what `state_dict` returned; False where another optimizer wrote it, which then starts fresh."""
        is_same: bool = state["optimizer"]["name"] == self._plan.optimizer["name"]
        if is_same:
            load_named_state(self.optimizer, self._names, state["optimizer"]["state"])
        if self.filter is not None and state["filter"] is not None:
            self.filter.load_state_dict(state["filter"])
        self.precision.load_state_dict(state["precision"])
        return is_same


class _Summed:
    """Loss, items and further sums of the batches of one step."""

    def __init__(self) -> None:
        self.unit = 1.0
        self.num_items = 0
        self._total: Tensor | float = 0.0
        self._sums: dict[str, Tensor | float] = {}

    def add(self, loss: Loss) -> None:
        """Add a batch, without waiting for its device."""
        self.num_items += loss.num_items
        self._total = self._total + loss.total.detach().double()
        for name, value in loss.sums.items():
            self._sums[name] = self._sums.get(name, 0.0) + (value.detach() if isinstance(value, Tensor) else value)

    def over(self, world: World) -> None:
        """Add up over all ranks; each names the same sums."""
        names = sorted(self._sums)
        own = [float(self._total), *(float(self._sums[name]) for name in names)]
        num_items, total, *sums = world.sums([self.num_items, *own])
        self.num_items, self._total, self._sums = int(num_items), total, dict(zip(names, sums, strict=True))

    @property
    def loss(self) -> float:
        return float(self._total) / max(self.num_items, 1)

    @property
    def means(self) -> dict[str, float]:
        return {name: float(value) / max(self.num_items, 1) for name, value in self._sums.items()}
