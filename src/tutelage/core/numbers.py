"""Numbers that survive JSON: a non-finite float travels as "nan", "inf" or "-inf"."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

NON_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_json_number(value: float) -> float | str:
    """Return `value`, or its name where JSON has no number for it."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "nan"
    return "inf" if value > 0 else "-inf"


def from_json_number(value: Any) -> Any:
    """Undo `to_json_number`; anything else passes through for the validator to judge."""
    return NON_FINITE.get(value, value) if isinstance(value, str) else value


Number = Annotated[
    float,
    BeforeValidator(from_json_number),
    PlainSerializer(to_json_number, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "enum": list(NON_FINITE)}]}),
]
"""A float in the wire's form: finite numbers as they are, the rest by name."""
