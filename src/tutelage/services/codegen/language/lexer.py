"""WGSL lexemes with their layout: cutting a text into them loses nothing, joining them gives the text back.

Spaces belong to punctuation, operators and keywords (`, `, ` * `, `return `), never to names, numbers and types: each
of those is one token wherever it stands. What always stands together is one lexeme (`@compute @workgroup_size(`).
"""

from __future__ import annotations

import re

_FORMS = (
    r"[,;:] ?|\)",
    r"<[nv]\d+>",
    r" (?:[-+*/%<>=!&|^]{1,3}|fn|\{|\}) ",
    r"(?:fn|let|return|var(?:<[a-z_, ]+>)?|if|for|else|struct|const|while) ",
    r"(?:vec[234]|mat[234]x[234])<\w+>\(?",
    r"array<(?:f32|i32|u32|vec[234]<f32>)(?:>|, )",
    r"gid\.[xyz]\b",
    r"[A-Za-z_]\w*\(?",
    r"\d[\w.]*",
    r"[(\[\]]",
    r"\.[xyzwrgba]{1,4}\b",
    r" ?\{ ?| ?\} ?",
    r"@group\(\d+\) @binding\(\d+\) |@compute @workgroup_size\(",
    r"@builtin\(\w+\)(?: gid: vec3<u32>)?|@\w+",
    r"\n *| +|\t+",
    r"\+\+|--|->|[-+*/%<>=!&|^]=?",
    r".",
)
"""In this order; the frequent ones first, for the search tries one after another."""

LEXEMES = re.compile("|".join(_FORMS), re.DOTALL)


def lexemes(text: str) -> list[str]:
    """Return the lexemes of a text, valid WGSL or not; joined they are the text."""
    return LEXEMES.findall(text)
