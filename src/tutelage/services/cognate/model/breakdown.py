"""Where a model's parameters are: counted, never computed."""

from __future__ import annotations

from tutelage.services.cognate.model.causal_lm import CausalLM

Places = tuple[tuple[str, str], ...]

PLACES: Places = (
    ("embedding.", "embedding"),
    ("head.", "head"),
    ("norm.", "norms"),
    ("halting.", "act_halting"),
    ("step_embedding.", "act_step_embedding"),
    ("memory.prior", "memory_prior"),
    ("memory.", "memory_projections"),
)
BLOCK_PLACES: Places = (
    ("attention.", "attention"),
    ("ffn.", "feed_forward"),
    ("memory.gate.", "memory_gates"),
    ("memory.entropy_weight", "memory_gates"),
    ("memory.sharpness", "memory_gates"),
    ("memory.", "memory_attention"),
    ("mix_norm.", "norms"),
    ("ffn_norm.", "norms"),
)


def parameter_breakdown(model: CausalLM) -> dict[str, int]:
    """Return the number of parameters of each part, and `total`; a head tied to the embedding counts once."""
    counts: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        part = _part(name)
        counts[part] = counts.get(part, 0) + parameter.numel()
    return {**counts, "total": sum(counts.values())}


def bank_bytes(model: CausalLM) -> int:
    """Return the bytes of one sequence's memory bank, which is state, no parameter."""
    if model.memory is None:
        return 0
    return sum(part.numel() * part.element_size() for part in model.memory.empty(1).tensors().values())


def _part(name: str) -> str:
    places, rest = PLACES, name
    if name.startswith("blocks."):
        places, rest = BLOCK_PLACES, name.split(".", 2)[2]
    return next(part for beginning, part in places if rest.startswith(beginning))
