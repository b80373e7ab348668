"""Sentences to ids: a small byte-level BPE that never cuts a slot."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from tutelage.core.errors import DamagedFile
from tutelage.services.codegen.language.vocabulary import NAME_SLOTS, NUMBER_SLOTS, SPECIALS

SEPARATORS = ("<sep>", "<code>")
"""Before a retrieved example's sentence, and before its code."""


class SentenceTokenizer:
    """Sentences in lower case to sub-word ids; slots and separators are one id each. Ids 0 to 3 are the code's."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def train(cls, sentences: Iterable[str], *, vocab_size: int = 1024) -> SentenceTokenizer:
        """Learn at most `vocab_size` tokens; fewer where the sentences hold no more."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        whole = [
            AddedToken(text, lstrip=True, rstrip=True, normalized=False)
            for text in (*NAME_SLOTS, *NUMBER_SLOTS, *SEPARATORS)
        ]
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=[*SPECIALS, *whole],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(sentences, trainer=trainer)
        return cls(tokenizer)

    @classmethod
    def load(cls, path: Path) -> SentenceTokenizer:
        """Read what `save` wrote. Raises DamagedFile for anything else."""
        try:
            return cls(Tokenizer.from_str(path.read_text(encoding="utf-8")))
        except Exception as error:  # the library raises plain exceptions; whatever it says, the file is no tokenizer
            raise DamagedFile(f"{path.name} cannot be read as a tokenizer of sentences: {error}") from error

    def save(self, path: Path) -> None:
        """Write the library's JSON."""
        path.write_text(self._tokenizer.to_str(), encoding="utf-8")

    @property
    def size(self) -> int:
        """Number of ids."""
        return int(self._tokenizer.get_vocab_size())

    def id_of(self, token: str) -> int:
        """Return the id of a special token, slot or separator. Raises KeyError."""
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise KeyError(token)
        return int(found)

    def encode(self, sentence: str) -> list[int]:
        """Return the ids of a sentence."""
        return list(self._tokenizer.encode(sentence, add_special_tokens=False).ids)

    def decode(self, ids: Iterable[int]) -> str:
        """Return a sentence that encodes alike: lower case, spaces made even."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))
