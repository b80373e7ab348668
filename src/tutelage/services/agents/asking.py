"""What a finished policy may be asked: an observation, and what goes with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from pydantic import Field, ValidationError
from torch import Tensor

from tutelage.core.document import Document
from tutelage.core.errors import InvalidSpec, unknown

MAX_ROWS = 65_536


class ActRequest(Document):
    """What one agent sees, one row or several; what it heard and remembers where it does."""

    observation: list[float] | list[list[float]] = Field(description="what the agent sees: numbers, or rows of them")
    agent: str | None = Field(None, description="which agent acts; default the first")
    heard: list[float] | list[list[float]] | None = Field(
        None, description="what it hears, for an agent with a channel; default silence"
    )
    memory: list[float] | list[list[float]] | None = Field(
        None, description="the memory of the answer before, for a recurrent policy; default none: an episode begins"
    )
    allowed: list[bool] | list[list[bool]] | None = Field(None, description="which actions are legal; default all")
    sample: bool = Field(False, description="act by chance as in training; default the likeliest action")
    draw_seed: int = Field(0, ge=0, le=2**63 - 1, description="seed of the chance")
    seed: int | None = Field(None, description="which seed's policies act; default the best one's")


def read_request(request: Mapping[str, Any]) -> ActRequest:
    """Return the request as it is meant. Raises UnknownName for a key, InvalidSpec for a value out of bounds."""
    for key in request:
        if key not in ActRequest.model_fields:
            raise unknown("key", key, ActRequest.model_fields)
    try:
        return ActRequest.model_validate(dict(request))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the request"
        raise InvalidSpec(f"{place}: {first['msg']}", hint='as in {"observation": [0.1, 0.2]}') from None


def matrix(name: str, given: Sequence[Any], width: int, rows: int | None) -> Tensor:
    """Return numbers as (rows, width). Raises InvalidSpec where they are not."""
    found = [list(row) for row in given] if given and isinstance(given[0], list) else [list(given)]
    if len(found) > MAX_ROWS or any(len(row) != width for row in found) or (rows is not None and len(found) != rows):
        got = f"{len(found)} of {sorted({len(row) for row in found})}"
        raise InvalidSpec(f"{name} must have {rows or 'some'} rows of {width} numbers, got {got}")
    matrix = torch.tensor(found, dtype=torch.float32)
    if not bool(torch.isfinite(matrix).all()):
        raise InvalidSpec(f"{name} has a number that is not finite")
    return matrix
