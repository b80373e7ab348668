"""A pair of sentence and code: a program said in one of its ways, names and numbers as text and as slots."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tutelage.services.codegen.data.expressions import Edge
from tutelage.services.codegen.data.programs import Program

_MARK = re.compile(r"#(\d+)#|\$(\w+)\$")
_SLOT = re.compile(r"<[nv]\d+>")


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What a model learns from (`slotted_*`), and what a person would write and get (`sentence`, `code`)."""

    sentence: str
    code: str
    slotted_sentence: str
    """With `<v0>`, `<v1>` for names and `<n0>`, `<n1>` for numbers, counted by their first appearance here."""
    slotted_code: str
    slots: Mapping[str, str]
    """Slot -> its text."""
    program: Program | None
    """What it computes; None of users' own pairs."""

    @property
    def kind(self) -> str:
        """The program's form."""
        return self.program.kind if self.program else "own"

    @property
    def composition(self) -> frozenset[Edge]:
        """Which primitives stand directly inside which."""
        return frozenset(self.program.edges()) if self.program else frozenset()


def realise(program: Program, rng: random.Random) -> Pair:
    """Say a program in one way, drawn with `rng`, and number its slots."""
    said, code = program.say(rng), program.code()
    slot_of: dict[str, str] = {}
    slots: dict[str, str] = {}
    counts = {"n": 0, "v": 0}

    def number(mark: re.Match[str]) -> str:
        if mark[0] not in slot_of:
            letter = "n" if mark[1] else "v"
            slot = slot_of[mark[0]] = f"<{letter}{counts[letter]}>"
            counts[letter] += 1
            slots[slot] = program.numbers[int(mark[1])].text if mark[1] else mark[2]
        return slot_of[mark[0]]

    slotted_sentence = _MARK.sub(number, said)
    slotted_code = _MARK.sub(lambda mark: slot_of[mark[0]], code)
    return Pair(
        sentence=fill(slotted_sentence, slots),
        code=fill(slotted_code, slots),
        slotted_sentence=slotted_sentence,
        slotted_code=slotted_code,
        slots=slots,
        program=program,
    )


def fill(text: str, slots: Mapping[str, str]) -> str:
    """Put the texts in the slots' places; an unknown slot stays."""
    return _SLOT.sub(lambda slot: slots.get(slot[0], slot[0]), text)
