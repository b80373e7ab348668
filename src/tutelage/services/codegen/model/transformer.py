"""The encoder-decoder Transformer (Vaswani et al. 2017). Shapes: B batch, S source, T target, D model, V vocabulary.

Its shape is one that CTranslate2's `TransformerSpec` and ONNX can hold: pre-norm, sinusoidal positions, tied table.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tutelage.services.codegen.config.transformer import TransformerConfig
from tutelage.services.codegen.model.cache import KeyValueCache, LayerCache
from tutelage.services.codegen.model.embedding import PositionalEncoding, TokenEmbedding
from tutelage.services.codegen.model.layers import DecoderLayer, EncoderLayer

PAD_ID = 0


class Transformer(nn.Module):
    """Reads a source, writes a target. Id 0 is padding; the source may be padded on the right, targets too."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = TokenEmbedding(config.vocab_size, config.d_model, target_vocab_size=config.target_vocab_size)
        self.positions = PositionalEncoding(config.max_positions, config.d_model)
        self.dropout = nn.Dropout(config.dropout)
        self.encoder_layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_encoder_layers))
        self.encoder_norm = nn.LayerNorm(config.d_model)
        self.decoder_layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.num_decoder_layers))
        self.decoder_norm = nn.LayerNorm(config.d_model)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Read source ids [B, S]: return the memory [B, S, D] and its mask [B, 1, 1, S], False on padding."""
        mask = (source != PAD_ID)[:, None, None, :]
        x = self.dropout(self.positions(self.embedding(source)))
        for layer in self.encoder_layers:
            x = layer(x, mask=mask)
        return self.encoder_norm(x), mask

    def decode(self, target: Tensor, memory: Tensor, memory_mask: Tensor) -> Tensor:
        """Return the logits [B, T, V] of the token after each of target [B, T], which begins with <sos>."""
        x = self.dropout(self.positions(self.embedding(target)))
        for layer in self.decoder_layers:
            x = layer(x, memory, memory_mask=memory_mask)
        return self.embedding.logits(self.decoder_norm(x))

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the logits [B, T, V] of target [B, T] given source [B, S]."""
        return self.decode(target, *self.encode(source))

    def open_cache(self, memory: Tensor, memory_mask: Tensor, *, max_tokens: int) -> KeyValueCache:
        """Return an empty cache with room for `max_tokens` positions; the memory's keys and values are in it."""
        layers = [
            LayerCache(*layer.cross_attention.keys_and_values(memory), max_tokens=max_tokens)
            for layer in self._decoder_layers()
        ]
        return KeyValueCache(layers, memory_mask, max_tokens=max_tokens)

    def step(self, ids: Tensor, cache: KeyValueCache) -> Tensor:
        """Write ids [B, T] at the next positions and return the logits [B, T, V] of the token after each."""
        first, time = cache.length, ids.shape[1]
        mask = None if time == 1 else _causal(time, first, ids.device)
        x = self.positions(self.embedding(ids), first=first)
        for layer, kept in zip(self._decoder_layers(), cache.layers, strict=True):
            x = layer.step(x, kept, first=first, memory_mask=cache.memory_mask, mask=mask)
        cache.advance(time)
        return self.embedding.logits(self.decoder_norm(x))

    def _decoder_layers(self) -> list[DecoderLayer]:
        return list(self.decoder_layers)  # type: ignore[arg-type]


def _causal(time: int, first: int, device: torch.device) -> Tensor:
    """Return [T, first + T], True where a new position may read: all earlier ones and itself."""
    return torch.ones(time, first + time, dtype=torch.bool, device=device).tril(diagonal=first)
