"""Users' own pairs as the model learns them: names and numbers of the sentence become slots in the code."""

from __future__ import annotations

from tutelage.services.codegen.data.examples import Example
from tutelage.services.codegen.data.pairs import Pair
from tutelage.services.codegen.language.lexer import lexemes
from tutelage.services.codegen.language.slots import detect


def own_pair(example: Example) -> Pair:
    """Return the pair: every identifier of the code that the sentence names, and the first number of each value that
    it gives, are slots; the rest of the code stays as it is."""
    prompt = detect(example.natural_language)
    names = {text: slot for slot, text in prompt.slots.items() if slot[1] == "v"}
    numbers = {text: slot for slot, text in reversed(list(prompt.slots.items())) if slot[1] == "n"}
    slotted = "".join(_slotted(lexeme, names, numbers) for lexeme in lexemes(example.wgsl_code))
    return Pair(
        sentence=example.natural_language,
        code=example.wgsl_code,
        slotted_sentence=prompt.text,
        slotted_code=slotted,
        slots=prompt.slots,
        program=None,
    )


def _slotted(lexeme: str, names: dict[str, str], numbers: dict[str, str]) -> str:
    if lexeme in names:
        return names[lexeme]
    if lexeme.endswith("(") and lexeme[:-1] in names:
        return names[lexeme[:-1]] + "("
    return numbers.get(lexeme) or numbers.get(lexeme.removesuffix(".0")) or lexeme
