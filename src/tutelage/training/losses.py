"""Losses by name, each a sum over valid items with their count; any other by its dotted path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.service import load
from tutelage.core.training.names import LOSSES, check_choice
from tutelage.training.task import Loss

LossFunction = Callable[..., Loss]
"""`(outputs, targets) -> Loss`, its options bound."""

IGNORED = -100
"""The target of an item that does not count, such as padding."""


def cross_entropy(
    logits: Tensor,  # (N, C) or (..., C)
    targets: Tensor,  # (N,) or (...), class numbers
    *,
    label_smoothing: float = 0.0,
    ignore_index: int = IGNORED,
) -> Loss:
    """Return the cross-entropy in nats of class scores; items whose target is `ignore_index` do not count."""
    flat, wanted = logits.reshape(-1, logits.shape[-1]).float(), targets.reshape(-1)
    total = F.cross_entropy(flat, wanted, label_smoothing=label_smoothing, ignore_index=ignore_index, reduction="sum")
    return Loss(total=total, num_items=int((wanted != ignore_index).sum()))


def focal(
    logits: Tensor,  # (N, C) or (..., C)
    targets: Tensor,  # (N,) or (...), class numbers
    *,
    gamma: float = 2.0,
    ignore_index: int = IGNORED,
) -> Loss:
    """Return the focal loss, `-(1 - p)^gamma ln p`: what is already right weighs less (Lin et al. 2017, 1708.02002)."""
    flat, wanted = logits.reshape(-1, logits.shape[-1]).float(), targets.reshape(-1)
    nats = F.cross_entropy(flat, wanted, ignore_index=ignore_index, reduction="none")
    total = ((1 - (-nats).exp()) ** gamma * nats).sum()
    return Loss(total=total, num_items=int((wanted != ignore_index).sum()))


def mse(outputs: Tensor, targets: Tensor) -> Loss:
    """Return the squared error; each value is an item. Raises InvalidSpec where the shapes differ."""
    _same_shape(outputs, targets)
    return Loss(total=F.mse_loss(outputs.float(), targets.float(), reduction="sum"), num_items=targets.numel())


def huber(outputs: Tensor, targets: Tensor, *, delta: float = 1.0) -> Loss:
    """Return the Huber loss: squared up to `delta`, straight beyond. Raises InvalidSpec where the shapes differ."""
    _same_shape(outputs, targets)
    total = F.huber_loss(outputs.float(), targets.float(), delta=delta, reduction="sum")
    return Loss(total=total, num_items=targets.numel())


BUILT_IN: Mapping[str, LossFunction] = {"cross_entropy": cross_entropy, "focal": focal, "mse": mse, "huber": huber}


def create_loss(config: Mapping[str, Any]) -> LossFunction:
    """Return the loss that `config` names: `{"name": "focal", "gamma": 2}` or `{"name": "my_package.losses:mine"}`.

    A dotted path is imported; its function takes outputs, targets and the remaining keys, and returns a Loss.
    Raises UnknownName with the nearest match for a name or key it does not know.
    """
    name = str(config.get("name", ""))
    options = {key: value for key, value in config.items() if key != "name"}
    if ":" not in name:
        check_choice("loss", config, LOSSES, common=frozenset())
        return partial(BUILT_IN[name], **options)
    try:
        function = load(name)
    except (ImportError, AttributeError) as error:
        raise unknown("loss", name, [*LOSSES, "package.module:function"]) from error
    if not callable(function):
        raise InvalidSpec(f"the loss {name!r} is not a function but {type(function).__name__}")
    return partial(function, **options)


def _same_shape(outputs: Tensor, targets: Tensor) -> None:
    if outputs.shape != targets.shape:
        raise InvalidSpec(
            f"outputs and targets must have one shape, got {tuple(outputs.shape)} and {tuple(targets.shape)}",
            hint="a silent broadcast would compare every output with every target",
        )
