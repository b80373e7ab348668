"""The machine behind the type mask: an immutable stack of what is still to come, and what is declared so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tutelage.services.codegen.masks.lexicon import Lexicon, Offer


@dataclass(frozen=True, slots=True)
class Array:
    """An array of `dim`-dimensional floats; `index` is the token it is indexed by, None for a loop's variable."""

    dim: int
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A struct: fields by name's id."""

    fields: Mapping[int, int]


Type = int | Array | Record
"""A dimension, an array, a struct."""


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression turned out to be."""

    dim: int
    runtime: bool
    """Known only when the program runs: constants are computed by the compiler, which refuses some."""
    number: float | None = None
    """The value, where the expression is nothing but a number, spread over a vector or not."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is declared."""

    variables: Mapping[int, Type]
    functions: Mapping[int, tuple[tuple[int, ...], int]]
    """Name -> (dimensions of the parameters, of the result)."""
    records: Mapping[int, Record]
    used: frozenset[int] = frozenset()
    """Every name declared anywhere: none is declared twice."""
    mutable: frozenset[int] = frozenset()
    output: int | None = None
    """A kernel's written buffer."""
    index: int | None = None
    """The variable of the loop that is open."""
    names: tuple[int, ...] = ()
    """Names in the order of their declaration since the last function began."""
    parameters: tuple[int, ...] = ()
    """Dimensions of the parameters so far; 0 for arrays and structs."""
    length: int | None = None
    """The token of the array parameter's length."""

    def declare(self, name: int, type: Type) -> Scope:
        """With a variable more."""
        return replace(self, variables={**self.variables, name: type}, used=self.used | {name})

    @property
    def has_runtime(self) -> bool:
        """Whether any operand exists that is known only when the program runs."""
        return any(not isinstance(type, Array) or self.index_of(type) is not None for type in self.variables.values())

    def index_of(self, array: Array) -> int | None:
        """The token that indexes an array here."""
        return array.index if array.index is not None else self.index


class Frame(Protocol):
    """One thing that is still to come."""

    @property
    def cost(self) -> int:
        """Tokens that suffice to be done with it."""

    def options(self, machine: Machine) -> Iterable[int]:
        """Return what may come next."""

    def take(self, machine: Machine, id: int) -> Machine:
        """Return the machine after a token that `options` gave."""

    def receive(self, machine: Machine, value: Value) -> Machine:
        """Return the machine once the expression on top of this frame is done."""


Stack = tuple[Frame, "Stack | None", int]
"""(top, what is below, cost of all)."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A place in a program."""

    lexicon: Lexicon
    offer: Offer
    scope: Scope
    stack: Stack | None
    left: int
    """Tokens that may still come, `<eos>` not counted."""
    signature: tuple[str, tuple[int, ...], int] | None
    """The name, the dimensions of parameters and result of a function that is known beforehand."""
    slots: Mapping[str, str]

    def expected(self) -> tuple[tuple[int, ...], int] | None:
        """Return the parameters and the result of the function being declared, where they are known."""
        if self.signature is None:
            return None
        token = self.lexicon.tokenizer.tokens[self.scope.names[0]]
        name, parameters, result = self.signature
        return (parameters, result) if self.slots.get(token, token) == name else None

    @property
    def top(self) -> Frame:
        """What comes next."""
        assert self.stack is not None, "a finished program has no next token"
        return self.stack[0]

    @property
    def cost(self) -> int:
        """Tokens that suffice to finish the program."""
        return self.stack[2] if self.stack else 0

    @property
    def room(self) -> int:
        """Tokens to spare beyond `cost`."""
        return self.left - self.cost

    def pop(self) -> Machine:
        """Without the top."""
        assert self.stack is not None, "nothing to pop"
        return replace(self, stack=self.stack[1])

    def push(self, *frames: Frame) -> Machine:
        """With frames on top, the first of them next."""
        stack = self.stack
        for frame in reversed(frames):
            stack = (frame, stack, frame.cost + (stack[2] if stack else 0))
        return replace(self, stack=stack)

    def swap(self, *frames: Frame) -> Machine:
        """With frames in the top's place."""
        return self.pop().push(*frames)

    def with_scope(self, scope: Scope) -> Machine:
        """With other declarations."""
        return replace(self, scope=scope)

    def fresh_names(self) -> Sequence[int]:
        """Names that may be declared: the prompt's, and spare ones once those are used up."""
        left = [name for name in self.offer.names if name not in self.scope.used]
        return left or [name for name in self.offer.spare if name not in self.scope.used]
