"""Frames of functions: their parameters and results, and what comes after them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tutelage.services.codegen.masks.machine import Array, Frame, Machine, Scope
from tutelage.services.codegen.masks.statements import RETURN, Count, Declare, Plain, Statements, words


@dataclass(frozen=True, slots=True)
class TypeOf(Plain):
    """A parameter's type."""

    @property
    def cost(self) -> int:
        """`array<f32, `, a length, `>`; or one token."""
        return 3

    def options(self, machine: Machine) -> Iterator[int]:
        """Return numeric types, arrays with a length, structs; where the signature is known, its type alone."""
        lexicon, scope = machine.lexicon, machine.scope
        expected = machine.expected()
        if expected is not None:
            yield lexicon.type_ids[expected[0][len(scope.parameters)]]
            return
        yield from lexicon.types
        if not any(isinstance(type, Array) for type in scope.variables.values()):
            yield lexicon.word("array<f32, ")
        yield from scope.records

    def take(self, machine: Machine, id: int) -> Machine:
        """Declare the parameter."""
        lexicon, scope = machine.lexicon, machine.scope
        name = scope.names[-1]
        if id in lexicon.types:
            dim = lexicon.types[id]
            known = replace(scope.declare(name, dim), parameters=(*scope.parameters, dim))
            return machine.pop().with_scope(known)
        known = replace(scope, parameters=(*scope.parameters, 0))
        if id in scope.records:
            return machine.pop().with_scope(known.declare(name, scope.records[id]))
        return machine.swap(Count(), *words(machine, ">")).with_scope(known.declare(name, Array(1)))


PARAMETER = 6
"""A comma, a name, a colon, a type."""


@dataclass(frozen=True, slots=True)
class Parameters(Plain):
    """What follows a parameter: another, or the end of the list."""

    @property
    def cost(self) -> int:
        """The parenthesis."""
        return 1

    def options(self, machine: Machine) -> Iterator[int]:
        """Return what parts or closes."""
        expected = machine.expected()
        num = len(machine.scope.parameters)
        if expected is None or num == len(expected[0]):
            yield machine.lexicon.word(")")
        is_wanted = num < len(expected[0]) if expected else machine.room >= PARAMETER
        if is_wanted:
            yield machine.lexicon.word(", ")

    def take(self, machine: Machine, id: int) -> Machine:
        """Go on to the next parameter, or past the list."""
        if id == machine.lexicon.word(")"):
            return machine.pop()
        return machine.swap(Declare(), *words(machine, ": "), TypeOf(), Parameters())


@dataclass(frozen=True, slots=True)
class ResultType(Plain):
    """What a function returns; then its body."""

    @property
    def cost(self) -> int:
        """The type, the braces, `return`."""
        return 2 + RETURN + 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the numeric types, or the signature's."""
        expected = machine.expected()
        return machine.lexicon.types if expected is None else (machine.lexicon.type_ids[expected[1]],)

    def take(self, machine: Machine, id: int) -> Machine:
        """Open the body."""
        dim = machine.lexicon.types[id]
        return machine.swap(*words(machine, " { "), Statements(dim), Closing(dim))


FUNCTION = 20 + RETURN
"""A whole function, shortest."""


@dataclass(frozen=True, slots=True)
class Closing(Plain):
    """The brace that ends a function; then another function, or the end."""

    result: int

    @property
    def cost(self) -> int:
        """One token."""
        return 1

    def options(self, machine: Machine) -> Iterator[int]:
        """Return the brace, and with a space the brace before another function."""
        yield machine.lexicon.word("}")
        if machine.room >= FUNCTION:
            yield machine.lexicon.word("} ")

    def take(self, machine: Machine, id: int) -> Machine:
        """Make the function known to those after it."""
        scope = machine.scope
        functions = dict(scope.functions)
        if all(scope.parameters):
            functions[scope.names[0]] = (scope.parameters, self.result)
        known = Scope(variables={}, functions=functions, records=scope.records, used=scope.used)
        if id == machine.lexicon.word("}"):
            return machine.swap(End()).with_scope(known)
        return machine.swap(*words(machine, "fn "), *function(machine)).with_scope(known)


def function(machine: Machine) -> list[Frame]:
    """Return a function after its `fn`."""
    parameters = [*words(machine, "("), Declare(), *words(machine, ": "), TypeOf(), Parameters()]
    return [Declare(), *parameters, *words(machine, " -> "), ResultType()]


@dataclass(frozen=True, slots=True)
class End(Plain):
    """The end of the program."""

    @property
    def cost(self) -> int:
        """`<eos>` is not counted."""
        return 0

    def options(self, machine: Machine) -> Iterable[int]:
        """Return `<eos>`."""
        return (machine.lexicon.eos,)

    def take(self, machine: Machine, id: int) -> Machine:
        """Nothing comes after it."""
        return machine.pop()
