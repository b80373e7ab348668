"""A program made ready to run: one compute kernel, the buffers it reads and writes, how many workgroups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.data.signature import (
    DIMENSION,
    RESULT,
    TEXTURE,
    Binding,
    Floats,
    Parameter,
    Signature,
    element_of,
)

INPUT, OUTPUT, ENTRY = "tutelage_input", "tutelage_output", "tutelage_main"
"""Names of what is put around a function; a program of its own cannot guess them by chance."""

WORKGROUP_SIZE = 64
PADDED = {3: 4}
"""In an array a `vec3` takes the room of a `vec4` (WGSL, memory layouts)."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What is bound: an input's values (of a texture [height, width, 4]), or the room of an output, in floats."""

    group: int
    index: int
    kind: Literal["input", "output", "texture"]
    values: Floats | None = None
    num_floats: int = 0


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output's name, and how its floats are shaped: the last axis has `padded` floats, of which `shape` keeps."""

    name: str
    shape: tuple[int, ...]
    padded: tuple[int, ...]

    def shaped(self, flat: Floats) -> Floats:
        """Return the values without padding."""
        whole = flat.reshape(self.padded)
        return whole if self.padded == self.shape else whole[..., : self.shape[-1]]


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Everything that running a program once takes."""

    code: str
    entry_point: str
    num_workgroups: int
    resources: tuple[Resource, ...]
    outputs: tuple[Output, ...]


def launch_of(
    code: str,
    signature: Signature,
    inputs: Mapping[str, Floats],
    *,
    output_shapes: Mapping[str, tuple[int, ...]] | None = None,
) -> Launch:
    """Return how to run a program on these inputs, keyed and shaped as `random_inputs` draws them.

    A function runs once for each of its inputs, a kernel once for each element of its first binding. `output_shapes`
    says how large a kernel's outputs are; by default each has as many elements. Raises InvalidSpec for inputs that do
    not fit the signature.
    """
    missing = [place.name for place in signature.inputs if place.name not in inputs]
    if missing:
        raise InvalidSpec(f"inputs are missing: {', '.join(missing)}", hint="draw them with random_inputs")
    if signature.entry == "function":
        return _function(code, signature, inputs)
    return _kernel(code, signature, inputs, output_shapes or {})


def _function(code: str, signature: Signature, inputs: Mapping[str, Floats]) -> Launch:
    columns = [_rows(inputs[place.name]) for place in signature.inputs]
    num_rows = len(columns[0]) if columns else 1
    table = np.concatenate(columns, axis=1) if columns else np.zeros((1, 1), np.float32)
    result = signature.outputs[0].type
    width = _width(result)
    shape = _shape(result, num_rows)
    text = _around(code, signature, stride=table.shape[1], num_rows=num_rows)
    return Launch(
        code=text,
        entry_point=ENTRY,
        num_workgroups=-(-num_rows // WORKGROUP_SIZE),
        resources=(
            Resource(group=0, index=0, kind="input", values=np.ascontiguousarray(table, np.float32)),
            Resource(group=0, index=1, kind="output", num_floats=num_rows * width),
        ),
        outputs=(Output(name=RESULT, shape=shape, padded=shape),),
    )


def _around(code: str, signature: Signature, *, stride: int, num_rows: int) -> str:
    arguments, offset = [], 0
    for parameter in signature.parameters:
        text, taken = _argument(parameter, signature, offset)
        arguments.append(text)
        offset += taken
    assert signature.result is not None
    stores = _stores(signature.result)
    return (
        f"{code}\n"
        f"@group(0) @binding(0) var<storage, read> {INPUT}: array<f32>;\n"
        f"@group(0) @binding(1) var<storage, read_write> {OUTPUT}: array<f32>;\n"
        f"@compute @workgroup_size({WORKGROUP_SIZE})\n"
        f"fn {ENTRY}(@builtin(global_invocation_id) tutelage_id: vec3<u32>) {{\n"
        f"  if (tutelage_id.x >= {num_rows}u) {{ return; }}\n"
        f"  let tutelage_at = tutelage_id.x * {stride}u;\n"
        f"  let tutelage_result: {signature.result} = {signature.name}({', '.join(arguments)});\n"
        f"{stores}}}\n"
    )


def _argument(parameter: Parameter, signature: Signature, offset: int) -> tuple[str, int]:
    """Return the expression that builds a parameter from the flat input, and how many floats it takes."""
    struct = next((found for found in signature.structs if found.name == parameter.type), None)
    if struct is None:
        return _value(parameter.type, offset)
    parts, taken = [], 0
    for member in struct.fields:
        text, size = _value(member.type, offset + taken)
        parts.append(text)
        taken += size
    return f"{struct.name}({', '.join(parts)})", taken


def _value(type: str, offset: int) -> tuple[str, int]:
    if type == "f32":
        return f"{INPUT}[tutelage_at + {offset}u]", 1
    if type in DIMENSION:
        inner, count = "f32", DIMENSION[type]
    else:
        inner, length = element_of(type)
        if length is None:
            raise InvalidSpec(f"a function cannot take {type!r}", hint="give the array a length: array<f32, 8>")
        count = length
    step = DIMENSION[inner]
    parts = [_value(inner, offset + index * step)[0] for index in range(count)]
    return f"{type}({', '.join(parts)})", count * step


def _stores(result: str) -> str:
    if result == "f32":
        return f"  {OUTPUT}[tutelage_id.x] = tutelage_result;\n"
    width = _width(result)
    paths = _paths(result)
    lines = [f"  {OUTPUT}[tutelage_id.x * {width}u + {i}u] = tutelage_result{path};\n" for i, path in enumerate(paths)]
    return "".join(lines)


def _paths(type: str) -> list[str]:
    """Return how each float of a value is reached: `[1]`, `[2][0]`."""
    if type == "f32":
        return [""]
    if type in DIMENSION:
        return [f"[{index}]" for index in range(DIMENSION[type])]
    element, length = element_of(type)
    return [f"[{index}]{inner}" for index in range(length or 0) for inner in _paths(element)]


def _width(type: str) -> int:
    return len(_paths(type))


def _shape(type: str, num_rows: int) -> tuple[int, ...]:
    if type in DIMENSION:
        return (num_rows,) if DIMENSION[type] == 1 else (num_rows, DIMENSION[type])
    element, length = element_of(type)
    inner = () if DIMENSION[element] == 1 else (DIMENSION[element],)
    return (num_rows, length or 0, *inner)


def _rows(values: Floats) -> Floats:
    return values.reshape(len(values), -1)


def _kernel(
    code: str, signature: Signature, inputs: Mapping[str, Floats], shapes: Mapping[str, tuple[int, ...]]
) -> Launch:
    if not signature.bindings or signature.workgroup_size is None:
        raise InvalidSpec(f"kernel {signature.name!r} has no bindings or no workgroup size", hint="name both")
    count = _num_elements(signature, inputs)
    resources, outputs = [], []
    for binding in signature.bindings:
        if binding.access == "read":
            resources.append(_read(binding, inputs[binding.name]))
            continue
        output = _written(binding, shapes.get(binding.name), count)
        outputs.append(output)
        size = int(np.prod(output.padded))
        resources.append(Resource(group=binding.group, index=binding.index, kind="output", num_floats=size))
    return Launch(
        code=code,
        entry_point=signature.name,
        num_workgroups=-(-count // signature.workgroup_size),
        resources=tuple(resources),
        outputs=tuple(outputs),
    )


def _num_elements(signature: Signature, inputs: Mapping[str, Floats]) -> int:
    first = signature.bindings[0]
    if first.name not in inputs:
        return max((len(values) for values in inputs.values()), default=1)
    values = inputs[first.name]
    return int(values.shape[0] * values.shape[1]) if first.type == TEXTURE else len(values)


def _read(binding: Binding, values: Floats) -> Resource:
    kind: Literal["texture", "input"] = "texture" if binding.type == TEXTURE else "input"
    width = values.shape[-1] if values.ndim > 1 else 1
    if kind == "input" and width in PADDED:
        values = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, PADDED[width] - width)])
    return Resource(
        group=binding.group, index=binding.index, kind=kind, values=np.ascontiguousarray(values, np.float32)
    )


def _written(binding: Binding, shape: tuple[int, ...] | None, count: int) -> Output:
    element, length = element_of(binding.type)
    width = DIMENSION[element]
    inner = () if width == 1 else (width,)
    kept = shape or ((length or count), *inner)
    padded = (*kept[:-1], PADDED[width]) if width in PADDED else kept
    return Output(name=binding.name, shape=kept, padded=padded)
