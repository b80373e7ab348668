"""What is learned from: generated pairs, users' own pairs, a corpus to retrieve from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tutelage.core.spec import Document
from tutelage.services.codegen.config.defaults import of

_default = of("data")


class DataConfig(Document):
    """Pairs of a sentence and a program."""

    level: Literal["small", "wide"] = Field(
        _default("level"),
        description="small: functions, kernels, loops; wide: also structs, helpers, branches, textures",
    )
    num_programs: int = Field(
        _default("num_programs"), ge=16, le=10_000_000, description="generated programs to learn from"
    )
    num_held_out: int = Field(
        _default("num_held_out"), ge=1, le=100_000, description="generated programs held out by composition"
    )
    examples: list[str] = Field(
        list(_default("examples")), description="files of own pairs, TOML or JSON: natural_language, wgsl_code"
    )
    corpus: list[str] = Field(list(_default("corpus")), description="folders of .wgsl files to retrieve from")
    retrieve: int = Field(
        _default("retrieve"), ge=0, le=8, description="nearest examples that the encoder reads beside the sentence"
    )
