"""Answers requests to a finished model: a sentence in, WGSL out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.ports import Emit, Requests
from tutelage.core.spec import Document
from tutelage.services.codegen.artifacts import STATS, SavedModel, load_saved_model
from tutelage.services.codegen.config import CodegenConfig, DecodingConfig
from tutelage.services.codegen.engines.opening import EngineName
from tutelage.services.codegen.generation import Generator

MAX_PROMPT_CHARS = 10_000


class GenerateRequest(Document):
    """What to write, and how; what is left out is as the operation's own `decoding` says."""

    prompt: str = Field(min_length=1, max_length=MAX_PROMPT_CHARS, description="what the code shall do, in a sentence")
    beam: int | None = Field(None, ge=1, le=64, description="hypotheses kept side by side")
    length_penalty: float | None = Field(
        None, ge=0, le=5, description="beam: scores are divided by length to this power"
    )
    temperature: float | None = Field(None, ge=0, le=100, description="0 takes the likeliest token each time")
    top_k: int | None = Field(None, ge=1, description="draw from the k likeliest tokens only")
    top_p: float | None = Field(None, gt=0, le=1, description="draw from the likeliest tokens that make up this share")
    seed: int | None = Field(None, ge=0, le=2**63 - 1, description="seed of the draws")
    max_new_tokens: int | None = Field(None, ge=1, le=16_384, description="tokens to write, at most")
    constrain: bool | None = Field(None, description="write only what grammar, scopes and types allow")
    retrieve: int = Field(0, ge=0, le=8, description="nearest known examples that are read beside the sentence")
    engine: EngineName = Field("torch", description="what computes")

    def decoding(self, own: DecodingConfig) -> DecodingConfig:
        """Return the settings of this request over the operation's own. Raises InvalidSpec for two searches at once."""
        given = self.model_dump(exclude_none=True, exclude={"prompt", "retrieve", "engine"})
        if ({"top_k", "top_p"} & given.keys()) and not own.draws:
            given.setdefault("temperature", 1.0)
        if given.get("temperature"):
            given.setdefault("beam", 1)
        return DecodingConfig.model_validate({**own.model_dump(), **given})


def use(model: Path, config: CodegenConfig, requests: Requests, emit: Emit) -> None:
    """Load the operation's model once, and answer every request."""
    artifacts = model / "artifacts"
    saved: SavedModel | None = None
    generators: dict[str, Generator] = {}
    for request in requests:
        asked = read_request(request)
        saved = saved or load_saved_model(artifacts)
        if asked.engine not in generators:
            generators[asked.engine] = Generator.open(
                artifacts, saved, engine=asked.engine, reads_examples=_reads_examples(artifacts)
            )
        emit(generators[asked.engine].answer(asked.prompt, asked.decoding(config.decoding), retrieve=asked.retrieve))


def _reads_examples(artifacts: Path) -> bool:
    return bool(json.loads((artifacts / STATS).read_text(encoding="utf-8"))["retrieve"])


def read_request(request: Mapping[str, Any]) -> GenerateRequest:
    """Return the request as it is meant. Raises UnknownName for a key, InvalidSpec for a value out of bounds."""
    for key in request:
        if key not in GenerateRequest.model_fields:
            raise unknown("key", key, GenerateRequest.model_fields)
    try:
        return GenerateRequest.model_validate(dict(request))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidSpec(f"{'.'.join(map(str, first['loc']))}: {first['msg']}, got {first['input']!r}"[:500]) from None


__all__ = ["GenerateRequest", "use"]
