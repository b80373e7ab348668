"""Optimizers by name: torch's own, fused where torch has that, and Lion; their state by parameter name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from tutelage.core.training import check_optimizer
from tutelage.training.lion import Lion
from tutelage.training.parameters import ParameterGroup

TORCH: Mapping[str, Callable[..., Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "adamax": torch.optim.Adamax,
    "asgd": torch.optim.ASGD,
    "rprop": torch.optim.Rprop,
    "adafactor": torch.optim.Adafactor,
}
FUSED = frozenset({"sgd", "adam", "adamw", "adagrad"})
"""Those with a fused step; on a CPU it is about three times faster than the loop, where `foreach` gains nothing."""
TUPLES = frozenset({"betas", "etas", "step_sizes", "eps"})
ADAMW_ONLY = frozenset({"betas", "eps"})


def create_optimizer(params: Iterable[Tensor] | Iterable[ParameterGroup], config: Mapping[str, Any]) -> Optimizer:
    """Make the optimizer that `config` names: `{"name": "adamw", "lr": 3e-4, "betas": [0.9, 0.95]}`.

    `params` are tensors, or groups of `parameter_groups`, whose `lr_scale` then holds. Keys are torch's; what is left
    out is torch's default. Raises UnknownName with the nearest match for a name or key it does not know.
    """
    name = check_optimizer(config)
    given: Any = list(params)
    options = {key: _value(key, value) for key, value in config.items() if key != "name"}
    if name == "muon":
        optimizer: Optimizer = MuonWithAdamW(given, **options)
    elif name == "lion":
        optimizer = Lion(given, **options)
    else:
        optimizer = TORCH[name](given, **options, **({"fused": True} if name in FUSED else {}))
    for group in optimizer.param_groups:
        group["lr"] *= group.setdefault("lr_scale", 1.0)
    return optimizer


class MuonWithAdamW(Optimizer):
    """Muon (Jordan et al. 2024) for matrices, AdamW for the rest: norms, biases, embeddings and what `adamw_for` names.

    Muon's step is scaled to the root mean square of AdamW's (Liu et al. 2025, arXiv 2502.16982), so that one learning
    rate serves both. `momentum`, `nesterov`, `ns_steps` are Muon's, `betas` and `eps` AdamW's.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        adamw_for: Iterable[str] = (),
        **options: Any,
    ) -> None:
        groups = [each if isinstance(each, dict) else {"params": [each]} for each in params]
        matrices, rest = _split(groups, tuple(adamw_for))
        common: dict[str, Any] = {"lr": lr, "weight_decay": weight_decay}
        ours = {key: value for key, value in options.items() if key not in ADAMW_ONLY}
        theirs = {key: value for key, value in options.items() if key in ADAMW_ONLY}
        self._parts: list[Optimizer] = []
        if matrices:
            self._parts.append(torch.optim.Muon(matrices, adjust_lr_fn="match_rms_adamw", **common, **ours))
        if rest:
            self._parts.append(torch.optim.AdamW(rest, fused=True, **common, **theirs))
        super().__init__([group for part in self._parts for group in part.param_groups], common)
        self._share()

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take one step with both."""
        loss = closure() if closure is not None else None
        for part in self._parts:
            part.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        super().load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        """Have both parts work on this optimizer's own groups and state."""
        begin = 0
        for part in self._parts:
            end = begin + len(part.param_groups)
            part.param_groups, part.state = self.param_groups[begin:end], self.state
            begin = end


def named_state(optimizer: Optimizer, names: Mapping[Tensor, str]) -> dict[str, dict[str, Any]]:
    """Return the optimizer's state by parameter name, so that it outlives a change of groups."""
    return {names[param]: dict(state) for param, state in optimizer.state.items()}


def load_named_state(optimizer: Optimizer, names: Mapping[Tensor, str], state: Mapping[str, dict[str, Any]]) -> None:
    """Take state back by parameter name; rates and options stay those that the optimizer was made with."""
    document = optimizer.state_dict()
    order = [names[param] for group in optimizer.param_groups for param in group["params"]]
    document["state"] = {index: state[name] for index, name in enumerate(order) if name in state}
    optimizer.load_state_dict(document)


def _split(groups: list[ParameterGroup], adamw_for: tuple[str, ...]) -> tuple[list[ParameterGroup], ...]:
    """Return the groups of matrices, and those of everything else."""
    sides: tuple[list[ParameterGroup], list[ParameterGroup]] = ([], [])
    for group in groups:
        params = list(group["params"])
        names = group.get("names", [""] * len(params))
        is_rest = [
            param.ndim != 2 or group.get("is_embedding", False) or any(fnmatchcase(name, each) for each in adamw_for)
            for param, name in zip(params, names, strict=True)
        ]
        for side, wanted in zip(sides, (False, True), strict=True):
            chosen = [index for index, rest in enumerate(is_rest) if rest is wanted]
            if chosen:
                own = {"params": [params[index] for index in chosen], "names": [names[index] for index in chosen]}
                side.append({**group, **own})
    return sides


def _value(key: str, value: Any) -> Any:
    return tuple(value) if key in TUPLES and isinstance(value, list) else value
