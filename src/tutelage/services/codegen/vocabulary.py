"""One table of ids for both languages: code first, which can be written; then what only sentences hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from tutelage.services.codegen.language.sentences import SEPARATORS, SentenceTokenizer
from tutelage.services.codegen.language.tokenizer import CodeTokenizer
from tutelage.services.codegen.language.vocabulary import NAME_SLOTS, NUMBER_SLOTS, SPECIALS

CODE_FILE, SENTENCE_FILE = "code_tokenizer.json", "sentence_tokenizer.json"
SHARED = (*SPECIALS, *NAME_SLOTS, *NUMBER_SLOTS)
"""Tokens that mean the same in both languages: a slot is copied, so it has one row of the embedding."""


class Vocabulary:
    """Joins the two tokenizers. Ids below `target_size` are the code tokenizer's own."""

    def __init__(self, code: CodeTokenizer, sentences: SentenceTokenizer) -> None:
        self.code, self.sentences = code, sentences
        shared = {sentences.id_of(token): code_id(code, token) for token in SHARED}
        self._joined: list[int] = []
        following = code.size
        for token in range(sentences.size):
            if token in shared:
                self._joined.append(shared[token])
            else:
                self._joined.append(following)
                following += 1
        self._size = following

    @property
    def size(self) -> int:
        """Number of ids that can be read."""
        return self._size

    @property
    def target_size(self) -> int:
        """Number of ids that can be written."""
        return self.code.size

    @property
    def fingerprint(self) -> str:
        """What tells this vocabulary from any other."""
        probe = [*self._joined, *self.source("write a function <v0> of float <v1> that returns the sine of <v1>")]
        return hashlib.sha256(json.dumps([list(self.code.tokens), probe]).encode()).hexdigest()

    def source(self, sentence: str, examples: Sequence[tuple[str, str]] = ()) -> list[int]:
        """Return what the encoder reads: the sentence, then each retrieved (sentence, code) behind its separators."""
        sentence_mark, code_mark = (self._joined[self.sentences.id_of(mark)] for mark in SEPARATORS)
        ids = self._sentence(sentence)
        for near_sentence, near_code in examples:
            ids += [sentence_mark, *self._sentence(near_sentence), code_mark, *self.code.encode(near_code)]
        return ids

    def target(self, code: str) -> list[int]:
        """Return what the decoder writes, without <sos> and <eos>."""
        return self.code.encode(code)

    def text(self, ids: Sequence[int]) -> str:
        """Return the code that was written."""
        return self.code.decode(ids)

    def save(self, folder: Path) -> None:
        """Write both tokenizers."""
        self.code.save(folder / CODE_FILE)
        self.sentences.save(folder / SENTENCE_FILE)

    @classmethod
    def load(cls, folder: Path) -> Vocabulary:
        """Read what `save` wrote. Raises DamagedFile for anything else."""
        return cls(CodeTokenizer.load(folder / CODE_FILE), SentenceTokenizer.load(folder / SENTENCE_FILE))

    def _sentence(self, sentence: str) -> list[int]:
        return [self._joined[token] for token in self.sentences.encode(sentence)]


def code_id(code: CodeTokenizer, token: str) -> int:
    """Return the id of a special token or slot in the code's vocabulary."""
    return SPECIALS.index(token) if token in SPECIALS else code.id_of(token)
