"""Where a model's parameters are: counted, never computed."""

from __future__ import annotations

from tutelage.services.codegen.model.transformer import Transformer

KINDS = (
    ("cross_attention_norm.", "norms"),
    ("self_attention_norm.", "norms"),
    ("attention_norm.", "norms"),
    ("feed_forward_norm.", "norms"),
    ("cross_attention.", "cross_attention"),
    ("self_attention.", "self_attention"),
    ("attention.", "self_attention"),
    ("feed_forward.", "feed_forward"),
)


def parameter_breakdown(model: Transformer) -> dict[str, int]:
    """Return the number of parameters of each part, and `total`, their sum; the head is the embedding's."""
    counts: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        part = _part(name)
        counts[part] = counts.get(part, 0) + parameter.numel()
    return {**counts, "total": sum(counts.values())}


def stack_parameters(breakdown: dict[str, int]) -> int:
    """Return the parameters of both stacks: everything but the embedding."""
    return breakdown["total"] - breakdown["embedding"]


def _part(name: str) -> str:
    side, _, rest = name.partition(".")
    if side == "embedding":
        return "embedding"
    stack = side.split("_")[0]
    if side.endswith("_norm"):
        return f"{stack}_norms"
    within = rest.split(".", 1)[1]
    return f"{stack}_{next(kind for beginning, kind in KINDS if within.startswith(beginning))}"
