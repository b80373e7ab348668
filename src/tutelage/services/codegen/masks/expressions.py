"""Frames of expressions: chains of operands and operators, calls, constructors, parentheses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tutelage.services.codegen.masks.builtins import ANY, CONDITION, Builtin
from tutelage.services.codegen.masks.costs import (
    AFTER,
    COMPONENT,
    CONSTANT,
    MORE,
    OPERAND,
    SCALAR,
    Bound,
    cost_from,
    own_cost,
)
from tutelage.services.codegen.masks.machine import Array, Frame, Machine, Record, Type, Value


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands joined by + - * /: a scalar or vectors of one dimension, whatever the precedence.

    It ends with one of the dimensions `finals`; a scalar goes on where only a vector will do.
    """

    finals: frozenset[int]
    needs_runtime: bool = False
    bound: Bound | None = None
    """Where given, a constant stands alone and suits it."""
    have: int | None = None
    """Dimension of the operands before the current one."""
    runtime: bool = False
    current: int | None = None
    """Dimension of the operand just read; None where one is to come."""
    number: float | None = None
    sign: str = ""
    """The operator or minus sign just read: `minus`, `/`, `/minus`."""
    reserve: int | None = None
    """What to keep for the chain while a call or parenthesis on top of it is open."""

    @property
    def cost(self) -> int:
        """Tokens that suffice to end it."""
        if self.reserve is not None:
            return self.reserve
        if self.current is None:
            return self._operand_cost(self.have, runtime=self.runtime)
        if self._fits(self.current):
            return 0 if self._may_end(self.current) else self._more_cost(self.current)
        return 1 + (0 if self._may_end_by_components else self._more_cost(1))

    def _operand_cost(self, have: int | None, *, runtime: bool) -> int:
        """A number, a vector of one number; what is only known at run time takes more."""
        is_scalar_enough = 1 in self.finals if have in (None, 1) else have in self.finals
        has_runtime = runtime or not self.needs_runtime
        if is_scalar_enough:
            return 1 if has_runtime else SCALAR
        return (CONSTANT if has_runtime else OPERAND) + (MORE if self.sign.startswith("/") else 0)

    def _more_cost(self, dim: int) -> int:
        return 1 + replace(self, sign="")._operand_cost(self._joined(dim), runtime=self.runtime)

    @property
    def _may_end_by_components(self) -> bool:
        assert self.current is not None, "only after an operand"
        return any(self._fits(dim) and self._may_end(dim) for dim in range(1, self.current))

    def _after_cost(self, *, runtime: bool = False) -> int:
        """What may be asked for once an operand has come that is on its way: a call's is known at run time."""
        if self.needs_runtime and not (self.runtime or runtime):
            return AFTER
        return 1 if (self.have or 1) in self.finals else 2 + CONSTANT

    def _fits(self, dim: int) -> bool:
        """Whether an operand of this dimension can stand here."""
        return dim == 1 or (dim in self.finals and self.have in (None, 1, dim))

    def _joined(self, dim: int) -> int:
        return dim if self.have in (None, 1) else self.have or dim

    def _may_end(self, dim: int) -> bool:
        return self._joined(dim) in self.finals and (self.runtime or not self.needs_runtime)

    @property
    def _stands_alone(self) -> bool:
        """A constant where the compiler compares constants: nothing may be added to it."""
        return self.bound is not None and not self.runtime

    def options(self, machine: Machine) -> Iterable[int]:
        """Return operands, or what may follow one."""
        available = machine.room + self.cost
        return self._operands(machine, available) if self.current is None else self._after(machine, available)

    def _operands(self, machine: Machine, available: int) -> Iterator[int]:
        lexicon, scope = machine.lexicon, machine.scope
        yield from self._numbers(machine, available)
        for name, type in scope.variables.items():
            if self._has_room_for(machine, type, available):
                yield name
        if not self.sign.startswith("/"):
            yield from (id for id, dim in lexicon.constructors.items() if self._may_construct(machine, dim, available))
        if not scope.has_runtime:
            return
        left = available - self._after_cost(runtime=True)
        yield from (id for id, builtin in lexicon.calls.items() if cost_from(builtin, 0) <= left)
        yield from (id for id, (parameters, _) in scope.functions.items() if 1 + own_cost(parameters, 0) <= left)
        left = available - self._after_cost()
        if not self._stands_alone and left >= 2 + (SCALAR if self.sign.startswith("/") else 1):
            yield lexicon.word("(")
        if not self._stands_alone and not self.sign.endswith("minus") and available > self.cost:
            yield lexicon.word("-")

    def _numbers(self, machine: Machine, available: int) -> Iterator[int]:
        if self._read(1, runtime=False).cost >= available or (self._stands_alone and 1 not in self.finals):
            return
        is_divisor = self.sign.startswith("/")
        for id, number in machine.offer.numbers.items():
            if is_divisor and number == 0.0:
                continue
            if self.bound is None or self.runtime or self.bound.suits(number):
                yield id

    def _has_room_for(self, machine: Machine, type: Type, available: int) -> bool:
        if isinstance(type, Record):
            return any(self._read(dim, runtime=True).cost + 3 <= available for dim in type.fields.values())
        if isinstance(type, Array):
            has_index = machine.scope.index_of(type) is not None
            return has_index and self._read(type.dim, runtime=True).cost + 4 <= available
        return self._read(type, runtime=True).cost < available

    def _may_construct(self, machine: Machine, dim: int, available: int) -> bool:
        if self._stands_alone and dim not in self.finals:
            return False
        if self._is_roomy(dim, available):
            return True
        ends = self._fits(dim) and self._joined(dim) in self.finals
        if self.runtime or not self.needs_runtime:
            return ends and available >= CONSTANT
        return ends and available >= OPERAND and machine.scope.has_runtime

    def _is_roomy(self, dim: int, available: int) -> bool:
        """Whether there is room for any arguments; else one scalar must do."""
        return available >= 2 + dim * COMPONENT + self._after_cost()

    def _after(self, machine: Machine, available: int) -> Iterator[int]:
        assert self.current is not None, "only after an operand"
        if self.current > 1 and not self._stands_alone:
            for id, (dim, least) in machine.lexicon.swizzles.items():
                if self.current >= least and replace(self, current=dim).cost < available:
                    yield id
        if not self._fits(self.current):
            return
        if not self._stands_alone and available >= self._more_cost(self.current):
            yield from machine.lexicon.operators if available >= 2 * MORE else machine.lexicon.gentle_operators
        if self._may_end(self.current):
            ended = self._ended(machine)
            yield from ended.top.options(ended)

    def take(self, machine: Machine, id: int) -> Machine:
        """Read an operand's first token, components, an operator, or hand on what ends the chain."""
        if self.current is None:
            return self._begin(machine, id)
        lexicon = machine.lexicon
        if id in lexicon.swizzles and self.current > 1:
            return machine.swap(replace(self, current=lexicon.swizzles[id][0], number=None))
        if id in lexicon.operators:
            joined = self._joined(self.current)
            return machine.swap(replace(self, have=joined, current=None, number=None, sign=lexicon.operators[id]))
        ended = self._ended(machine)
        return ended.top.take(ended, id)

    def _begin(self, machine: Machine, id: int) -> Machine:
        lexicon, scope = machine.lexicon, machine.scope
        if id in machine.offer.numbers:
            return machine.swap(self._read(1, runtime=False, number=machine.offer.numbers[id]))
        if id in scope.variables:
            return self._begin_variable(machine, scope.variables[id])
        waiting = replace(self, reserve=self._after_cost(runtime=id != lexicon.word("(")))
        if id in lexicon.constructors:
            return self._begin_constructor(machine, lexicon.constructors[id])
        if id in lexicon.calls:
            call = Call(lexicon.calls[id])
            return machine.swap(*call.argument(), call, waiting)
        if id in scope.functions:
            own = OwnCall(*scope.functions[id])
            return machine.swap(Word(lexicon.word("(")), Chain(frozenset((own.parameters[0],))), own, waiting)
        if id == lexicon.word("("):
            inner = Chain(ANY, needs_runtime=self.sign.startswith("/"))
            return machine.swap(inner, Word(lexicon.word(")"), returns=True), waiting)
        return machine.swap(replace(self, sign="/minus" if self.sign == "/" else "minus"))

    def _begin_constructor(self, machine: Machine, dim: int) -> Machine:
        is_roomy = self._is_roomy(dim, machine.left - machine.cost + self.cost)
        constructor = Constructor(
            dim,
            bound=self.bound if self._stands_alone else None,
            is_roomy=is_roomy,
            needs_runtime=self.needs_runtime and not self.runtime and not is_roomy,
        )
        return machine.swap(
            constructor.argument(), constructor, replace(self, reserve=self._after_cost() if is_roomy else 0)
        )

    def _begin_variable(self, machine: Machine, type: Type) -> Machine:
        lexicon = machine.lexicon
        if isinstance(type, Record):
            return machine.swap(Word(lexicon.word(".")), Field(type), replace(self, reserve=0))
        if isinstance(type, Array):
            index = machine.scope.index_of(type)
            assert index is not None, "an array that cannot be indexed is no operand"
            words = [Word(id) for id in (lexicon.word("["), index, lexicon.word("]"))]
            return machine.swap(*words, self._read(type.dim, runtime=True))
        return machine.swap(self._read(type, runtime=True))

    def _read(self, dim: int, *, runtime: bool, number: float | None = None) -> Chain:
        return replace(self, current=dim, runtime=self.runtime or runtime, number=number, sign="", reserve=None)

    def receive(self, machine: Machine, value: Value) -> Machine:
        """Take what a call, a constructor or a parenthesis gave as the current operand."""
        return machine.swap(self._read(value.dim, runtime=value.runtime, number=value.number))

    def _ended(self, machine: Machine) -> Machine:
        assert self.current is not None, "only after an operand"
        below = machine.pop()
        number = self.number if self.have is None else None
        return below.top.receive(below, Value(self._joined(self.current), self.runtime, number))


@dataclass(frozen=True, slots=True)
class Word:
    """One certain token. `returns`: it closes a parenthesis, whose value goes to the chain below."""

    id: int
    returns: bool = False
    value: Value | None = None

    @property
    def cost(self) -> int:
        """Itself."""
        return 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return it alone."""
        return (self.id,)

    def take(self, machine: Machine, id: int) -> Machine:
        """Go on to what is below."""
        below = machine.pop()
        return below.top.receive(below, self.value) if self.value else below

    def receive(self, machine: Machine, value: Value) -> Machine:
        """Keep a parenthesis' value; elsewhere the value is of no account."""
        return machine.swap(replace(self, value=value)) if self.returns else machine


@dataclass(frozen=True, slots=True)
class Field:
    """The name of a field."""

    record: Record

    @property
    def cost(self) -> int:
        """One name."""
        return 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the fields that the chain below can use."""
        return [name for name, dim in self.record.fields.items() if self._after(machine, dim).cost < machine.left]

    def _after(self, machine: Machine, dim: int) -> Machine:
        below = machine.pop()
        return below.top.receive(below, Value(dim, runtime=True))

    def take(self, machine: Machine, id: int) -> Machine:
        """Give the field's value to the chain below."""
        return self._after(machine, self.record.fields[id])

    def receive(self, machine: Machine, value: Value) -> Machine:
        """Nothing stands on a field."""
        raise AssertionError("a field has no expression on it")


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison sign between two scalars."""

    @property
    def cost(self) -> int:
        """One sign."""
        return 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the signs."""
        return machine.lexicon.comparisons

    def take(self, machine: Machine, id: int) -> Machine:
        """Go on to the right side."""
        return machine.pop()

    def receive(self, machine: Machine, value: Value) -> Machine:
        """The left side's value is of no account."""
        return machine


@dataclass(frozen=True, slots=True)
class Call:
    """A builtin's arguments, the first of which settles the generic type."""

    builtin: Builtin
    num_read: int = 0
    generic: int | None = None
    runtime: bool = False
    low: float | None = None
    is_open: bool = True
    """An argument is being read."""

    @property
    def cost(self) -> int:
        """What the arguments to come take, and the parenthesis."""
        return cost_from(self.builtin, self.num_read + self.is_open)

    def argument(self) -> list[Frame]:
        """Return the frames of the next argument."""
        place = self.num_read
        finals = self.builtin.parameters[place]
        if finals == CONDITION:
            needs = not self.runtime
            return [Chain(frozenset((1,)), needs_runtime=needs), Compare(), Chain(frozenset((1,)))]
        if len(finals) > 1 and self.generic is not None:
            finals = frozenset((self.generic,))
        is_last = place == len(self.builtin.parameters) - 1
        return [Chain(finals, needs_runtime=self._needs(is_last=is_last), bound=self._bound(place))]

    def _needs(self, *, is_last: bool) -> bool:
        if self.builtin.low == 1 and self.num_read == 0:
            return True
        return is_last and not self.runtime

    def _bound(self, place: int) -> Bound | None:
        if self.builtin.low is None or place not in (self.builtin.low, self.builtin.low + 1):
            return None
        return Bound(self.low if place > self.builtin.low else None, self.builtin.strict)

    def options(self, machine: Machine) -> Iterable[int]:
        """Return what parts or closes."""
        is_last = self.num_read == len(self.builtin.parameters)
        return (machine.lexicon.word(")" if is_last else ", "),)

    def take(self, machine: Machine, id: int) -> Machine:
        """Go on to the next argument, or give the result to the chain below."""
        if self.num_read < len(self.builtin.parameters):
            return machine.swap(*self.argument(), replace(self, is_open=True))
        below = machine.pop()
        dim = self.builtin.result or self.generic
        assert dim is not None, "every generic result has an argument"
        return below.top.receive(below, Value(dim, runtime=True))

    def receive(self, machine: Machine, value: Value) -> Machine:
        """Count the argument."""
        low = value.number if self.num_read == self.builtin.low and not value.runtime else self.low
        generic = self.generic or (value.dim if len(self.builtin.parameters[0]) > 1 else None)
        runtime = self.runtime or value.runtime
        return machine.swap(Call(self.builtin, self.num_read + 1, generic, runtime, low, is_open=False))


@dataclass(frozen=True, slots=True)
class OwnCall:
    """The arguments of a function declared before."""

    parameters: tuple[int, ...]
    result: int
    num_read: int = 0
    is_open: bool = True

    @property
    def cost(self) -> int:
        """What the arguments to come take, and the parenthesis."""
        return own_cost(self.parameters, self.num_read + self.is_open)

    def options(self, machine: Machine) -> Iterable[int]:
        """Return what parts or closes."""
        return (machine.lexicon.word(", " if self.num_read < len(self.parameters) else ")"),)

    def take(self, machine: Machine, id: int) -> Machine:
        """Go on to the next argument, or give the result to the chain below."""
        if self.num_read < len(self.parameters):
            return machine.swap(Chain(frozenset((self.parameters[self.num_read],))), replace(self, is_open=True))
        below = machine.pop()
        return below.top.receive(below, Value(self.result, runtime=True))

    def receive(self, machine: Machine, value: Value) -> Machine:
        """Count the argument."""
        return machine.swap(replace(self, num_read=self.num_read + 1, is_open=False))


@dataclass(frozen=True, slots=True)
class Constructor:
    """`vec3<f32>(`: one scalar for all components, or scalars and vectors that fill them."""

    dim: int
    bound: Bound | None = None
    is_roomy: bool = True
    """Else one scalar must do, for the sequence ends soon."""
    needs_runtime: bool = False
    filled: int = 0
    num_read: int = 0
    runtime: bool = False
    number: float | None = None
    is_open: bool = True

    def argument(self) -> Chain:
        """Return the next argument's frame."""
        left = self.dim - self.filled
        whole = {self.dim} if self.dim > 1 else set()
        finals = frozenset((1,)) if self.bound or not self.is_roomy else frozenset(set(range(1, left + 1)) - whole)
        return Chain(finals, bound=self.bound, needs_runtime=self.needs_runtime)

    @property
    def _is_whole(self) -> bool:
        return self.filled == self.dim or (self.filled == 1 and self.num_read == 1)

    @property
    def cost(self) -> int:
        """What the components to come take, and the parenthesis."""
        if not self.is_roomy or self.bound or (self._is_whole and not self.is_open):
            return 1
        return (self.dim - self.filled - self.is_open) * COMPONENT + 1

    def options(self, machine: Machine) -> Iterator[int]:
        """Return what parts or closes."""
        if self._is_whole:
            yield machine.lexicon.word(")")
        left = self.dim - self.filled
        if left and self.is_roomy and not self.bound and left * COMPONENT + 1 <= machine.room + self.cost:
            yield machine.lexicon.word(", ")

    def take(self, machine: Machine, id: int) -> Machine:
        """Go on to the next argument, or give the vector to the chain below."""
        if id == machine.lexicon.word(", "):
            return machine.swap(self.argument(), replace(self, is_open=True))
        below = machine.pop()
        return below.top.receive(below, Value(self.dim, self.runtime, self.number))

    def receive(self, machine: Machine, value: Value) -> Machine:
        """Count the components."""
        number = value.number if self.num_read == 0 else None
        runtime, filled = self.runtime or value.runtime, self.filled + value.dim
        read = replace(self, filled=filled, num_read=self.num_read + 1, runtime=runtime, number=number, is_open=False)
        return machine.swap(read)
