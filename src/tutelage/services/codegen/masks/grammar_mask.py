"""The grammar mask: any layout, any names; what comes next must go on to be WGSL by its syntax."""

from __future__ import annotations

import importlib.resources
from functools import cached_property

import numpy as np
from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from tutelage.services.codegen.language.tokenizer import CodeTokenizer
from tutelage.services.codegen.language.vocabulary import BYTES, EOS, SPECIALS
from tutelage.services.codegen.masks.mask import Allowed, refused


class Grammar:
    """The grammar over a tokenizer's ids. Made once; masks share it."""

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self.tokenizer = tokenizer
        self.text = importlib.resources.files(__package__).joinpath("wgsl.lark").read_text(encoding="utf-8")

    @cached_property
    def library_tokenizer(self) -> LLTokenizer:
        """The vocabulary as the library takes it."""
        return LLTokenizer(TokenizerWrapper(_Vocabulary(self.tokenizer)), n_vocab=self.tokenizer.size)

    def mask(self) -> GrammarMask:
        """Return a mask at the beginning of a program."""
        return GrammarMask(self.tokenizer, LLMatcher(self.library_tokenizer, self.text))


class GrammarMask:
    """Follows one program by llguidance's parser."""

    def __init__(self, tokenizer: CodeTokenizer, matcher: LLMatcher) -> None:
        self._tokenizer, self._matcher = tokenizer, matcher

    def allowed(self) -> Allowed:
        """Return which ids may come next, (vocabulary,); after `<eos>`, that alone."""
        size = self._tokenizer.size
        if self._matcher.is_stopped():
            return np.asarray(np.arange(size) == EOS)
        words = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        return np.unpackbits(words, bitorder="little")[:size].astype(np.bool_)

    def advance(self, id: int) -> None:
        """Take the next token. Raises InvalidSpec for one that is not allowed."""
        if self._matcher.is_stopped():
            if id != EOS:
                raise refused(self._tokenizer.tokens[id])
        elif not self._matcher.consume_token(id):
            raise refused(self._tokenizer.tokens[id])

    def fork(self) -> GrammarMask:
        """Return an independent mask in the same place."""
        return GrammarMask(self._tokenizer, self._matcher.deep_copy())


class _Vocabulary:
    """The tokenizer under the attributes that the library reads."""

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self._tokenizer = tokenizer
        self.eos_token_id, self.bos_token_id = EOS, None
        fixed = len(SPECIALS) + len(BYTES)
        self.special_token_ids = list(range(len(SPECIALS)))
        self.tokens = [
            *(text.encode() for text in SPECIALS),
            *(bytes([byte]) for byte in range(len(BYTES))),
            *(text.encode() for text in tokenizer.tokens[fixed:]),
        ]

    def __call__(self, text: bytes) -> list[int]:
        """Return the ids of a text."""
        return self._tokenizer.encode(text.decode())
