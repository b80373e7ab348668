"""How a program is written: the settings of every search and every engine."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tutelage.core.errors import InvalidSpec
from tutelage.core.spec import Document
from tutelage.services.codegen.config.defaults import of

_default = of("decoding")


class DecodingConfig(Document):
    """Greedy unless a beam or a temperature is given."""

    beam: int = Field(_default("beam"), ge=1, le=64, description="hypotheses kept side by side; 1: none")
    length_penalty: float = Field(
        _default("length_penalty"), ge=0, le=5, description="beam: scores are divided by length to this power"
    )
    temperature: float = Field(
        _default("temperature"),
        ge=0,
        le=100,
        description="0 takes the likeliest token each time; else they are drawn",
    )
    top_k: int | None = Field(None, ge=1, description="draw from the k likeliest tokens only")
    top_p: float | None = Field(None, gt=0, le=1, description="draw from the likeliest tokens that make up this share")
    seed: int = Field(_default("seed"), ge=0, le=2**63 - 1, description="seed of the draws")
    max_new_tokens: int = Field(
        _default("max_new_tokens"), ge=1, le=16_384, description="tokens to write, at most; the model's own bound holds"
    )
    constrain: bool = Field(_default("constrain"), description="write only what grammar, scopes and types allow")
    verify_tokens: int = Field(
        _default("verify_tokens"), ge=1, le=256, description="tokens of a draft that are checked in one step"
    )

    @model_validator(mode="after")
    def _one_search(self) -> Self:
        if self.beam > 1 and (self.temperature > 0 or self.top_k is not None or self.top_p is not None):
            raise InvalidSpec(
                "beam keeps the likeliest hypotheses; temperature, top_k and top_p draw: got both",
                hint="give one of them",
            )
        return self

    @property
    def draws(self) -> bool:
        """Whether tokens are drawn by chance."""
        return self.temperature > 0
