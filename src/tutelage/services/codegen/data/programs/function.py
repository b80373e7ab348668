"""Functions: one expression, or with names bound first, an early return, helpers, or a struct that is taken apart."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tutelage.services.codegen.data.expressions import (
    Edge,
    Expression,
    Name,
    Number,
    code_of,
    edges_of,
    say,
    value_of,
    variable,
)
from tutelage.services.codegen.data.growing import Soil, Unlucky, grow
from tutelage.services.codegen.data.primitives import TYPES
from tutelage.services.codegen.data.programs.program import Context, Floats, introduce
from tutelage.services.codegen.data.signature import RESULT, Parameter, Signature, Struct

Kind = Literal["function", "let", "branch", "helper", "struct"]
Places = tuple[tuple[str, str], ...]
"""(name, letter of its type), in order."""

HEADS = (
    "write a function {f} taking {p}",
    "define {f} with inputs {p}",
    "i need a function named {f} of {p}",
    "function {f} with parameters {p}",
    "give me {f} that accepts {p}",
)
RETURNS = (" that returns {}", " which computes {}", "; the result is {}", " and return {}")
LETS = (
    "; let {d} be {a}, then return {b}",
    "; first compute {a} as {d} and then the result is {b}",
    "; with {d} defined as {a} return {b}",
)
BRANCHES = (
    "; if {c} is above {n} return {a}, otherwise {b}",
    " that returns {a} when {c} exceeds {n} and else {b}",
)
HELPERS = (
    "first a helper {h} of {q} giving {a}; then ",
    "using a helper function {h} of {q} that returns {a}, ",
)
STRUCTS = (
    "declare a struct {s} with {q}; ",
    "given a structure {s} of {q}, ",
)


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of numeric parameters, or of one struct."""

    kind: Kind
    name: str
    places: Places
    """Its parameters; the fields, where it takes a struct."""
    result: Expression
    numbers: tuple[Number, ...]
    bound: tuple[str, Expression] | None = None
    """`let`: the name and what it stands for."""
    guard: tuple[Expression, Number, Expression] | None = None
    """`branch`: above this number, that is returned."""
    helper: tuple[str, tuple[str, str], Expression] | None = None
    """`helper`: its name, its parameter, what it returns."""
    struct: tuple[str, str] | None = None
    """`struct`: the type's name, the parameter's."""

    @property
    def signature(self) -> Signature:
        """Return how it is called."""
        flat = tuple(Parameter(name=name, type=TYPES[letter]) for name, letter in self.places)
        call = Signature(entry="function", name=self.name, parameters=flat, result=TYPES[self.result.letter])
        if self.struct is None:
            return call
        type, name = self.struct
        return replace(call, parameters=(Parameter(name=name, type=type),), structs=(Struct(name=type, fields=flat),))

    def code(self) -> str:
        """Return the template of the WGSL."""
        body = f"return {code_of(self.result)}; "
        if self.bound:
            body = f"let ${self.bound[0]}$ = {code_of(self.bound[1])}; {body}"
        if self.guard:
            test, limit, early = self.guard
            body = f"if ({code_of(test)} > {limit.mark}) {{ return {code_of(early)}; }} {body}"
        parameters = self._declared(self.places)
        if self.struct:
            parameters = f"${self.struct[1]}$: ${self.struct[0]}$"
        return f"{self._before()}fn ${self.name}$({parameters}) -> {TYPES[self.result.letter]} {{ {body}}}"

    def _before(self) -> str:
        if self.struct:
            return f"struct ${self.struct[0]}$ {{ {self._declared(self.places)} }} "
        if self.helper:
            name, parameter, body = self.helper
            head = f"fn ${name}$({self._declared([parameter])}) -> {TYPES[body.letter]}"
            return f"{head} {{ return {code_of(body)}; }} "
        return ""

    def _declared(self, places: Sequence[tuple[str, str]]) -> str:
        return ", ".join(f"${name}$: {TYPES[letter]}" for name, letter in places)

    def say(self, rng: random.Random) -> str:
        """Return the template of one sentence that asks for it."""
        before, spoken = "", introduce(self.places, rng)
        if self.struct:
            before = rng.choice(STRUCTS).format(s=f"${self.struct[0]}$", q=spoken)
            spoken = f"${self.struct[0]}$ ${self.struct[1]}$"
        elif self.helper:
            name, parameter, body = self.helper
            before = rng.choice(HELPERS).format(h=f"${name}$", q=introduce([parameter], rng), a=say(body, rng))
        return before + rng.choice(HEADS).format(f=f"${self.name}$", p=spoken) + self._say_body(rng)

    def _say_body(self, rng: random.Random) -> str:
        result = say(self.result, rng)
        if self.bound:
            name, bound = self.bound
            return rng.choice(LETS).format(d=f"${name}$", a=say(bound, rng), b=result)
        if self.guard:
            test, limit, early = self.guard
            return rng.choice(BRANCHES).format(c=say(test, rng), n=limit.mark, a=say(early, rng), b=result)
        return rng.choice(RETURNS).format(result)

    def edges(self) -> set[Edge]:
        """Return which primitives stand directly inside which, seen through names and helpers."""
        tops: dict[str, str] = {}
        found: set[Edge] = set()
        if self.bound:
            found |= edges_of(self.bound[1], outer=None, tops={})
            tops = _top(self.bound[0], self.bound[1])
        if self.helper:
            found |= edges_of(self.helper[2], outer=None, tops={})
            tops = {
                key: top
                for name, _ in self.places
                for key, top in _top(f"{self.helper[0]}({name})", self.helper[2]).items()
            }
        for inside in self.guard[::2] if self.guard else ():
            found |= edges_of(inside, outer="branch", tops={})
        return found | edges_of(self.result, outer="branch" if self.guard else None, tops=tops)

    def contexts(self, inputs: Mapping[str, Floats]) -> list[Context]:
        """Return its expressions with what their names are worth."""
        known = self._known(inputs)
        found: list[Context] = [(self.result, known)]
        if self.bound:
            found.append((self.bound[1], known))
        if self.guard:
            found += [(self.guard[0], known), (self.guard[2], known)]
        if self.helper:
            _, (name, letter), body = self.helper
            first = next(place for place, of in self.places if of == letter)
            found.append((body, {name: known[first]}))
        return found

    def _known(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        prefix = f"{self.struct[1]}." if self.struct else ""
        known = {prefix + name: inputs[prefix + name] for name, _ in self.places}
        if self.bound:
            known[self.bound[0]] = value_of(self.bound[1], known)
        if self.helper:
            name, (inner, letter), body = self.helper
            for place, of in self.places:
                if of == letter:
                    known[f"{name}({place})"] = value_of(body, {inner: known[place]})
        return known

    def evaluate(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return `result`, (n,) or (n, components)."""
        known = self._known(inputs)
        value = value_of(self.result, known)
        if self.guard:
            test, limit, early = self.guard
            above = value_of(test, known) > limit.value
            value = np.where(above[:, None] if value.ndim == 2 else above, value_of(early, known), value)
        return {RESULT: value}


def _top(key: str, bound: Expression) -> dict[str, str]:
    return {} if isinstance(bound, Name) else {key: bound.primitive.name}


def grow_function(soil: Soil, depth: int) -> Function:
    """Draw a function of one expression. Raises Unlucky, as all of these."""
    result = grow(soil, _result(soil), depth)
    return _finished(soil, "function", result)


def grow_let(soil: Soil, depth: int) -> Function:
    """Draw a function that binds a name and uses it."""
    rng = soil.rng
    bound = grow(soil, rng.choice("f23"), rng.choice((1, 2)))
    name, own = soil.name(), len(soil.parameters)
    soil.parameters.append((name, bound.letter))
    soil.num_parameters = own + 2
    result = grow(soil, _result(soil), rng.choice((1, 2)))
    if f"${name}$" not in code_of(result):
        raise Unlucky
    soil.parameters.remove((name, bound.letter))
    return replace(_finished(soil, "let", result), bound=(name, bound))


def grow_branch(soil: Soil, depth: int) -> Function:
    """Draw a function with an early return."""
    test, limit = grow(soil, "f", soil.rng.choice((0, 1))), soil.number()
    letter = _result(soil)
    early = grow(soil, letter, soil.rng.choice((0, 1)))
    result = grow(soil, letter, max(1, depth - 1))
    return replace(_finished(soil, "branch", result), guard=(test, limit, early))


def grow_helper(soil: Soil, depth: int) -> Function:
    """Draw a function that calls a helper of one parameter."""
    letter = soil.rng.choice("f23")
    inner, helper = soil.name(), soil.name()
    alone = Soil(level=soil.level, rng=soil.rng, fixed=[variable(inner, letter)], numbers=soil.numbers)
    body = grow(alone, soil.rng.choice("f23"), soil.rng.choice((1, 2)))
    place = soil.name()
    call = Name(
        letter=body.letter, key=f"{helper}({place})", code=f"${helper}$(${place}$)", said=f"${helper}$ of ${place}$"
    )
    other = soil.name()
    soil.fixed = [call, call, variable(place, letter), variable(other, "f")]
    result = grow(soil, _result(soil), max(1, depth - 1))
    text = code_of(result)
    if call.code not in text:
        raise Unlucky
    soil.parameters = [(place, letter)] + ([(other, "f")] if f"${other}$" in text else [])
    return replace(_finished(soil, "helper", result), helper=(helper, (inner, letter), body))


def grow_struct(soil: Soil, depth: int) -> Function:
    """Draw a function of one struct."""
    type, whole = soil.name(), soil.name()
    fields = [(soil.name(), letter) for letter in soil.rng.sample("ff23344", soil.rng.choice((2, 3)))]
    soil.fixed = [
        Name(letter=letter, key=f"{whole}.{name}", code=f"${whole}$.${name}$", said=f"field ${name}$ of ${whole}$")
        for name, letter in fields
    ]
    result = grow(soil, _result(soil), depth)
    soil.parameters = fields
    return replace(_finished(soil, "struct", result), struct=(type, whole))


def _result(soil: Soil) -> str:
    return soil.rng.choices("f234", (45, 20, 25, 10))[0]


def _finished(soil: Soil, kind: Kind, result: Expression) -> Function:
    if not soil.parameters:
        raise Unlucky
    return Function(
        kind=kind,
        name=soil.function_name(),
        places=tuple(soil.parameters),
        result=result,
        numbers=tuple(soil.numbers),
    )
