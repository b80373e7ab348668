"""How many tokens suffice for the parts of expressions: what keeps a way to the end open."""

from __future__ import annotations

from dataclasses import dataclass

from tutelage.services.codegen.masks.builtins import CONDITION, Builtin

OPERAND = 7
"""Tokens that suffice for an operand of any type: `vec3<f32>(`, `ray`, `.`, `origin`, `.x`, `)`."""
MORE = OPERAND + 1
"""An operator and an operand."""
AFTER = 1 + MORE
"""What an operand may ask for at most: components, and another operand of the dimension wanted."""
SCALAR = 5
"""Tokens that suffice for a scalar known only at run time: `items`, `[`, `i`, `]`, `.x`."""
CONSTANT = 3
"""Tokens that suffice for an operand of any type: `vec3<f32>(`, a number, `)`."""
COMPONENT = 2
"""A number and a comma."""
SCALARS = frozenset((1,))


@dataclass(frozen=True, slots=True)
class Bound:
    """What a constant in this place must suit: a clamp's or smoothstep's bounds are checked by the compiler."""

    low: float | None = None
    strict: bool = False

    def suits(self, number: float) -> bool:
        """Whether the compiler takes this number as the upper bound."""
        if self.low is None:
            return True
        return number != self.low if self.strict else number >= self.low


def cost_from(builtin: Builtin, place: int) -> int:
    """Tokens that suffice for a call's arguments from a place on, each with a comma, and the parenthesis."""
    places = range(place, len(builtin.parameters))
    return 1 + sum(1 + _argument_cost(builtin, own) for own in places)


def _argument_cost(builtin: Builtin, place: int) -> int:
    finals = builtin.parameters[place]
    if finals == CONDITION:
        return SCALAR + 2
    is_checked = builtin.low == 1
    needs_runtime = place == 0 if is_checked else place == len(builtin.parameters) - 1
    if finals == SCALARS:
        return SCALAR if needs_runtime else 1
    return OPERAND if needs_runtime else CONSTANT


def own_cost(parameters: tuple[int, ...], place: int) -> int:
    """Tokens that suffice for the arguments of a declared function from a place on, and the parenthesis."""
    return 1 + sum(2 if dim == 1 else 1 + CONSTANT for dim in parameters[place:])
