"""One layer: attention and memory side by side, then the feed-forward; pre-norm throughout."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from tutelage.services.cognate.model.active import Active
from tutelage.services.cognate.model.attention import LayerCache, SelfAttention, Window
from tutelage.services.cognate.model.layers import RMSNorm, SwiGLU
from tutelage.services.cognate.model.memory import MemoryAttention, MemoryView
from tutelage.services.cognate.model.settings import ModelSettings


@dataclass(frozen=True)
class Surroundings:
    """What a block works in: the segment's window, its documents [B, T] (None: one), and the memory (None: off)."""

    window: Window
    docs: Tensor | None = None
    memory: MemoryView | None = None


class Block(nn.Module):
    """x + attention(norm x) + memory(norm x), then + feed-forward(norm x)."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        width = settings.d_model
        self.mix_norm = RMSNorm(width)
        self.attention = SelfAttention(width, settings.n_heads)
        memory = settings.memory
        self.memory = MemoryAttention(width, memory.d_mem, settings.n_heads, memory.top_k) if memory else None
        self.ffn_norm = RMSNorm(width)
        self.ffn = SwiGLU(width, settings.d_ffn)
        self.dropout = nn.Dropout(settings.dropout) if settings.dropout else nn.Identity()

    def forward(self, x: Tensor, around: Surroundings, *, shift: Tensor | None, cache: LayerCache | None) -> Tensor:
        """Work on every token of x [B, T, D]; `shift` [D] tells a repeated block which repetition this is."""
        y = self.mix_norm(x if shift is None else x + shift)
        mixed = self.attention(y, around.window, cache=cache)
        if self.memory is not None and around.memory is not None:
            mixed = mixed + self.memory(y, around.memory, docs=around.docs)
        x = x + self.dropout(mixed)
        done: Tensor = x + self.dropout(self.ffn(self.ffn_norm(x)))
        return done

    def forward_active(
        self, x: Tensor, running: Tensor, around: Surroundings, *, shift: Tensor | None, cache: LayerCache | None
    ) -> Tensor:
        """Work on the running tokens [B, T] alone; the others keep their state and give only keys and values."""
        active = Active.of(running)
        y = self.mix_norm(x if shift is None else x + shift)
        if active.is_empty:
            if cache is not None:
                self.attention.remember(y, around.window, cache)
            return x
        taken = active.take(y)
        mixed = self.attention.forward_active(y, taken, active, around.window, cache=cache)
        if self.memory is not None and around.memory is not None:
            docs = around.docs.gather(1, active.index) if around.docs is not None else None
            mixed = mixed + self.memory(taken, around.memory, docs=docs, counted=active.valid)
        rows = (active.take(x) + self.dropout(mixed))[active.valid]
        return active.put(x, rows + self.dropout(self.ffn(self.ffn_norm(rows))))
