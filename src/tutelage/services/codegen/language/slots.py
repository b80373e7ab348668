"""Names and numbers in a person's prompt: found, replaced by slots, and put back into the code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tutelage.services.codegen.language.phrasebook import DECLARABLE, FUNCTION_WORDS, english
from tutelage.services.codegen.language.vocabulary import NUM_NAME_SLOTS, NUM_NUMBER_SLOTS
from tutelage.services.codegen.language.words import NOT_NAMES

_PIECE = re.compile(
    r"`(?P<quoted>[A-Za-z_]\w*)`|(?P<number>(?<![\w.])[-\u2212]?(?:\d+\.\d+|\.\d+|\d+)(?![\w]))|(?P<word>[234]d\b|[A-Za-z_]\w*)"
)
_SHAPED = re.compile(r"[a-z0-9]+_\w*|[a-z]+[A-Z]\w*|[A-Za-z]+\d+\w*|[b-hj-zA-HJ-Z]|[b-df-hj-np-tv-xz]{2,5}")
"""What no English word looks like: snake_case, camelCase, a digit inside, a single letter, no vowel."""
_TYPE_WORD = re.compile(r"(?:vec|mat)\d\w*|[fiu]32|f16|\d+d")
_SLOT = re.compile(r"<[nv]\d+>")
_IDENTIFIER = re.compile(r"(?<![\w.])[A-Za-z_]\w*")

DECLARING = frozenset(
    "float floats scalar f32 number vec2 vec3 vec4 vec2f vec3f vec4f named called function kernel shader helper struct "
    "structure texture component color colour array filter".split()
)
"""After these a name may be any word that is not grammar; `vector` and `component` only as in `3d vector p`."""

INTRODUCING = frozenset("from in into as let entry element elements pixel every floats scalars values vectors".split())
"""After these a name is a word that is not English."""

_AFTER_NAMES = frozenset(
    "and or by to from with towards at of plus minus times is are in into where when over under above below "
    "exceeds".split()
)
"""What follows `a` only where that is a name."""

_COLLOCATIONS = frozenset("component components part coordinate coordinates axis channel channels value".split())


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt as the model reads it."""

    text: str
    """With `<v0>`, `<v1>` for names and `<n0>`, `<n1>` for numbers, counted by their first appearance."""
    slots: Mapping[str, str]
    """Slot -> what the person wrote."""


def detect(prompt: str) -> Prompt:
    """Find names and numbers. A name has one slot wherever it stands; each number has its own.

    Names are what stands in back quotes, what is declared (`float radius`, `named glow`), and what no English word
    looks like. More of them than there are slots are left as they are.
    """
    if _SLOT.search(prompt):
        return Prompt(text=prompt, slots={})
    pieces = list(_PIECE.finditer(prompt))
    names = _names(pieces)
    slot_of: dict[str, str] = {}
    slots: dict[str, str] = {}
    numbers = 0
    out, end = [], 0
    for i, piece in enumerate(pieces):
        slot = None
        if piece["number"] is not None:
            if numbers < NUM_NUMBER_SLOTS:
                slot = f"<n{numbers}>"
                numbers += 1
                slots[slot] = _number(piece["number"])
        else:
            name = piece["quoted"] or piece["word"]
            if name in names and (piece["quoted"] or not _is_plain_here(pieces, i)):
                if name not in slot_of and len(slot_of) < NUM_NAME_SLOTS:
                    slot_of[name] = f"<v{len(slot_of)}>"
                    slots[slot_of[name]] = name
                slot = slot_of.get(name)
        if slot is not None:
            out += [prompt[end : piece.start()], slot]
            end = piece.end()
    return Prompt(text="".join([*out, prompt[end:]]), slots=slots)


def _names(pieces: list[re.Match[str]]) -> set[str]:
    names: set[str] = set()
    for i, piece in enumerate(pieces):
        if piece["quoted"]:
            names.add(piece["quoted"])
        elif piece["word"] and _is_name(pieces, i, names):
            names.add(piece["word"])
    return names


def _is_name(pieces: list[re.Match[str]], i: int, names: set[str]) -> bool:
    word = pieces[i]["word"]
    low = word.lower()
    if word == "a":
        return not _is_plain_here(pieces, i) and _declares(pieces, i)
    if _TYPE_WORD.fullmatch(low) or _is_plain_here(pieces, i):
        return False
    before = _word(pieces, i - 1)
    of_struct = before in names and _word(pieces, i - 2) in ("inputs", "parameters", "taking", "of", "accepts")
    if of_struct or _declares(pieces, i):
        if low in DECLARABLE and low not in ("field", "sum", "total"):
            return True
        return low not in english() and low not in FUNCTION_WORDS
    if _SHAPED.fullmatch(word) and low not in english():
        return True
    bound = before.lower() == "with" and _word(pieces, i + 1) == "defined"
    return (bound or before.lower() in INTRODUCING) and low not in english()


def _declares(pieces: list[re.Match[str]], i: int) -> bool:
    """Whether the words before declare: `float`, `3d vector`, `two component`, `named`."""
    before = _word(pieces, i - 1).lower()
    if before in ("vector", "component"):
        return _word(pieces, i - 2).lower() in ("2d", "3d", "4d", "two", "three", "four")
    return before in DECLARING


def _is_plain_here(pieces: list[re.Match[str]], i: int) -> bool:
    """Whether the word is English at this place whatever it is elsewhere: `the x component`, `radius 2`, `a float`."""
    word = pieces[i]["word"]
    after = pieces[i + 1] if i + 1 < len(pieces) else None
    if word == "a":
        return after is not None and _touch(pieces[i], after) and (after["word"] or "") not in _AFTER_NAMES
    if after is None:
        return False
    if len(word) <= 3 and _word(pieces, i - 1) == "the" and (after["word"] or "") in _COLLOCATIONS:
        return True
    return word.lower() in DECLARABLE and after["number"] is not None


def _touch(piece: re.Match[str], after: re.Match[str]) -> bool:
    """Whether nothing but spaces stands between two pieces."""
    return not piece.string[piece.end() : after.start()].strip()


def _word(pieces: list[re.Match[str]], i: int) -> str:
    """The word at a place, or an empty one."""
    return (pieces[i]["word"] or pieces[i]["quoted"] or "") if 0 <= i < len(pieces) else ""


def _number(text: str) -> str:
    plain = text.replace("\u2212", "-")
    return plain.replace(".", "0.", 1) if plain.lstrip("-").startswith(".") else plain


def unslot(code: str, slots: Mapping[str, str]) -> str:
    """Put names and numbers back. A name that WGSL keeps for itself, or that the code itself uses, gets an underscore;
    a whole number becomes a float except where a count stands (array lengths, workgroup sizes, loop bounds)."""
    taken = set(_IDENTIFIER.findall(_SLOT.sub(" ", code)))
    texts: dict[str, str] = {}
    for slot, text in slots.items():
        texts[slot] = text if slot[1] == "n" else _free_name(text, taken)
    return _COUNTED.sub(lambda found: _filled(found, texts), code)


_COUNTED = re.compile(r"(?P<before>array<[\w<>]+, |@workgroup_size\(|\bi < |\[)?(?P<slot><[nv]\d+>)")


def _filled(found: re.Match[str], texts: Mapping[str, str]) -> str:
    before, slot = found["before"] or "", found["slot"]
    text = texts.get(slot, slot)
    if slot[1] == "n" and slot in texts and not before:
        text = text if "." in text else f"{text}.0"
        text = f"({text})" if text.startswith("-") else text
    return before + text


def _free_name(name: str, taken: set[str]) -> str:
    while name in NOT_NAMES or name in taken or name.startswith("__"):
        name = name.lstrip("_") + "_"
    return name
