"""Reading whole texts segment by segment, as training does. Shapes: B batch, T time, V vocabulary."""

from __future__ import annotations

import torch
from torch import Tensor

from tutelage.services.cognate.model.causal_lm import CausalLM, surprise_of


def logits_of(model: CausalLM, tokens: Tensor) -> Tensor:
    """Return the logits [B, T, V] of texts of any length, tokens [B, T]; the memory begins empty and carries over."""
    bank = model.memory.empty(tokens.shape[0]) if model.memory is not None else None
    found = []
    for segment in torch.split(tokens, model.settings.segment_len, dim=1):
        output = model(segment, memory=bank)
        logits = model.logits(output.hidden)
        if bank is not None and segment.shape[1] > 1:
            bank = model.write(output, surprise=surprise_of(logits, segment), docs=torch.zeros_like(segment))
        found.append(logits)
    return torch.cat(found, 1)
