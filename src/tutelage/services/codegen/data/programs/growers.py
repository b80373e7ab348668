"""How often each kind of program is drawn at a level."""

from __future__ import annotations

from collections.abc import Callable

from tutelage.services.codegen.data.growing import Soil
from tutelage.services.codegen.data.primitives import Level
from tutelage.services.codegen.data.programs.function import (
    grow_branch,
    grow_function,
    grow_helper,
    grow_let,
    grow_struct,
)
from tutelage.services.codegen.data.programs.kernel import grow_kernel, grow_texture
from tutelage.services.codegen.data.programs.program import Program
from tutelage.services.codegen.data.programs.reduction import grow_reduction

GROWERS: dict[Level, tuple[tuple[Callable[[Soil, int], Program], int], ...]] = {
    "small": ((grow_function, 45), (grow_let, 22), (grow_kernel, 18), (grow_reduction, 15)),
    "wide": (
        (grow_function, 28),
        (grow_let, 14),
        (grow_branch, 10),
        (grow_helper, 10),
        (grow_struct, 10),
        (grow_kernel, 10),
        (grow_texture, 8),
        (grow_reduction, 10),
    ),
}
"""Level -> (what draws a program, its share in percent)."""
