"""Answers requests to a finished model: a prompt in, its continuation out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from tutelage.core.errors import InvalidSpec, unknown
from tutelage.core.ports import Emit, Requests
from tutelage.core.spec import Document
from tutelage.services.cognate.artifacts import load_saved_model
from tutelage.services.cognate.config import CognateConfig
from tutelage.services.cognate.data.tokenizer import EOS_ID, TextTokenizer
from tutelage.services.cognate.generation import Sampling, generate
from tutelage.services.cognate.model.causal_lm import CausalLM

MAX_PROMPT_CHARS = 1_000_000


class GenerateRequest(Document):
    """What to write, and how."""

    prompt: str = Field("", max_length=MAX_PROMPT_CHARS, description="the text to go on with")
    max_new_tokens: int = Field(128, ge=1, le=100_000, description="tokens to write, at most")
    temperature: float = Field(0.8, ge=0, le=100, description="0 takes the likeliest token each time")
    top_k: int | None = Field(None, ge=1, description="draw from the k likeliest tokens only")
    top_p: float | None = Field(None, gt=0, le=1, description="draw from the likeliest tokens that make up this share")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="seed of the draws")
    model: str | None = Field(None, description="which of several models; default the first")


def use(model: Path, config: CognateConfig, requests: Requests, emit: Emit) -> None:
    """Load the operation's models once each, and answer every request."""
    loaded: dict[str, tuple[CausalLM, TextTokenizer]] = {}
    for request in requests:
        asked = read_request(request)
        name = _chosen(asked.model, trained_models(model, config))
        if name not in loaded:
            loaded[name] = load_saved_model(model / "artifacts" / name)
        emit(answer(*loaded[name], asked))


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


def answer(model: CausalLM, tokenizer: TextTokenizer, asked: GenerateRequest) -> dict[str, Any]:
    """Return the text that the model writes, and how many tokens that took."""
    prompt = [EOS_ID, *tokenizer.encode(asked.prompt)]
    sampling = Sampling(
        max_new_tokens=asked.max_new_tokens,
        temperature=asked.temperature,
        top_k=asked.top_k,
        top_p=asked.top_p,
        seed=asked.seed,
    )
    ids = list(generate(model, prompt, sampling))
    return {
        "prompt": asked.prompt,
        "text": tokenizer.decode(ids),
        "prompt_tokens": len(prompt) - 1,
        "new_tokens": len(ids),
        "ended": len(ids) < asked.max_new_tokens,
    }


def trained_models(folder: Path, config: CognateConfig) -> list[str]:
    """Return the models of an operation that completed: an empty name for the only one."""
    if not config.names:
        return [""]
    found = [name for name in config.names if (folder / "artifacts" / name / "model.safetensors").is_file()]
    if not found:
        raise InvalidSpec("none of this operation's models was trained to its end", hint="its result says why")
    return found


def _chosen(asked: str | None, names: list[str]) -> str:
    if asked is None:
        return names[0]
    if asked not in names:
        if names == [""]:
            raise InvalidSpec(f"this operation has one model, without a name; got {asked!r}", hint="leave 'model' out")
        raise unknown("model", asked, names)
    return asked


__all__ = ["GenerateRequest", "answer", "use"]
