"""Shuffled minibatches of a rollout, each seed's in the order of its own generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Generator, Tensor

from tutelage.services.agents.ppo.storage import Transitions


@dataclass(frozen=True, kw_only=True)
class Minibatch:
    """Rows of one role, (S, b, ...); sequences (S, b, T, ...) for networks with a memory, memories (S, b, width)."""

    inputs: Tensor
    critic_inputs: Tensor | None
    action: Tensor | None
    word: Tensor | None
    allowed: Tensor | None
    plays: Tensor | None
    log_prob: Tensor
    advantage: Tensor
    returns: Tensor
    begins: Tensor | None
    actor_memory: Tensor | None
    critic_memory: Tensor | None


def flattened(rollout: Transitions) -> Minibatch:
    """Return all rows of a rollout as one batch: single steps, or whole sequences where a network has a memory."""
    is_sequence = rollout.actor_memory is not None or rollout.critic_memory is not None
    found: dict[str, Tensor | None] = {}
    for field in fields(Minibatch):
        value: Tensor | None = getattr(rollout, field.name)
        if field.name not in ("actor_memory", "critic_memory") and value is not None:
            value = value.transpose(1, 2).contiguous() if is_sequence else value.flatten(1, 2)
        found[field.name] = value
    if not is_sequence:
        found["begins"] = None
    return Minibatch(**found)  # type: ignore[arg-type]  # the required ones are there


def order_of(rows: Minibatch, generators: Sequence[Generator]) -> Tensor:
    """Return a random order of each seed's rows (S, rows), counted over all seeds."""
    total = rows.inputs.shape[1]
    return torch.stack(
        [torch.randperm(total, generator=generator) + total * seed for seed, generator in enumerate(generators)]
    )


def shuffled(rows: Minibatch, order: Tensor, num: int) -> Iterator[Minibatch]:
    """Yield `num` minibatches that hold every row once, in an order of `order_of`."""
    seeds = len(order)
    given = {field.name: getattr(rows, field.name) for field in fields(rows)}
    for chosen in order.chunk(num, 1):
        flat = chosen.flatten()
        taken = {
            name: None if value is None else value.flatten(0, 1).index_select(0, flat).view(seeds, -1, *value.shape[2:])
            for name, value in given.items()
        }
        yield Minibatch(**taken)  # type: ignore[arg-type]  # as in `flattened`
