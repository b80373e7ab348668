"""The tables of operations, by level."""

from __future__ import annotations

from tutelage.services.codegen.data.primitives.levels import PRIMITIVES, Level
from tutelage.services.codegen.data.primitives.primitive import TYPES, Primitive

__all__ = ["PRIMITIVES", "TYPES", "Level", "Primitive"]
