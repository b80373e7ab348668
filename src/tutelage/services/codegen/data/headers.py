"""Signatures read off code: the last function, or the kernel, of a text of plain layout."""

from __future__ import annotations

import re
from typing import Literal

from tutelage.services.codegen.data.signature import DIMENSION, Binding, Parameter, Signature

_FUNCTION = re.compile(r"(?<!\) )\bfn\s+(\w+)\s*\(([^()]*)\)\s*->\s*([\w<>]+)")
_PARAMETER = re.compile(r"(\w+)\s*:\s*(\w+(?:<[^<>]*(?:<[^<>]*>)?[^<>]*>)?)")
_BINDING = re.compile(r"@group\((\d+)\)\s*@binding\((\d+)\)\s*var<storage,\s*(read(?:_write)?)>\s*(\w+)\s*:\s*([^;]+);")
_KERNEL = re.compile(r"@compute\s*@workgroup_size\((\d+)\)\s*fn\s+(\w+)")


def signatures_of(code: str) -> list[Signature]:
    """Return the signatures of a text's kernel, or of its functions of floats, vectors and arrays, the last first.

    What it cannot read - structs, textures, other types - it leaves out: there is nothing to feed it with.
    """
    kernel = _KERNEL.search(code)
    if kernel:
        bindings = tuple(_binding(*found) for found in _BINDING.findall(code))
        return [Signature(entry="kernel", name=kernel[2], bindings=bindings, workgroup_size=int(kernel[1]))]
    found = [_function(*header.groups()) for header in _FUNCTION.finditer(code)]
    return [signature for signature in reversed(found) if _can_be_fed(signature)]


def matching_signature(code: str, wanted: Signature) -> Signature | None:
    """Return the signature in a code that takes and gives what is wanted; of several, the one of the same name."""
    alike = [found for found in signatures_of(code) if _types(found) == _types(wanted)]
    return next((found for found in alike if found.name == wanted.name), alike[0] if alike else None)


def _function(name: str, parameters: str, result: str) -> Signature:
    places = tuple(Parameter(name=own, type=_plain(type)) for own, type in _PARAMETER.findall(parameters))
    return Signature(entry="function", name=name, parameters=places, result=result)


def _binding(group: str, index: str, access: str, name: str, type: str) -> Binding:
    writes: Literal["read", "read_write"] = "read_write" if access == "read_write" else "read"
    return Binding(name=name, group=int(group), index=int(index), type=_plain(type), access=writes)


def _can_be_fed(signature: Signature) -> bool:
    types = [parameter.type for parameter in signature.parameters]
    known = all(type in DIMENSION or type.startswith("array<f32, ") for type in types)
    return bool(types) and known and signature.result in DIMENSION


def _types(signature: Signature) -> tuple[object, ...]:
    places = [parameter.type for parameter in signature.parameters]
    bound = [(binding.group, binding.index, binding.type, binding.access) for binding in signature.bindings]
    return signature.entry, places, bound, signature.result


def _plain(type: str) -> str:
    return re.sub(r"\s*,\s*", ", ", type.strip())
