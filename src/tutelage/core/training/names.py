"""Names and keys of optimizers, schedules, losses and precisions, to check a spec long before torch is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tutelage.core.errors import InvalidSpec, unknown

_ADAM = frozenset({"betas", "eps", "weight_decay"})

OPTIMIZERS: Mapping[str, frozenset[str]] = {
    "sgd": frozenset({"momentum", "dampening", "nesterov", "weight_decay"}),
    "adam": _ADAM | {"amsgrad"},
    "adamw": _ADAM | {"amsgrad"},
    "rmsprop": frozenset({"alpha", "eps", "weight_decay", "momentum", "centered"}),
    "adagrad": frozenset({"lr_decay", "weight_decay", "initial_accumulator_value", "eps"}),
    "adadelta": frozenset({"rho", "eps", "weight_decay"}),
    "nadam": _ADAM | {"momentum_decay", "decoupled_weight_decay"},
    "radam": _ADAM | {"decoupled_weight_decay"},
    "adamax": _ADAM,
    "asgd": frozenset({"lambd", "alpha", "t0", "weight_decay"}),
    "rprop": frozenset({"etas", "step_sizes"}),
    "adafactor": frozenset({"beta2_decay", "eps", "d", "weight_decay"}),
    "muon": frozenset({"weight_decay", "momentum", "nesterov", "ns_steps", "betas", "eps", "adamw_for"}),
    "lion": frozenset({"betas", "weight_decay"}),
}
"""Optimizer -> the keys it takes beside `name` and `lr`; in torch's own words."""

SCHEDULES: Mapping[str, frozenset[str]] = {
    "constant": frozenset(),
    "linear": frozenset({"final"}),
    "step": frozenset({"every", "gamma"}),
    "exponential": frozenset({"gamma"}),
    "polynomial": frozenset({"power", "final"}),
    "cosine": frozenset({"final"}),
    "cosine_restarts": frozenset({"period", "growth", "final"}),
    "one_cycle": frozenset({"rise", "start", "final"}),
    "inverse_sqrt": frozenset({"timescale"}),
    "warmup_stable_decay": frozenset({"decay_steps", "final"}),
    "plateau": frozenset({"gamma", "patience", "min_delta", "final"}),
}
"""Schedule -> the keys it takes beside `name` and `warmup_steps`."""

LOSSES: Mapping[str, frozenset[str]] = {
    "cross_entropy": frozenset({"label_smoothing", "ignore_index"}),
    "mse": frozenset(),
    "huber": frozenset({"delta"}),
    "focal": frozenset({"gamma", "ignore_index"}),
}
"""Loss -> the keys it takes beside `name`; any other loss is named by its dotted path, `package.module:function`."""

PRECISIONS = ("fp32", "bf16", "fp16", "auto", "simulate:fp16", "simulate:bf16")


def check_optimizer(config: Mapping[str, Any]) -> str:
    """Return the optimizer's name. Raises UnknownName for a name or key it does not know."""
    return check_choice("optimizer", config, OPTIMIZERS, common=frozenset({"lr"}))


def check_schedule(config: Mapping[str, Any]) -> str:
    """Return the schedule's name. Raises UnknownName for a name or key it does not know."""
    return check_choice("schedule", config, SCHEDULES, common=frozenset({"warmup_steps"}))


def check_choice(
    kind: str, config: Mapping[str, Any], allowed: Mapping[str, frozenset[str]], *, common: frozenset[str]
) -> str:
    """Return `config["name"]`. Raises UnknownName, with the nearest match and the list, for an unknown name or key."""
    name = config.get("name")
    if not isinstance(name, str):
        raise InvalidSpec(f"the {kind} has no name, got {dict(config)!r}", hint=f"allowed: {', '.join(allowed)}")
    if name not in allowed:
        raise unknown(kind, name, allowed)
    for key in config:
        if key not in allowed[name] | common | {"name"}:
            raise unknown(f"key of {kind} {name!r}", key, allowed[name] | common)
    return name
