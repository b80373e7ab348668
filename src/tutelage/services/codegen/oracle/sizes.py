"""Bytes that a shader's workgroup variables take, as far as its text alone tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SCALARS = {"f32": 4, "i32": 4, "u32": 4, "bool": 4, "f16": 2}
SUFFIXES = {"f": "f32", "i": "i32", "u": "u32", "h": "f16"}
WORKGROUP = re.compile(r"\bvar\s*<\s*workgroup\s*>\s*(\w+)\s*:\s*([^;]{1,500});")
ALIAS = re.compile(r"\balias\s+(\w+)\s*=\s*([^;]{1,500});")
CONSTANT = re.compile(r"\bconst\s+(\w+)\s*(?::\s*[iu]32\s*)?=\s*(0[xX][0-9a-fA-F]+|\d+)[iu]?\s*;")
STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{([^}]{0,2000})\}")
GENERIC = re.compile(r"(\w+)\s*<(.*)>\Z", re.DOTALL)
SHORT = re.compile(r"(vec[234]|mat[234]x[234])([fiuh])\Z")
DEEPEST = 32
"""Types nested deeper than this, and declarations longer than these patterns allow, are left to the compiler."""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Size and alignment of a type, in bytes (WGSL, memory layouts)."""

    size: int
    align: int


@dataclass(frozen=True, kw_only=True)
class WorkgroupVariable:
    """A workgroup variable: its name, where its declaration starts, its bytes (None where the text does not tell)."""

    name: str
    offset: int
    num_bytes: int | None


def workgroup_variables(code: str) -> list[WorkgroupVariable]:
    """Return the workgroup variables of a text without comments."""
    types = {**dict(ALIAS.findall(code)), **{n: f"struct {b}" for n, b in STRUCT.findall(code)}}
    reader = _Types(types=types, constants={name: int(value, 0) for name, value in CONSTANT.findall(code)})
    found = []
    for match in WORKGROUP.finditer(code):
        extent = reader.extent(match.group(2))
        size = None if extent is None else extent.size
        found.append(WorkgroupVariable(name=match.group(1), offset=match.start(), num_bytes=size))
    return found


@dataclass(frozen=True, kw_only=True)
class _Types:
    """Knows a text's own types and integer constants."""

    types: Mapping[str, str]
    constants: Mapping[str, int]
    known: dict[str, Extent | None] = field(default_factory=dict)

    def extent(self, text: str, depth: int = 0) -> Extent | None:
        """Return the extent of a type as written, or None where it cannot be told."""
        text = text.strip()
        if depth > DEEPEST:
            return None
        if text in SCALARS:
            return Extent(size=SCALARS[text], align=SCALARS[text])
        if short := SHORT.match(text):
            return self.extent(f"{short.group(1)}<{SUFFIXES[short.group(2)]}>", depth + 1)
        if text.startswith("struct "):
            return self._struct(text.removeprefix("struct "), depth)
        if text in self.types:
            if text not in self.known:  # once a name: structures of structures would double at each level
                self.known[text] = self.extent(self.types[text], depth + 1)
            return self.known[text]
        return self._generic(text, depth)

    def _generic(self, text: str, depth: int) -> Extent | None:
        match = GENERIC.match(text)
        if match is None:
            return None
        name, arguments = match.group(1), _split(match.group(2))
        inner = self.extent(arguments[0], depth + 1)
        if inner is None:
            return None
        if name == "atomic":
            return inner
        if name == "array":
            return self._array(inner, arguments)
        return _vector(name, inner)

    def _array(self, inner: Extent, arguments: list[str]) -> Extent | None:
        count = self._count(arguments[1]) if len(arguments) > 1 else None
        return None if count is None else Extent(size=count * _up(inner.size, inner.align), align=inner.align)

    def _count(self, text: str) -> int | None:
        number = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)[iu]?", text)
        return int(number.group(1), 0) if number else self.constants.get(text)

    def _struct(self, body: str, depth: int) -> Extent | None:
        size, align = 0, 1
        for member in _split(body):
            inner = self.extent(member.partition(":")[2], depth + 1)
            if inner is None:
                return None
            size, align = _up(size, inner.align) + inner.size, max(align, inner.align)
        return Extent(size=_up(size, align), align=align)


def _vector(name: str, scalar: Extent) -> Extent | None:
    """Return the extent of `vecN` or of `matCxR`: C columns, each a vector of R."""
    match = re.fullmatch(r"vec([234])|mat([234])x([234])", name)
    if match is None:
        return None
    rows, columns = int(match.group(1) or match.group(3)), int(match.group(2) or 1)
    align = scalar.size * (2 if rows == 2 else 4)
    size = rows * scalar.size
    return Extent(size=size if columns == 1 else columns * _up(size, align), align=align)


def _up(size: int, align: int) -> int:
    return -(-size // align) * align


def _split(text: str) -> list[str]:
    """Split at the commas outside of `<>`, `()` and `[]`."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign in "<([") - (sign in ">)]")
        if sign == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [part for part in [*parts, text[start:].strip()] if part]
