"""Retrieved examples as the encoder reads them: under slot names of their own, so that nothing is copied by mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tutelage.services.codegen.data.pairs import Pair, fill
from tutelage.services.codegen.language.vocabulary import NUM_NAME_SLOTS, NUM_NUMBER_SLOTS

_LIMITS = {"v": NUM_NAME_SLOTS, "n": NUM_NUMBER_SLOTS}


def as_examples(pairs: Sequence[Pair], *, slots: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (sentence, code) of each neighbour, its slots numbered on from those of the prompt and of the neighbours
    before it; where the numbers run out, its names and numbers stand as text."""
    used = {letter: sum(slot[1] == letter for slot in slots) for letter in _LIMITS}
    return [_renumbered(pair, used) for pair in pairs]


def _renumbered(pair: Pair, used: dict[str, int]) -> tuple[str, str]:
    names: dict[str, str] = {}
    for slot, text in pair.slots.items():
        letter = slot[1]
        if used[letter] < _LIMITS[letter]:
            names[slot] = f"<{letter}{used[letter]}>"
            used[letter] += 1
        else:
            names[slot] = text
    return fill(pair.slotted_sentence, names), fill(pair.slotted_code, names)
