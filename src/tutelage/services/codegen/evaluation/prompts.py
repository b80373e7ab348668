"""What is asked of a model: prompts of compositions that it never saw, and of ones that it did."""

from __future__ import annotations

from dataclasses import dataclass

from tutelage.services.codegen.data.corpus import SPLIT_SEED, Corpus
from tutelage.services.codegen.data.pairs import Pair
from tutelage.services.codegen.data.primitives import Level
from tutelage.services.codegen.data.split import Split, is_held
from tutelage.services.codegen.language.lexer import lexemes

TEST_SEED = 1_000_003
"""Seed of the test programs: no training run has it, so its sentences are new even where the words are known."""


@dataclass(frozen=True, kw_only=True)
class AskedPrompt:
    """A pair whose code the model must write, and what it is counted under."""

    pair: Pair
    num_new: int
    """Pairs of primitives in it that no training program holds."""
    num_lexemes: int
    """Length of the reference."""

    @property
    def length_band(self) -> str:
        """The length as it is reported: bands of 25 lexemes."""
        low = self.num_lexemes // 25 * 25
        return f"{low}-{low + 24}"


def held_out_prompts(*, level: Level, split: Split, num: int, seed: int = TEST_SEED) -> list[AskedPrompt]:
    """Return `num` prompts of a split, degenerate programs left out as everywhere."""
    corpus = Corpus.generate(level=level, split=split, seed=seed, num_programs=num)
    return [as_prompt(pair) for pair in corpus.fixed_pairs()]


def as_prompt(pair: Pair) -> AskedPrompt:
    """Return a pair with what it is counted under."""
    return AskedPrompt(
        pair=pair,
        num_new=sum(is_held(edge, SPLIT_SEED) for edge in pair.composition),
        num_lexemes=len(lexemes(pair.slotted_code)),
    )
