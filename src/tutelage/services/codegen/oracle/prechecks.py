"""What no compiler is asked about: texts that crash one, that one takes for valid, or that no device could run."""

from __future__ import annotations

from collections.abc import Iterator

from tutelage.services.codegen.oracle.lexing import deepest, functions, without_comments
from tutelage.services.codegen.oracle.sizes import workgroup_variables
from tutelage.services.codegen.oracle.verdict import Message, place_of

MAX_BYTES = 1_000_000
MAX_DEPTH = 200
"""naga overflows its stack at about 3,000 parentheses, Tint stops by itself at 512."""

MAX_WORKGROUP_BYTES = 16_384
"""WebGPU's default limit of `maxComputeWorkgroupStorageSize`."""


def precheck(code: str, *, function: str | None = None) -> tuple[Message, ...]:
    """Return what is wrong with a text before any compiler sees it; `function` must be declared where it is named.

    A text over the size limit is looked at no further, and no other check costs more than a pass over the text.
    """
    if too_large := _size(code):
        return (too_large,)
    if nul := _nul(code):
        return (nul,)
    try:
        code.encode()
    except UnicodeEncodeError as error:
        return (_at(code, error.start, "a lone surrogate is no character; WGSL is UTF-8"),)
    plain = without_comments(code)
    return tuple(message for message in (*_nesting(plain), *_declares(plain, function), *_workgroup(plain)))


def _size(code: str) -> Message | None:
    size = len(code) if len(code) > MAX_BYTES else len(code.encode(errors="replace"))
    if size <= MAX_BYTES:
        return None
    return Message(text=f"a shader may have up to {MAX_BYTES:,} bytes, got {size:,}; split it")


def _nul(code: str) -> Message | None:
    at = code.find("\0")
    return None if at < 0 else _at(code, at, "a NUL character; what follows it would be ignored: remove it")


def _nesting(plain: str) -> Iterator[Message]:
    depth, offset = deepest(plain)
    if depth > MAX_DEPTH:
        yield _at(plain, offset, f"brackets or operators nest {depth:,} deep, allowed are {MAX_DEPTH}; name the parts")


def _declares(plain: str, function: str | None) -> Iterator[Message]:
    names = functions(plain)
    if not names:
        yield Message(text="no function is declared: a shader needs an entry point or the function that was asked for")
    elif function is not None and function not in names:
        yield Message(text=f"no function {function!r} is declared; declared are: {', '.join(names[:10])}")


def _workgroup(plain: str) -> Iterator[Message]:
    found = [variable for variable in workgroup_variables(plain) if variable.num_bytes is not None]
    total = sum(variable.num_bytes or 0 for variable in found)
    if total > MAX_WORKGROUP_BYTES:
        largest = max(found, key=lambda variable: variable.num_bytes or 0)
        yield _at(
            plain,
            largest.offset,
            f"workgroup variables take {total:,} bytes, allowed are {MAX_WORKGROUP_BYTES:,}; "
            f"{largest.name!r} alone takes {largest.num_bytes:,}",
        )


def _at(code: str, offset: int, text: str) -> Message:
    line, column = place_of(code, offset)
    return Message(text=text, line=line, column=column)
