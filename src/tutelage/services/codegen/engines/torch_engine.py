"""The reference engine: the model itself, in torch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tutelage.services.codegen.engines.base import Ids, Logits
from tutelage.services.codegen.model.cache import KeyValueCache
from tutelage.services.codegen.model.transformer import Transformer

Memory = tuple[Tensor, Tensor]
"""What the encoder gave [B, S, D], and its mask [B, 1, 1, S]."""


class TorchEngine:
    """Runs a Transformer, which is to be in evaluation mode, on its own device."""

    name = "torch"

    def __init__(self, model: Transformer) -> None:
        self._model = model

    @torch.inference_mode()
    def encode(self, source: Ids) -> Memory:
        """Read sources [B, S]."""
        memory, mask = self._model.encode(self._tensor(source))
        return memory, mask

    @torch.inference_mode()
    def open(self, memory: Memory, *, max_tokens: int) -> KeyValueCache:
        """Return an empty cache with room for `max_tokens` positions."""
        return self._model.open_cache(*memory, max_tokens=max_tokens)

    @torch.inference_mode()
    def step(self, ids: Ids, cache: KeyValueCache) -> Logits:
        """Write ids [B, T]; return the scores [B, T, V] of the token after each."""
        logits: Logits = self._model.step(self._tensor(ids), cache).float().cpu().numpy()
        return logits

    def _tensor(self, ids: Ids) -> Tensor:
        device = next(self._model.parameters()).device
        return torch.from_numpy(np.ascontiguousarray(ids, dtype=np.int64)).to(device)
