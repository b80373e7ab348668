"""The code vocabulary: every lexeme of the generated language, common words of shaders, and characters and bytes for
whatever else a text holds. Fixed and sorted, so that ids mean the same everywhere."""

from __future__ import annotations

import string

from tutelage.services.codegen.data.names import FUNCTION_NAMES
from tutelage.services.codegen.language.words import FUNCTIONS, KEYWORDS, MATRICES, SCALARS, VECTORS

SPECIALS = ("<pad>", "<unk>", "<sos>", "<eos>")
PAD, UNK, SOS, EOS = range(4)

NUM_NAME_SLOTS, NUM_NUMBER_SLOTS = 18, 12
NAME_SLOTS = tuple(f"<v{i}>" for i in range(NUM_NAME_SLOTS))
NUMBER_SLOTS = tuple(f"<n{i}>" for i in range(NUM_NUMBER_SLOTS))

BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""UTF-8, for characters outside ASCII."""

_LAYOUT = ("\n", *("\n" + " " * n for n in (2, 4, 6, 8, 12, 16, 20)), "  ", "    ", "        ", "\t")
_OPERATORS = ("+", "-", "*", "/", "%", "=", "<", ">", "<=", ">=", "==", "!=", "&&", "||", "&", "|", "^", "<<", ">>",
              "+=", "-=", "*=", "/=", "->", "++", "--")  # fmt: skip
_PUNCTUATION = (", ", "; ", ": ", " { ", "{ ", " {", " } ", "} ", " }")
_KEYWORDS = (" fn ", "fn ", "let ", "return ", "var ", "if ", "for ", "else ", "struct ", "const ", "while ",
             "var<storage, read> ", "var<storage, read_write> ", "var<uniform> ", "var<private> ",
             "var<workgroup> ")  # fmt: skip
_COMPONENTS = (
    ".x",
    ".y",
    ".z",
    ".w",
    ".xy",
    ".yx",
    ".xz",
    ".zw",
    ".yz",
    ".xyz",
    ".rgb",
    ".rgba",
    ".r",
    ".g",
    ".b",
    ".a",
)
_ATTRIBUTES = (
    "@compute @workgroup_size(", "@compute", "@vertex", "@fragment", "@workgroup_size", "@location", "@builtin",
    "@builtin(position)", "@builtin(vertex_index)", "@builtin(global_invocation_id)",
    "@builtin(global_invocation_id) gid: vec3<u32>",
    *(f"@group({group}) @binding({index}) " for group in (0, 1) for index in range(6)),
)  # fmt: skip
_TYPES = (
    *SCALARS, *VECTORS, *(f"{name}(" for name in (*SCALARS, *VECTORS, *MATRICES)), *MATRICES,
    *(f"array<{e}{end}" for e in ("f32", "i32", "u32", "vec2<f32>", "vec3<f32>", "vec4<f32>") for end in (">", ", ")),
    "array", "texture_2d", "texture_3d", "texture_storage_2d", "sampler", "ptr", "atomic", "vec2", "vec3", "vec4",
    "vec2f", "vec3f", "vec4f", "vec2f(", "vec3f(", "vec4f(", "mat4x4f",
)  # fmt: skip
_NUMBERS = ("0", "1", "2", "3", "4", "8", "16", "32", "64", "128", "256", "0.0", "1.0", "2.0", "3.0", "0.5", "0.25",
            "0.1", "1.2", "0.8", "1.9", "3.7", "7.5", "0.2126", "0.7152", "0.0722", "1000000.0", "0u", "1u", "0.01",
            "0.001", "3.14159", "3.14159265", "6.28318")  # fmt: skip
_WORDS = (
    "gid.x gid.y gid.z acc gid i j k n size global_invocation_id storage "
    "read read_write write uniform workgroup private function main "
    "position color colour uv normal light camera time view model matrix world screen depth alpha radius angle speed "
    "scale offset value result index count width height center origin direction distance intensity strength factor "
    "ambient diffuse specular roughness metallic noise hash wave fog shadow ray hit sphere box plane sdf data input "
    "output buffer sum total max min left right pixel texel tex samp kernel shader vertex fragment in out pos dir "
    "col src dst idx len num tmp weight bias step particle velocity force mass a b c d e f g h p q r s t u v w x y z"
).split()


def standard_tokens() -> list[str]:
    """Return the fixed vocabulary: the special tokens, then everything else, sorted."""
    parts = {part for name in FUNCTION_NAMES for part in name.split("_")}
    texts = {
        *NAME_SLOTS, *NUMBER_SLOTS, *string.printable, *_LAYOUT, *_PUNCTUATION, *_KEYWORDS, *_COMPONENTS,
        *_ATTRIBUTES, *_TYPES, *_NUMBERS, *_WORDS, *KEYWORDS, *FUNCTIONS, *parts, *_OPERATORS,
        *(f" {operator} " for operator in _OPERATORS), *(f"{name}(" for name in FUNCTIONS),
    }  # fmt: skip
    return [*SPECIALS, *BYTES, *sorted(texts)]
