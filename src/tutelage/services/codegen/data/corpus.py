"""The generated corpus: distinct programs of one split, and an endless stream of fresh sentences over them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tutelage.services.codegen.data.degenerate import is_degenerate
from tutelage.services.codegen.data.growing import Soil, Unlucky
from tutelage.services.codegen.data.pairs import Pair, realise
from tutelage.services.codegen.data.primitives import Level
from tutelage.services.codegen.data.programs import GROWERS, Program
from tutelage.services.codegen.data.split import Split, split_of

SPLIT_SEED = 7
"""Which pairs of primitives are held out. Kept apart from the seed of a run, so that runs are comparable."""

DEPTHS = ((1, 2, 3), (15, 45, 40))
"""Depth of the main expression, and how often in percent."""

MAX_NUMBERS, MAX_SLOTS = 10, 18
MAX_CODE, MAX_SENTENCE = 480, 620
"""Characters, with slots: what fits into 96 tokens of code and 128 of sentence."""


def programs(*, level: Level, split: Split, seed: int) -> Iterator[Program]:
    """Yield distinct programs of a split without end: a pure function of level, split and seed. Degenerate ones are
    left out of all splits."""
    seen: set[str] = set()
    kinds = random.Random(f"{level} {seed} {split} kinds")
    growers, weights = zip(*GROWERS[level], strict=True)
    while True:
        [grower] = kinds.choices(growers, weights)
        yield _first(
            grower, level=level, split=split, rng=random.Random(f"{level} {seed} {split} {len(seen)}"), seen=seen
        )


def _first(
    grower: Callable[[Soil, int], Program], *, level: Level, split: Split, rng: random.Random, seen: set[str]
) -> Program:
    """Draw programs of a kind until one is new, of the split, and not degenerate."""
    while True:
        try:
            program = grower(Soil(level=level, rng=rng), rng.choices(*DEPTHS)[0])
        except Unlucky:
            continue
        code = program.code()
        if code in seen or not _fits(program, code) or split_of(program.edges(), code, seed=SPLIT_SEED) != split:
            continue
        if not is_degenerate(program, np.random.default_rng(len(seen))):
            seen.add(code)
            return program


def _fits(program: Program, code: str) -> bool:
    names = len(set(code.split("$")[1::2]))
    return (
        len(code) <= MAX_CODE
        and len(program.numbers) <= MAX_NUMBERS
        and names + len(program.numbers) <= MAX_SLOTS
        and len(program.say(random.Random(0))) <= MAX_SENTENCE
    )


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A fixed list of distinct programs; the sentences are drawn anew each time."""

    level: Level
    split: Split
    seed: int
    programs: tuple[Program, ...]

    @classmethod
    def generate(cls, *, level: Level, split: Split = "train", seed: int = 0, num_programs: int = 20_000) -> Corpus:
        """Draw `num_programs` distinct programs: seconds for 20,000."""
        stream = programs(level=level, split=split, seed=seed)
        found = tuple(next(stream) for _ in range(num_programs))
        return cls(level=level, split=split, seed=seed, programs=found)

    def __len__(self) -> int:
        return len(self.programs)

    def pair(self, position: int, *, share: float = 1.0) -> Pair:
        """Return the pair at a position of the endless stream: a pure function of seed, position and `share`.

        Every program comes once an epoch, in a new order and in new words each time. With `share` below 1 only that
        share of the programs is drawn from, the shortest: a curriculum raises it as training goes on.
        """
        num = max(1, round(share * len(self.programs)))
        epoch, within = divmod(position, num)
        index = int(self._by_size[self._order(num, epoch)[within]])
        return realise(self.programs[index], random.Random(f"{self.seed} {position}"))

    def fixed_pairs(self) -> list[Pair]:
        """Return every program once, in its order, each with the one sentence that the seed gives it."""
        return [realise(program, random.Random(f"{self.seed} fixed {i}")) for i, program in enumerate(self.programs)]

    @cached_property
    def _by_size(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.argsort([len(program.code()) for program in self.programs], kind="stable")

    @cached_property
    def _orders(self) -> dict[tuple[int, int], np.ndarray[tuple[int], np.dtype[np.int64]]]:
        return {}

    def _order(self, num: int, epoch: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The order of an epoch over the shortest `num`; the newest is remembered."""
        if (num, epoch) not in self._orders:
            self._orders.clear()
            self._orders[num, epoch] = np.random.default_rng([self.seed, epoch, num]).permutation(num)
        return self._orders[num, epoch]
