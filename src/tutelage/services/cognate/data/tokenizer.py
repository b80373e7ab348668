"""The tokenizer: byte-level BPE learned from the very mix that is trained on, with exactly the size asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tutelage.core.errors import DamagedFile, InvalidSpec

PAD, EOS = "<pad>", "<eos>"
PAD_ID, EOS_ID = 0, 1


class TextTokenizer:
    """Text to token ids and back; id 0 pads, id 1 ends a document."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def train(cls, texts: Sequence[str], *, vocab_size: int) -> TextTokenizer:
        """Learn a vocabulary of exactly `vocab_size`. Raises InvalidSpec where the texts do not support it."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=[PAD, EOS],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer=trainer, length=len(texts))
        if tokenizer.get_vocab_size() != vocab_size:
            num_bytes = sum(len(text.encode()) for text in texts)
            raise InvalidSpec(
                f"vocab_size is {vocab_size:,}, but {len(texts):,} texts of {num_bytes:,} bytes support only "
                f"{tokenizer.get_vocab_size():,} tokens",
                hint=f"use at most {tokenizer.get_vocab_size()}, or more text",
            )
        return cls(tokenizer)

    @classmethod
    def load(cls, path: Path) -> TextTokenizer:
        """Read a `tokenizer.json`. Raises DamagedFile for one that is not whole."""
        try:
            return cls(Tokenizer.from_str(path.read_text(encoding="utf-8")))
        except Exception as error:  # the library raises plain exceptions; whatever it says, the file is no tokenizer
            raise DamagedFile(f"{path.name} cannot be read as a tokenizer: {error}") from error

    def save(self, path: Path) -> None:
        """Write `tokenizer.json`."""
        path.write_text(self._tokenizer.to_str(), encoding="utf-8")

    @property
    def vocab_size(self) -> int:
        """Number of tokens."""
        return int(self._tokenizer.get_vocab_size())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything it consists of."""
        return hashlib.sha256(self._tokenizer.to_str().encode()).hexdigest()

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_all(self, texts: Iterable[str]) -> list[list[int]]:
        """Return the ids of many texts, on all threads."""
        return [list(found.ids) for found in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, without special tokens; broken UTF-8 becomes U+FFFD."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))
