"""Small corpora that several tests of the language share."""

from __future__ import annotations

import functools

from tutelage.services.codegen.data.corpus import Corpus
from tutelage.services.codegen.data.pairs import Pair
from tutelage.services.codegen.data.primitives import Level
from tutelage.services.codegen.data.split import Split
from tutelage.services.codegen.language.tokenizer import CodeTokenizer
from tutelage.services.codegen.masks.lexicon import Lexicon

LEVELS: tuple[Level, ...] = ("small", "wide")


@functools.cache
def corpus(level: Level, split: Split = "train", num_programs: int = 250) -> Corpus:
    return Corpus.generate(level=level, split=split, seed=11, num_programs=num_programs)


@functools.cache
def pairs(level: Level, num_programs: int = 250) -> tuple[Pair, ...]:
    return tuple(corpus(level, num_programs=num_programs).fixed_pairs())


@functools.cache
def tokenizer() -> CodeTokenizer:
    return CodeTokenizer.standard()


@functools.cache
def lexicon() -> Lexicon:
    return Lexicon(tokenizer())
