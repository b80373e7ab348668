"""The vocabulary as the type mask sees it: ids of the words of the language, and what a prompt offers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tutelage.services.codegen.language.tokenizer import CodeTokenizer
from tutelage.services.codegen.language.vocabulary import EOS
from tutelage.services.codegen.language.words import NOT_NAMES
from tutelage.services.codegen.masks.builtins import BUILTINS, SWIZZLES, TYPE_NAMES, Builtin

_FLOAT = re.compile(r"\d+\.\d+")
_COUNT = re.compile(r"[1-9]\d*")
BIG = 1_000_000.0
LARGEST = 3.4e38
"""What a f32 holds; the compiler refuses larger numbers."""
MAX_COUNT = 256
"""Array lengths and workgroup sizes up to this: what every device offers."""

SPARE_NAMES = (
    "value result a b c d e f g h k p q r s t u v w x y z n m color dir pos uv tmp factor weight index sum total"
).split()
"""Names for what the prompt has none for."""


class Lexicon:
    """Ids by what they are. Made once for a tokenizer."""

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self.tokenizer = tokenizer
        self.eos = EOS
        id = tokenizer.id_of
        self.types = {id(name): dim for dim, name in TYPE_NAMES.items()}
        self.type_ids = {dim: i for i, dim in self.types.items()}
        self.array_types = {id(f"array<{name}>"): dim for dim, name in TYPE_NAMES.items()}
        self.constructors = {id(f"{name}("): dim for dim, name in TYPE_NAMES.items()}
        self.calls: dict[int, Builtin] = {id(f"{builtin.name}("): builtin for builtin in BUILTINS}
        self.swizzles = {id(text): found for text, found in SWIZZLES.items()}
        self.operators = {id(f" {sign} "): sign for sign in "+-*/"}
        self.gentle_operators = [i for i, sign in self.operators.items() if sign != "/"]
        """Those after which a vector may be built of anything."""
        self.comparisons = {id(f" {sign} ") for sign in (">", "<", ">=", "<=")}
        self.floats = {
            i: float(token)
            for i, token in enumerate(tokenizer.tokens)
            if _FLOAT.fullmatch(token) and float(token) < BIG
        }
        self.counts = {
            i: int(token)
            for i, token in enumerate(tokenizer.tokens)
            if _COUNT.fullmatch(token) and int(token) <= MAX_COUNT
        }
        self.spare_names = [id(name) for name in SPARE_NAMES if name not in NOT_NAMES]
        self._words: dict[str, tuple[int, ...]] = {}

    def words(self, text: str) -> tuple[int, ...]:
        """Return the ids of a fixed piece of code."""
        if text not in self._words:
            self._words[text] = tuple(self.tokenizer.encode(text))
        return self._words[text]

    def word(self, text: str) -> int:
        """Return the id of one token."""
        return self.tokenizer.id_of(text)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a prompt offers: its slots, by id."""

    names: tuple[int, ...]
    numbers: Mapping[int, float]
    """Id of a slot or literal -> value, where a float may stand."""
    counts: Mapping[int, int]
    """Id -> value, where a whole count may stand."""
    spare: tuple[int, ...]
    """Names that hide none of the prompt's."""


def offer_of(lexicon: Lexicon, slots: Mapping[str, str]) -> Offer:
    """Return what these slots offer: names, and numbers as floats and, where they are whole, as counts."""
    id = lexicon.tokenizer.id_of
    numbers = {id(slot): float(text) for slot, text in slots.items() if slot[1] == "n" and abs(float(text)) < LARGEST}
    whole = {
        id(slot): int(text)
        for slot, text in slots.items()
        if slot[1] == "n" and _COUNT.fullmatch(text) and int(text) <= MAX_COUNT
    }
    texts = set(slots.values())
    return Offer(
        names=tuple(id(slot) for slot in slots if slot[1] == "v"),
        numbers={**lexicon.floats, **numbers},
        counts={**lexicon.counts, **whole},
        spare=tuple(i for i in lexicon.spare_names if lexicon.tokenizer.tokens[i] not in texts),
    )
