"""What shapes a model; plain data, read without torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

WRITE_RULES = ("surprise", "fifo", "random")


@dataclass(frozen=True, kw_only=True)
class ActSettings:
    """Adaptive computation time (Graves 2016): when a token stops, and how often it may be worked on.

    A token halts once its halting probabilities add up to `threshold`. `recur_last` 0: the layers are the steps;
    k: the last k blocks are applied up to `max_steps` times (Universal Transformer).
    """

    threshold: float = 0.99
    max_steps: int = 16
    recur_last: int = 0


@dataclass(frozen=True, kw_only=True)
class MemorySettings:
    """The bank of past segments: its width, its slots, how many are read, and what earns a slot."""

    d_mem: int
    capacity: int
    top_k: int = 4
    write_rule: str = "surprise"
    decay: float = 0.9


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """Everything that decides a model's parameters and what it computes."""

    vocab_size: int
    d_model: int
    n_layers: int
    n_heads: int
    d_ffn: int
    segment_len: int
    dropout: float = 0.0
    rope_base: float = 10_000.0
    tie_embeddings: bool = False
    act: ActSettings | None = None
    memory: MemorySettings | None = None

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.d_model // self.n_heads

    def document(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> ModelSettings:
        """Read what `document` returned."""
        act, memory = document.get("act"), document.get("memory")
        parts = {
            "act": ActSettings(**act) if act else None,
            "memory": MemorySettings(**memory) if memory else None,
        }
        return cls(**{**document, **parts})
