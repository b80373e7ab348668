"""Frames of whole programs: functions, structs before them, kernels over buffers and textures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tutelage.services.codegen.masks.costs import CONSTANT
from tutelage.services.codegen.masks.expressions import Chain, Word
from tutelage.services.codegen.masks.functions import FUNCTION, End, function
from tutelage.services.codegen.masks.machine import Array, Frame, Machine, Record
from tutelage.services.codegen.masks.statements import LET, Count, Declare, Plain, begun, words

STORE = 6 + CONSTANT
"""`out[gid.x] = ` expression `; `."""
KERNEL = 80
"""A whole kernel, shortest."""
STRUCT = 8


@dataclass(frozen=True, slots=True)
class Program(Plain):
    """The beginning."""

    @property
    def cost(self) -> int:
        """The shortest function."""
        return FUNCTION + 1

    def options(self, machine: Machine) -> Iterator[int]:
        """Return what may begin a program."""
        word = machine.lexicon.word
        yield word("fn ")
        if machine.room >= STRUCT:
            yield word("struct ")
        if machine.left >= KERNEL:
            yield word("@group(0) @binding(0) ")

    def take(self, machine: Machine, id: int) -> Machine:
        """Begin it."""
        word = machine.lexicon.word
        if id == word("fn "):
            return machine.swap(*function(machine))
        if id == word("struct "):
            fields = [Declare(), *words(machine, ": "), FieldType()]
            return machine.swap(Declare(), *words(machine, " { "), *fields)
        return machine.swap(Source())


@dataclass(frozen=True, slots=True)
class FieldType(Plain):
    """A field's type; then another field, or the function that takes the struct."""

    fields: tuple[tuple[int, int], ...] = ()

    @property
    def cost(self) -> int:
        """The type, the brace, the function."""
        return 3 + FUNCTION

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the numeric types."""
        return machine.lexicon.types

    def take(self, machine: Machine, id: int) -> Machine:
        """Keep the field."""
        field = (machine.scope.names[-1], machine.lexicon.types[id])
        return machine.swap(Fields((*self.fields, field)))


@dataclass(frozen=True, slots=True)
class Fields(Plain):
    """What follows a field."""

    fields: tuple[tuple[int, int], ...]

    @property
    def cost(self) -> int:
        """The brace, the function."""
        return 2 + FUNCTION

    def options(self, machine: Machine) -> Iterator[int]:
        """Return what parts or closes."""
        yield machine.lexicon.word(" } ")
        if machine.room >= 4:
            yield machine.lexicon.word(", ")

    def take(self, machine: Machine, id: int) -> Machine:
        """Go on to the next field, or declare the struct and begin the function."""
        if id == machine.lexicon.word(", "):
            return machine.swap(Declare(), *words(machine, ": "), FieldType(self.fields))
        scope = machine.scope
        name, record = scope.names[0], Record(dict(self.fields))
        known = replace(scope, records={**scope.records, name: record}, names=())
        return machine.swap(*words(machine, "fn "), *function(machine)).with_scope(known)


@dataclass(frozen=True, slots=True)
class Source(Plain):
    """What a kernel reads: a buffer or a texture."""

    @property
    def cost(self) -> int:
        """The rest of the kernel."""
        return KERNEL - 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the two kinds of variables."""
        return [machine.lexicon.word("var<storage, read> "), machine.lexicon.word("var ")]

    def take(self, machine: Machine, id: int) -> Machine:
        """Declare it; a texture's elements are four floats."""
        if id == machine.lexicon.word("var "):
            return machine.swap(Declare(), *words(machine, ": texture_2d<f32>; "), *_target(machine), ElementType(4))
        return machine.swap(Declare(), *words(machine, ": "), SourceType())


def _target(machine: Machine) -> list[Frame]:
    return [*words(machine, "@group(0) @binding(1) var<storage, read_write> "), Declare(), *words(machine, ": ")]


@dataclass(frozen=True, slots=True)
class SourceType(Plain):
    """The read buffer's type; the written one has the same."""

    @property
    def cost(self) -> int:
        """The rest of the kernel."""
        return KERNEL - 5

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the arrays sized at run time."""
        return machine.lexicon.array_types

    def take(self, machine: Machine, id: int) -> Machine:
        """Declare the buffer as readable at the invocation's place."""
        dim = machine.lexicon.array_types[id]
        array = Array(dim, index=machine.lexicon.word("gid.x"))
        known = machine.scope.declare(machine.scope.names[-1], array)
        rest = [*words(machine, "; "), *_target(machine), ElementType(dim, of_buffer=True)]
        return machine.swap(*rest).with_scope(known)


@dataclass(frozen=True, slots=True)
class ElementType(Plain):
    """The written buffer's type; then the kernel's head and the guard of its range."""

    dim: int
    of_buffer: bool = False

    @property
    def cost(self) -> int:
        """The rest of the kernel."""
        return KERNEL - 12

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the one type it may have."""
        return [id for id, dim in machine.lexicon.array_types.items() if dim == self.dim]

    def take(self, machine: Machine, id: int) -> Machine:
        """Write the head."""
        head = [
            *words(machine, "; @compute @workgroup_size("),
            Count(),
            *words(machine, ") fn "),
            Declare(),
            *words(machine, "(@builtin(global_invocation_id) gid: vec3<u32>) { "),
        ]
        source, target = machine.scope.names
        known = replace(machine.scope, output=target)
        inside = KernelBody(self.dim)
        if self.of_buffer:
            guard = [*words(machine, "if (gid.x >= arrayLength(&"), Word(source), *words(machine, ")) { return; } ")]
            return machine.swap(*head, *guard, inside).with_scope(known)
        guard = [
            *words(machine, "let size = textureDimensions("),
            Word(source),
            *words(machine, "); if (gid.x >= size.x * size.y) { return; } let "),
            Declare(),
            *words(machine, " = textureLoad("),
            Word(source),
            *words(machine, ", vec2<u32>(gid.x % size.x, gid.x / size.x), 0)"),
            Pixel(),
        ]
        return machine.swap(*head, *guard, inside).with_scope(known)


@dataclass(frozen=True, slots=True)
class Pixel(Plain):
    """The end of the line that loads a pixel: from here its name is four floats."""

    @property
    def cost(self) -> int:
        """One token."""
        return 1

    def options(self, machine: Machine) -> Iterable[int]:
        """Return the semicolon."""
        return machine.lexicon.words("; ")

    def take(self, machine: Machine, id: int) -> Machine:
        """Declare the pixel."""
        return machine.pop().with_scope(machine.scope.declare(machine.scope.names[-1], 4))


@dataclass(frozen=True, slots=True)
class KernelBody(Plain):
    """Statements of a kernel: names bound, and at least one element written."""

    dim: int
    num_stores: int = 0

    @property
    def cost(self) -> int:
        """An element written, where none is yet, and the brace."""
        return 1 if self.num_stores else STORE + 1

    def options(self, machine: Machine) -> Iterator[int]:
        """Return what may begin a statement, or end the kernel."""
        assert machine.scope.output is not None, "a kernel writes something"
        room = machine.room + self.cost
        if room >= LET + STORE + 1:
            yield machine.lexicon.word("let ")
        if room >= STORE + 1:
            yield machine.scope.output
        if self.num_stores:
            yield machine.lexicon.word("}")

    def take(self, machine: Machine, id: int) -> Machine:
        """Begin the statement, or end."""
        lexicon = machine.lexicon
        if id == lexicon.word("}"):
            return machine.swap(End())
        if id == lexicon.word("let "):
            return machine.swap(*begun(machine, id), self)
        store = [*words(machine, "[gid.x] = "), Chain(frozenset((self.dim,))), *words(machine, "; ")]
        return machine.swap(*store, KernelBody(self.dim, self.num_stores + 1))
