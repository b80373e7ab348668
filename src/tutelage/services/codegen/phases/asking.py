"""The prompts that every phase is measured on: the same held-out compositions, whoever writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from tutelage.services.codegen.artifacts import STATS, load_config
from tutelage.services.codegen.config import DecodingConfig
from tutelage.services.codegen.data.corpus import Corpus
from tutelage.services.codegen.decoding.write import write
from tutelage.services.codegen.engines.base import SequenceEngine, StepEngine
from tutelage.services.codegen.held_out import Question, questions
from tutelage.services.codegen.known import KNOWN, load_known
from tutelage.services.codegen.reading import Retrieval
from tutelage.services.codegen.retrieval.index import RetrievalIndex
from tutelage.services.codegen.vocabulary import Vocabulary

Ids = tuple[int, ...]
Writer = Callable[[Sequence[Sequence[int]]], list[Ids]]
"""Writes greedily: sources to ids."""

GREEDY = DecodingConfig(constrain=False)
BATCH = 64


def asked_of(artifacts: Path, vocabulary: Vocabulary) -> list[Question]:
    """Return the held-out prompts of the training that left these artifacts, drawn again from its level and seed."""
    stats = json.loads((artifacts / STATS).read_text())
    corpus = Corpus.generate(
        level=stats["level"], split="composition", seed=stats["seed"], num_programs=stats["held_out_prompts"]
    )
    if not stats["retrieve"]:
        return questions(corpus.fixed_pairs(), vocabulary)
    index = RetrievalIndex(load_known(artifacts / KNOWN))
    most = load_config(artifacts).max_source_tokens
    retrieval = Retrieval(index=index, vocabulary=vocabulary, count=stats["retrieve"], most=most)
    return questions(
        corpus.fixed_pairs(),
        vocabulary,
        lambda pair: retrieval.source(pair.slotted_sentence, slots=pair.slots, leave_out=pair.slotted_code),
    )


def stepwise(engine: StepEngine, *, max_tokens: int) -> Writer:
    """Return an engine that steps as a writer."""
    return lambda sources: [item.ids for item in write(engine, sources, GREEDY, max_tokens=max_tokens)]


def whole(engine: SequenceEngine, *, max_tokens: int) -> Writer:
    """Return an engine that searches by itself as a writer."""

    def written(sources: Sequence[Sequence[int]]) -> list[Ids]:
        found: list[Ids] = []
        for first in range(0, len(sources), BATCH):
            batch = sources[first : first + BATCH]
            found += [tuple(ids) for ids in engine.write(batch, GREEDY, max_tokens=max_tokens)]
        return found

    return written


def exact_match(asked: Sequence[Question], written: Sequence[Ids]) -> float:
    """Return the share of prompts that were answered token for token."""
    return sum(tuple(one.target) == ids for one, ids in zip(asked, written, strict=True)) / len(asked)


def equal_share(left: Sequence[Ids], right: Sequence[Ids]) -> float:
    """Return the share of prompts on which two writers wrote the very same tokens."""
    return sum(one == other for one, other in zip(left, right, strict=True)) / len(left)
