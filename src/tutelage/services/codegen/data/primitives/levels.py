"""Which operations each level has."""

from __future__ import annotations

import dataclasses
from typing import Literal

from tutelage.services.codegen.data.primitives.arithmetic import ARITHMETIC
from tutelage.services.codegen.data.primitives.colour import COLOUR
from tutelage.services.codegen.data.primitives.field import FIELD
from tutelage.services.codegen.data.primitives.primitive import Primitive
from tutelage.services.codegen.data.primitives.scalar import SCALAR
from tutelage.services.codegen.data.primitives.vector import VECTOR
from tutelage.services.codegen.data.primitives.wide import WIDE, WIDE_PHRASES

Level = Literal["small", "wide"]

_SMALL = (*ARITHMETIC, *SCALAR, *VECTOR, *FIELD, *COLOUR)
_WIDER = tuple(dataclasses.replace(p, phrases=(*p.phrases, *WIDE_PHRASES.get(p.name, ()))) for p in _SMALL)

PRIMITIVES: dict[Level, tuple[Primitive, ...]] = {"small": _SMALL, "wide": (*_WIDER, *WIDE)}
"""`small`: the 52 that a model of a few million weights learns in 40 CPU-minutes; `wide` holds them and more."""
