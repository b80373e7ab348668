"""Code to ids and back, exactly, whatever the text."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tutelage.core.errors import DamagedFile
from tutelage.services.codegen.language.lexer import lexemes
from tutelage.services.codegen.language.vocabulary import BYTES, EOS, PAD, SOS, SPECIALS, UNK, standard_tokens

FORMAT = "tutelage-wgsl-lexemes-1"
MAX_CACHED = 65_536
"""Lines and words remembered; then the memory is emptied."""

_NUM_FIXED = len(SPECIALS) + len(BYTES)


class CodeTokenizer:
    """WGSL lexemes to ids: one id a lexeme of the vocabulary; others as the longest sub-words, characters or bytes.

    `decode(encode(text)) == text` for every text of Unicode characters. Ids 0 to 3 are `<pad> <unk> <sos> <eos>`,
    then 256 bytes, then the rest sorted. Decoding leaves the special tokens out.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)
        self._ids = {token: i for i, token in enumerate(self.tokens) if i >= _NUM_FIXED}
        self._longest = max((len(token) for token in self._ids if token.isidentifier()), default=1)
        self._texts = ["" if i < _NUM_FIXED else token for i, token in enumerate(self.tokens)]
        self._lines: dict[str, list[int]] = {}
        self._words: dict[str, list[int]] = {}

    @classmethod
    def standard(cls) -> CodeTokenizer:
        """The fixed vocabulary, which covers the generated language."""
        return cls(standard_tokens())

    @classmethod
    def build(cls, codes: Iterable[str], *, at_least: int = 2) -> CodeTokenizer:
        """The fixed vocabulary and every lexeme that occurs `at_least` times in these codes, sorted into it."""
        counts = collections.Counter(lexeme for code in codes for lexeme in lexemes(code))
        fixed = standard_tokens()
        own = {lexeme for lexeme, count in counts.items() if count >= at_least and lexeme not in SPECIALS}
        return cls([*fixed[:_NUM_FIXED], *sorted(own.union(fixed[_NUM_FIXED:]))])

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.tokens)

    @property
    def pad(self) -> int:
        """Id that fills batches up."""
        return PAD

    @property
    def unk(self) -> int:
        """Id of the unknown; encoding never gives it."""
        return UNK

    @property
    def sos(self) -> int:
        """Id that begins a sequence."""
        return SOS

    @property
    def eos(self) -> int:
        """Id that ends a sequence."""
        return EOS

    def id_of(self, token: str) -> int:
        """Return the id of a token of the vocabulary. Raises KeyError."""
        return self._ids[token]

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without `<sos>` and `<eos>`."""
        first, *rest = text.split("\n")
        lines = self._lines
        ids = list(lines.get(first) or self._encode_line(first))
        for line in rest:
            key = "\n" + line
            ids += lines.get(key) or self._encode_line(key)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, without special tokens; broken UTF-8 becomes U+FFFD."""
        wanted = list(ids)
        if all(i >= _NUM_FIXED for i in wanted):
            return "".join([self._texts[i] for i in wanted])
        data = b"".join(
            bytes([i - len(SPECIALS)]) if len(SPECIALS) <= i < _NUM_FIXED else self._texts[i].encode() for i in wanted
        )
        return data.decode(errors="replace")

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON."""
        path.write_text(json.dumps({"format": FORMAT, "tokens": self.tokens}, indent=0), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> CodeTokenizer:
        """Read what `save` wrote. Raises DamagedFile for anything else."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            tokens = found["tokens"]
            whole = found["format"] == FORMAT and len(set(tokens)) == len(tokens)
            whole = whole and tokens[:_NUM_FIXED] == [*SPECIALS, *BYTES] and tokens == [str(token) for token in tokens]
        except (ValueError, KeyError, TypeError) as error:
            raise DamagedFile(f"{path.name} cannot be read as a code vocabulary: {error}") from error
        if not whole:
            raise DamagedFile(f"{path.name} is not a code vocabulary of the form {FORMAT}", hint="train again")
        return cls(tokens)

    def _encode_line(self, line: str) -> list[int]:
        found = lexemes(line)
        try:
            ids = [self._ids[lexeme] for lexeme in found]
        except KeyError:
            ids = self._encode_lexemes(found)
        if len(self._lines) >= MAX_CACHED:
            self._lines.clear()
        self._lines[line] = ids
        return ids

    def _encode_lexemes(self, found: Sequence[str]) -> list[int]:
        known, words = self._ids.get, self._words
        ids: list[int] = []
        for lexeme in found:
            id = known(lexeme)
            if id is not None:
                ids.append(id)
            elif lexeme in words:
                ids += words[lexeme]
            else:
                if len(words) >= MAX_CACHED:
                    words.clear()
                words[lexeme] = self._pieces(lexeme)
                ids += words[lexeme]
        return ids

    def _pieces(self, lexeme: str) -> list[int]:
        """The longest known piece again and again; a character that is none is written in bytes."""
        ids: list[int] = []
        start = 0
        while start < len(lexeme):
            for end in range(min(len(lexeme), start + self._longest), start, -1):
                if lexeme[start:end] in self._ids:
                    ids.append(self._ids[lexeme[start:end]])
                    break
            else:
                end = start + 1
                ids += [len(SPECIALS) + byte for byte in lexeme[start:end].encode()]
            start = end
        return ids
