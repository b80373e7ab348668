"""How many numbers an actor learns, layer by layer: the arithmetic with which a spec that is too large is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Counts = tuple[tuple[str, int], ...]
"""(layer, numbers) in order."""


@dataclass(frozen=True, kw_only=True)
class Widths:
    """What the count of a network follows from; `entity_size` 0: no entities, which have a layer of their own."""

    kind: str
    inputs: int
    outputs: int
    hidden: int
    layers: int
    heads: int = 8
    head_width: int = 4
    ffn: int = 24
    entity_size: int = 0
    num_entities: int = 0


def layer_counts(widths: Widths) -> Counts:
    """Return the numbers of each layer of a network."""
    body = {"mlp": _mlp, "recurrent": _recurrent, "attention": _attention}[widths.kind](widths)
    return (*body, ("outputs", linear(widths.hidden, widths.outputs)))


def linear(inputs: int, outputs: int) -> int:
    """Return the numbers of a linear layer: weights and biases."""
    return inputs * outputs + outputs


def total(counts: Counts) -> int:
    """Return the sum."""
    return sum(count for _, count in counts)


def arithmetic(counts: Sequence[tuple[str, int]]) -> str:
    """Return the sum in words: `layer 1: 2,432 + ... = 52,613`."""
    return " + ".join(f"{name} {count:,}" for name, count in counts) + f" = {total(tuple(counts)):,}"


def _mlp(widths: Widths) -> Counts:
    befores = [widths.inputs, *[widths.hidden] * (widths.layers - 1)]
    return tuple((f"layer {number}", linear(before, widths.hidden)) for number, before in enumerate(befores, 1))


def _recurrent(widths: Widths) -> Counts:
    front = _mlp(widths)[:-1]
    before = widths.hidden if front else widths.inputs
    return (*front, ("unit", linear(before, 3 * widths.hidden) + linear(widths.hidden, 3 * widths.hidden)))


def _attention(widths: Widths) -> Counts:
    inner, width = widths.heads * widths.head_width, widths.hidden
    listed = widths.num_entities * widths.entity_size
    attention = linear(width, 3 * inner) + linear(inner, width)
    feed_forward = linear(width, widths.ffn) + linear(widths.ffn, width)
    block = attention + feed_forward + 2 * 2 * width
    first = linear(widths.inputs - listed, width) + (linear(widths.entity_size, width) if listed else 0)
    blocks = tuple((f"block {number}", block) for number in range(1, widths.layers + 1))
    return (("tokens", first), *blocks, ("norm", 2 * width))
