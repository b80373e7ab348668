"""Frames of functions: names, parameters, statements, blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tutelage.services.codegen.masks.builtins import ANY
from tutelage.services.codegen.masks.costs import CONSTANT
from tutelage.services.codegen.masks.expressions import Chain, Compare, Word
from tutelage.services.codegen.masks.machine import Frame, Machine, Scope, Value

LET = 4 + CONSTANT
"""`let`, name, `=`, expression, `;`."""
RETURN = 2 + CONSTANT
LOOP = 16 + LET
BRANCH = 6 + 2 * CONSTANT + LET


def words(machine: Machine, text: str) -> list[Frame]:
    """Return the frames of a fixed piece of code."""
    return [Word(id) for id in machine.lexicon.words(text)]


@dataclass(frozen=True, slots=True)
class Plain:
    """A frame on which no expression stands."""

    def receive(self, machine: Machine, value: Value) -> Machine:
        """The value of the expression before is of no account."""
        return machine


@dataclass(frozen=True, slots=True)
class Declare(Plain):
    """A new name."""

    also: tuple[str, ...] = ()
    """Names of the language's own that may be taken too."""

    @property
    def cost(self) -> int:
        """One name."""
        return 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the names that are free."""
        own = (machine.lexicon.word(name) for name in self.also)
        return [*machine.fresh_names(), *(id for id in own if id not in machine.scope.used)]

    def take(self, machine: Machine, id: int) -> Machine:
        """Remember the name; what it is comes later."""
        scope = machine.scope
        return machine.pop().with_scope(replace(scope, used=scope.used | {id}, names=(*scope.names, id)))


@dataclass(frozen=True, slots=True)
class Bind(Plain):
    """Gives the newest name the type of the expression before."""

    @property
    def cost(self) -> int:
        """No token."""
        return 0

    def options(self, machine: Machine) -> Iterable[int]:
        """Nothing: it is gone once the expression ends."""
        raise AssertionError("a binding takes no token")

    def take(self, machine: Machine, id: int) -> Machine:
        """Nothing."""
        raise AssertionError("a binding takes no token")

    def receive(self, machine: Machine, value: Value) -> Machine:
        """Declare."""
        scope = machine.scope
        return machine.pop().with_scope(scope.declare(scope.names[-1], value.dim))


@dataclass(frozen=True, slots=True)
class Count(Plain):
    """An array's length, a workgroup's size, a loop's bound."""

    @property
    def cost(self) -> int:
        """One number."""
        return 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the whole numbers there are."""
        return machine.offer.counts

    def take(self, machine: Machine, id: int) -> Machine:
        """Remember the newest length: a loop over the array stays within it."""
        return machine.pop().with_scope(replace(machine.scope, length=id))


@dataclass(frozen=True, slots=True)
class Statements(Plain):
    """Statements of a function, up to its last `return`."""

    result: int

    @property
    def cost(self) -> int:
        """`return`, an expression, `;`."""
        return RETURN

    def options(self, machine: Machine) -> Iterator[int]:
        """Return what may begin a statement."""
        word, scope, room = machine.lexicon.word, machine.scope, machine.room
        yield word("return ")
        if room >= LET:
            yield word("let ")
            yield word("var ")
            yield from scope.mutable
        if room >= BRANCH and scope.has_runtime:
            yield word("if ")
        if room >= LOOP and scope.mutable and scope.length is not None and scope.index is None:
            yield word("for ")

    def take(self, machine: Machine, id: int) -> Machine:
        """Begin the statement."""
        word = machine.lexicon.word
        if id == word("return "):
            return machine.swap(Chain(frozenset((self.result,))), *words(machine, "; "))
        if id == word("var "):
            declared = [Declare(also=("acc",)), *words(machine, " = "), Initial(), *words(machine, "; ")]
            return machine.swap(*declared, self)
        if id == word("for "):
            return machine.swap(*_loop(machine), self)
        if id == word("if "):
            return machine.swap(*_branch(machine, Single(self.result)), self)
        return machine.swap(*begun(machine, id), self)


def begun(machine: Machine, id: int) -> list[Frame]:
    """Return what follows the first token of `let` or of an assignment."""
    if id == machine.lexicon.word("let "):
        return [Declare(), *words(machine, " = "), Chain(ANY), Bind(), *words(machine, "; ")]
    assert id in machine.scope.mutable, "only variables are assigned to"
    return [*words(machine, " = "), Chain(frozenset((1,))), *words(machine, "; ")]


def _loop(machine: Machine) -> list[Frame]:
    """`(var i = 0; i < N; i++) { ... } `, with the length of the array that there is."""
    length = machine.scope.length
    assert length is not None, "a loop goes over an array"
    return [
        *words(machine, "(var i = 0; i < "),
        Word(length),
        *words(machine, "; i++)"),
        Open(),
        Block(),
        Restore(machine.scope),
    ]


def _branch(machine: Machine, inside: Frame) -> list[Frame]:
    """`(a > b) { ... } `."""
    number = Chain(frozenset((1,)))
    return [*words(machine, "("), number, Compare(), number, *words(machine, ") { "), inside, *words(machine, "} ")]


@dataclass(frozen=True, slots=True)
class Initial(Plain):
    """What an accumulator begins with: zero, or as good as infinity."""

    @property
    def cost(self) -> int:
        """A sign and a number."""
        return 2

    def options(self, machine: Machine) -> Iterable[int]:
        """Return zero, a large number, or its sign."""
        return [machine.lexicon.word(text) for text in ("0.0", "1000000.0", "-")]

    def take(self, machine: Machine, id: int) -> Machine:
        """Declare the variable."""
        scope = machine.scope
        name = scope.names[-1]
        declared = replace(scope.declare(name, 1), mutable=scope.mutable | {name})
        big = words(machine, "1000000.0") if id == machine.lexicon.word("-") else []
        return machine.swap(*big).with_scope(declared)


@dataclass(frozen=True, slots=True)
class Open(Plain):
    """The brace that opens a loop's block: from here its variable is there."""

    @property
    def cost(self) -> int:
        """One token."""
        return 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the brace."""
        return machine.lexicon.words(" { ")

    def take(self, machine: Machine, id: int) -> Machine:
        """Declare the loop's variable."""
        return machine.pop().with_scope(replace(machine.scope, index=machine.lexicon.word("i")))


@dataclass(frozen=True, slots=True)
class Restore(Plain):
    """The brace that closes a block: what was declared inside is gone, its names stay used."""

    scope: Scope

    @property
    def cost(self) -> int:
        """One token."""
        return 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the brace."""
        return machine.lexicon.words("} ")

    def take(self, machine: Machine, id: int) -> Machine:
        """Leave the block."""
        return machine.pop().with_scope(replace(self.scope, used=machine.scope.used, names=machine.scope.names))


@dataclass(frozen=True, slots=True)
class Block(Plain):
    """Statements of a loop: at least one."""

    num: int = 0

    @property
    def cost(self) -> int:
        """One assignment where there is none yet."""
        return 0 if self.num else 3 + CONSTANT

    def options(self, machine: Machine) -> Iterator[int]:
        """Return what may begin a statement, or close the block."""
        word, room = machine.lexicon.word, machine.room + self.cost
        if room >= LET:
            yield word("let ")
        if room >= BRANCH:
            yield word("if ")
        if room >= 3 + CONSTANT:
            yield from machine.scope.mutable
        if self.num:
            after = machine.pop()
            yield from after.top.options(after)

    def take(self, machine: Machine, id: int) -> Machine:
        """Begin the statement, or leave."""
        more = Block(self.num + 1)
        if id == machine.lexicon.word("if "):
            return machine.swap(*_branch(machine, Single(None)), more)
        if id == machine.lexicon.word("let ") or id in machine.scope.mutable:
            return machine.swap(*begun(machine, id), more)
        after = machine.pop()
        return after.top.take(after, id)


@dataclass(frozen=True, slots=True)
class Single(Plain):
    """The one statement inside `if`: an assignment, or `return` where a result is given."""

    result: int | None

    @property
    def cost(self) -> int:
        """An assignment."""
        return 3 + CONSTANT

    def options(self, machine: Machine) -> Iterator[int]:
        """Return what may begin it."""
        if self.result is not None:
            yield machine.lexicon.word("return ")
        yield from machine.scope.mutable

    def take(self, machine: Machine, id: int) -> Machine:
        """Begin it."""
        if id == machine.lexicon.word("return ") and self.result is not None:
            return machine.swap(Chain(frozenset((self.result,))), *words(machine, "; "))
        return machine.swap(*begun(machine, id))
