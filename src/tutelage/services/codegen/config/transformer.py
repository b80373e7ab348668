"""What shapes the model: read by training, every engine and every export."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from tutelage.core.errors import InvalidSpec
from tutelage.core.spec import Document
from tutelage.services.codegen.config.defaults import of

_default = of("model")


class TransformerConfig(Document):
    """An encoder-decoder Transformer; one table embeds both sides, and its first rows are the head."""

    d_model: int = Field(_default("d_model"), ge=8, le=8192, description="width of the model; even")
    num_heads: int = Field(_default("num_heads"), ge=1, le=128, description="attention heads; they divide d_model")
    num_encoder_layers: int = Field(_default("num_encoder_layers"), ge=1, le=96, description="layers that read")
    num_decoder_layers: int = Field(_default("num_decoder_layers"), ge=1, le=96, description="layers that write")
    d_ffn: int = Field(_default("d_ffn"), ge=8, le=65_536, description="width of the feed-forward")
    activation: Literal["gelu", "swiglu"] = Field(
        _default("activation"), description="of the feed-forward; swiglu has a gate as a third matrix"
    )
    dropout: float = Field(_default("dropout"), ge=0, lt=1, description="share of activations dropped in training")
    max_source_tokens: int = Field(
        _default("max_source_tokens"), ge=8, le=16_384, description="most tokens that are read; more are refused"
    )
    max_target_tokens: int = Field(
        _default("max_target_tokens"), ge=8, le=16_384, description="most tokens that are written, <eos> included"
    )
    vocab_size: int = Field(
        _default("vocab_size"),
        ge=8,
        le=1_000_000,
        description="rows of the embedding: the tokens of code, then those of sentences; before training, at most",
    )
    target_vocab_size: int = Field(
        _default("target_vocab_size"),
        ge=8,
        le=1_000_000,
        description="how many of these rows, from the first on, can be written; before training, at most",
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.d_model % self.num_heads or self.d_model % 2:
            raise InvalidSpec(
                f"d_model must be even and a multiple of num_heads, got {self.d_model} and {self.num_heads}",
                hint="as in 512 and 8",
            )
        if self.target_vocab_size > self.vocab_size:
            raise InvalidSpec(
                f"target_vocab_size is {self.target_vocab_size}, more than vocab_size {self.vocab_size}",
                hint="what can be written is a part of what can be read",
            )
        return self

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.d_model // self.num_heads

    @property
    def max_positions(self) -> int:
        """Most tokens on either side."""
        return max(self.max_source_tokens, self.max_target_tokens)

    def sized(self, *, vocab_size: int, target_vocab_size: int) -> TransformerConfig:
        """Return the config with the sizes of a learned vocabulary. Raises InvalidSpec for one that is too large."""
        if vocab_size > self.vocab_size or target_vocab_size > self.target_vocab_size:
            raise InvalidSpec(
                f"the data has {target_vocab_size} tokens of code and {vocab_size} in all; "
                f"allowed are {self.target_vocab_size} and {self.vocab_size}",
                hint="raise model.target_vocab_size and model.vocab_size",
            )
        return self.model_copy(update={"vocab_size": vocab_size, "target_vocab_size": target_vocab_size})
