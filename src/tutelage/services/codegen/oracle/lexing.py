"""The little that the pre-checks must know of WGSL's text: comments, nesting, functions, entry points."""

from __future__ import annotations

import re

LINE_END = "\n\v\f\r\u0085\u2028\u2029"
"""What ends a line comment in WGSL."""

OUTSIDE = re.compile(rf"//[^{LINE_END}]*|/\*")
INSIDE = re.compile(r"/\*|\*/")
FUNCTION = re.compile(r"\bfn\s+([^\W\d]\w*)\s*\(")
ENTRY_POINT = re.compile(r"@\s*(compute|vertex|fragment)\b")
BRACKETS = re.compile(r"[()\[\]{}]")
UNARY_RUN = re.compile(r"(?:[-!~&*]\s*){2,}")
TEMPLATE_RUN = re.compile(r"(?<!\w)(?:\w{1,64}\s*<\s*){2,}")
"""Begins at a word's start and bounds the word: no text, however long its words, is looked at more than once."""


def without_comments(code: str) -> str:
    """Return the code with every comment as blanks: the same length, the same lines. Block comments nest in WGSL."""
    kept, position = [], 0
    while found := OUTSIDE.search(code, position):
        end = found.end() if found.group() != "/*" else _end_of_block(code, found.end())
        kept += [code[position : found.start()], _blank(code[found.start() : end])]
        position = end
    return "".join([*kept, code[position:]])


def deepest(code: str) -> tuple[int, int]:
    """Return how deep the text nests - brackets, templates or unary operators, whichever is deepest - and where."""
    depth, best, where = 0, 0, 0
    for found in BRACKETS.finditer(code):
        depth = depth + 1 if found.group() in "([{" else max(0, depth - 1)
        if depth > best:
            best, where = depth, found.start()
    for pattern, sign in ((UNARY_RUN, None), (TEMPLATE_RUN, "<")):
        for found in pattern.finditer(code):
            run = found.group()
            length = run.count(sign) if sign else len(run) - sum(map(str.isspace, run))
            if length > best:
                best, where = length, found.start()
    return best, where


def functions(code: str) -> list[str]:
    """Return the names of the functions that the text (without comments) declares, in order."""
    return FUNCTION.findall(code)


def _end_of_block(code: str, position: int) -> int:
    depth = 1
    while depth and (found := INSIDE.search(code, position)):
        depth += 1 if found.group() == "/*" else -1
        position = found.end()
    return len(code) if depth else position


def _blank(comment: str) -> str:
    return re.sub(r"[^\n]", " ", comment)
