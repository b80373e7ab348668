"""Compute kernels: each element of a buffer, or each pixel of a texture, mapped into another buffer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tutelage.services.codegen.data.expressions import (
    Edge,
    Expression,
    Number,
    code_of,
    edges_of,
    say,
    value_of,
    variable,
)
from tutelage.services.codegen.data.growing import Soil, grow
from tutelage.services.codegen.data.primitives import TYPES
from tutelage.services.codegen.data.programs.program import Context, Floats
from tutelage.services.codegen.data.signature import TEXTURE, Binding, Signature

SAYINGS = (
    "write a compute kernel {f} with workgroup size {n} that reads {t} from {s} and for each element {x} "
    "stores in {o} {e}",
    "compute shader {f}, {n} threads per group: every entry {x} of the array of {t} {s} becomes in {o} {e}",
    "kernel {f} of group size {n} mapping {t} {x} in {s} into {o} as {e}",
)
TEXTURE_SAYINGS = (
    "write an image filter {f} with workgroup size {n} that loads each pixel {x} of the texture {s} "
    "and stores in {o} {e}",
    "image kernel {f}, {n} threads per group: every pixel {x} of texture {s} becomes in {o} {e}",
)
SPOKEN = {"f": ("floats", "scalars"), "4": ("vec4 values", "4d vectors")}
BUFFER = "@group(0) @binding({place}) var<storage, {access}> ${name}$: array<{type}>; "
HEAD = "@compute @workgroup_size({size}) fn ${name}$(@builtin(global_invocation_id) gid: vec3<u32>) {{ "


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """A kernel of one input and one output."""

    kind: Literal["kernel", "texture"]
    name: str
    source: str
    target: str
    element: str
    """The name of one element inside the kernel."""
    letter: str
    result: Expression
    size: Number
    numbers: tuple[Number, ...]

    @property
    def signature(self) -> Signature:
        """Return its bindings."""
        array = f"array<{TYPES[self.letter]}>"
        read = TEXTURE if self.kind == "texture" else array
        return Signature(
            entry="kernel",
            name=self.name,
            bindings=(
                Binding(name=self.source, group=0, index=0, type=read, access="read"),
                Binding(name=self.target, group=0, index=1, type=array, access="read_write"),
            ),
            workgroup_size=int(self.size.text),
        )

    def code(self) -> str:
        """Return the template of the WGSL."""
        return self._texture_code() if self.kind == "texture" else self._buffer_code()

    def _buffer_code(self) -> str:
        type, s, o, x = TYPES[self.letter], self.source, self.target, self.element
        return (
            BUFFER.format(place=0, access="read", name=s, type=type)
            + BUFFER.format(place=1, access="read_write", name=o, type=type)
            + HEAD.format(size=self.size.mark, name=self.name)
            + f"if (gid.x >= arrayLength(&${s}$)) {{ return; }} "
            + f"let ${x}$ = ${s}$[gid.x]; ${o}$[gid.x] = {code_of(self.result)}; }}"
        )

    def _texture_code(self) -> str:
        s, o, x = self.source, self.target, self.element
        return (
            f"@group(0) @binding(0) var ${s}$: texture_2d<f32>; "
            + BUFFER.format(place=1, access="read_write", name=o, type=TYPES["4"])
            + HEAD.format(size=self.size.mark, name=self.name)
            + f"let size = textureDimensions(${s}$); if (gid.x >= size.x * size.y) {{ return; }} "
            + f"let ${x}$ = textureLoad(${s}$, vec2<u32>(gid.x % size.x, gid.x / size.x), 0); "
            + f"${o}$[gid.x] = {code_of(self.result)}; }}"
        )

    def say(self, rng: random.Random) -> str:
        """Return the template of one sentence that asks for it."""
        return rng.choice(TEXTURE_SAYINGS if self.kind == "texture" else SAYINGS).format(
            f=f"${self.name}$",
            n=self.size.mark,
            t=rng.choice(SPOKEN[self.letter]),
            s=f"${self.source}$",
            o=f"${self.target}$",
            x=f"${self.element}$",
            e=say(self.result, rng),
        )

    def edges(self) -> set[Edge]:
        """Return which primitives stand directly inside which; the kernel counts as one."""
        return edges_of(self.result, outer="kernel", tops={})

    def contexts(self, inputs: Mapping[str, Floats]) -> list[Context]:
        """Return its expression with what the element is worth."""
        return [(self.result, {self.element: self._elements(inputs)})]

    def evaluate(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """Return the written buffer: (n,) or (n, 4), a texture's pixels row by row."""
        return {self.target: value_of(self.result, {self.element: self._elements(inputs)})}

    def _elements(self, inputs: Mapping[str, Floats]) -> Floats:
        values = inputs[self.source]
        return values.reshape(-1, 4) if self.kind == "texture" else values


def grow_kernel(soil: Soil, depth: int) -> Kernel:
    """Draw a kernel over a buffer."""
    return _grow(soil, depth, "kernel", soil.rng.choice("ff4"))


def grow_texture(soil: Soil, depth: int) -> Kernel:
    """Draw a filter over a texture's pixels."""
    return _grow(soil, depth, "texture", "4")


def _grow(soil: Soil, depth: int, kind: Literal["kernel", "texture"], letter: str) -> Kernel:
    source, target, element = soil.name(), soil.name(), soil.name()
    soil.fixed = [variable(element, letter)]
    result = grow(soil, letter, depth)
    size = soil.number(str(soil.rng.choice((32, 64, 128, 256))))
    return Kernel(
        kind=kind,
        name=soil.function_name(),
        source=source,
        target=target,
        element=element,
        letter=letter,
        result=result,
        size=size,
        numbers=tuple(soil.numbers),
    )
