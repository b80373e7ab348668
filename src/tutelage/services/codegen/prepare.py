"""From a config to what training reads: programs, vocabulary, held-out pairs. The same seed gives the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tutelage.core.errors import InvalidSpec
from tutelage.services.codegen.batches import Example
from tutelage.services.codegen.config import CodegenConfig, TransformerConfig
from tutelage.services.codegen.data.corpus import Corpus
from tutelage.services.codegen.data.pairs import Pair, realise
from tutelage.services.codegen.data.split import Split
from tutelage.services.codegen.known import own_pairs, shader_pairs
from tutelage.services.codegen.language.sentences import SentenceTokenizer
from tutelage.services.codegen.language.tokenizer import CodeTokenizer
from tutelage.services.codegen.reading import Retrieval
from tutelage.services.codegen.retrieval.index import RetrievalIndex
from tutelage.services.codegen.vocabulary import Vocabulary

SENTENCES = 8000
"""Sentences that the vocabulary is learned from, at most."""
LEAST_SENTENCE_TOKENS = 512
OWN_SHARE = 0.25
"""Share of the examples that are drawn from users' own pairs, where there are any."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Everything that training reads, besides the model."""

    corpus: Corpus
    vocabulary: Vocabulary
    model: TransformerConfig
    composition: Sequence[Pair]
    iid: Sequence[Pair]
    own: Sequence[Pair]
    """Users' own pairs."""
    retrieval: Retrieval | None
    """What the encoder reads beside a sentence; None where it reads nothing."""

    def example(self, position: int, share: float) -> Example:
        """Return the example at a position of the endless stream: a fresh sentence of a program, or a user's pair."""
        pair = self._own_at(position) or self.corpus.pair(position, share=share)
        return self.source(pair), self.vocabulary.target(pair.slotted_code)

    def source(self, pair: Pair) -> list[int]:
        """Return what the encoder reads of a pair, its nearest other examples included where it reads them."""
        if self.retrieval is None:
            return self.vocabulary.source(pair.slotted_sentence)
        return self.retrieval.source(pair.slotted_sentence, slots=pair.slots, leave_out=pair.slotted_code)

    def _own_at(self, position: int) -> Pair | None:
        draw = random.Random(f"{self.corpus.seed} own {position}")
        return draw.choice(self.own) if self.own and draw.random() < OWN_SHARE else None


def prepare(config: CodegenConfig, *, seed: int) -> Prepared:
    """Generate the programs and learn the vocabulary. Raises InvalidSpec where pairs do not fit the model."""
    data = config.data
    corpus = Corpus.generate(level=data.level, seed=seed, num_programs=data.num_programs)
    vocabulary = learn_vocabulary(corpus, config.model, seed=seed)
    model = config.model.sized(vocab_size=vocabulary.size, target_vocab_size=vocabulary.target_size)
    own = own_pairs(data.examples)
    prepared = Prepared(
        corpus=corpus,
        vocabulary=vocabulary,
        model=model,
        composition=_held_out(config, "composition", seed, data.num_held_out),
        iid=_held_out(config, "iid", seed, min(data.num_held_out, config.training.eval_prompts)),
        own=own,
        retrieval=_retrieval(config, corpus, own, vocabulary, model),
    )
    _check_lengths(prepared)
    return prepared


def known_pairs(config: CodegenConfig, corpus: Corpus, own: Sequence[Pair]) -> list[Pair]:
    """Return everything that may be retrieved: what is learned from, and the user's shaders."""
    return [*corpus.fixed_pairs(), *own, *shader_pairs(config.data.corpus)]


def _retrieval(
    config: CodegenConfig, corpus: Corpus, own: Sequence[Pair], vocabulary: Vocabulary, model: TransformerConfig
) -> Retrieval | None:
    if not config.data.retrieve:
        return None
    index = RetrievalIndex(known_pairs(config, corpus, own))
    return Retrieval(index=index, vocabulary=vocabulary, count=config.data.retrieve, most=model.max_source_tokens)


def learn_vocabulary(corpus: Corpus, model: TransformerConfig, *, seed: int) -> Vocabulary:
    """Return the fixed vocabulary of code, and sub-words learned from sentences about the corpus."""
    code = CodeTokenizer.standard()
    room = model.vocab_size - code.size
    if code.size > model.target_vocab_size or room < LEAST_SENTENCE_TOKENS:
        raise InvalidSpec(
            f"code has {code.size} tokens; model.target_vocab_size is {model.target_vocab_size}, "
            f"and model.vocab_size {model.vocab_size} leaves {room} for sentences",
            hint=f"give at least {code.size} and {code.size + LEAST_SENTENCE_TOKENS}",
        )
    draw = random.Random(f"{seed} vocabulary")
    programs = [draw.choice(corpus.programs) for _ in range(min(SENTENCES, 4 * len(corpus)))]
    sentences = [realise(program, draw).slotted_sentence for program in programs]
    return Vocabulary(code, SentenceTokenizer.train(sentences, vocab_size=min(room, 1024)))


def _held_out(config: CodegenConfig, split: Split, seed: int, num_programs: int) -> list[Pair]:
    corpus = Corpus.generate(level=config.data.level, split=split, seed=seed, num_programs=num_programs)
    return corpus.fixed_pairs()


def _check_lengths(prepared: Prepared) -> None:
    """Every held-out pair and every pair of the user's fits the model; the generator bounds its pairs alike."""
    for pair in (*prepared.composition, *prepared.iid, *prepared.own):
        lengths = (
            ("max_source_tokens", len(prepared.vocabulary.source(pair.slotted_sentence))),
            ("max_target_tokens", len(prepared.vocabulary.target(pair.slotted_code)) + 1),
        )
        for name, length in lengths:
            if length > getattr(prepared.model, name):
                raise InvalidSpec(
                    f"a pair has {length} tokens, and model.{name} is {getattr(prepared.model, name)}: "
                    f"{pair.sentence[:80]!r}",
                    hint=f"raise model.{name}, or leave that pair out",
                )
