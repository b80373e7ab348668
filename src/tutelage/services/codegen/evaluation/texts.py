"""Texts compared by their lexemes: BLEU, and the longest run that was copied from training."""

from __future__ import annotations

import collections
import math
import re
from collections.abc import Iterable, Sequence

from tutelage.services.codegen.language.lexer import lexemes
from tutelage.services.codegen.language.words import FUNCTIONS, KEYWORDS, SHORT_TYPES

_NAME = re.compile(r"(<v\d+>|[A-Za-z_]\w*)(\(?)")
_NUMBER = re.compile(r"<n\d+>|\d[\w.]*")
_KNOWN = FUNCTIONS | KEYWORDS | SHORT_TYPES


def bleu(candidates: Sequence[str], references: Sequence[str], *, order: int = 4) -> float:
    """Corpus BLEU over lexemes, between 0 and 1 (Papineni et al. 2002, equation 1), layout left out."""
    matched, total = [0] * order, [0] * order
    lengths = [0, 0]
    for candidate, reference in zip(candidates, references, strict=True):
        ours, theirs = _bare(candidate), _bare(reference)
        lengths[0] += len(ours)
        lengths[1] += len(theirs)
        for n in range(1, order + 1):
            mine, wanted = _grams(ours, n), _grams(theirs, n)
            matched[n - 1] += sum((mine & wanted).values())
            total[n - 1] += sum(mine.values())
    if not all(matched):
        return 0.0
    brevity = min(0.0, 1 - lengths[1] / lengths[0])
    return math.exp(brevity + sum(math.log(m / t) for m, t in zip(matched, total, strict=True)) / order)


class CopiedRuns:
    """Finds the longest run of lexemes that a code shares with any training code, names and numbers made equal."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._letters: dict[str, str] = {}
        distinct = dict.fromkeys(tuple(_anonymous(code)) for code in codes)
        self._text = "\n".join(self._spell(code) for code in distinct)

    def longest(self, code: str) -> int:
        """Return the length of the longest copied run, in lexemes."""
        spelled = self._spell(_anonymous(code))
        best = start = 0
        for end in range(1, len(spelled) + 1):
            while start < end - best and spelled[start:end] not in self._text:
                start += 1
            best = max(best, end - start)
        return best

    def share(self, code: str) -> float:
        """Return the longest copied run over the code's length, between 0 and 1."""
        length = len(_anonymous(code))
        return self.longest(code) / length if length else 0.0

    def _spell(self, code: Sequence[str]) -> str:
        """One letter a lexeme, so that runs are found as text."""
        return "".join(self._letters.setdefault(lexeme, chr(0xE000 + len(self._letters))) for lexeme in code)


def _bare(code: str) -> list[str]:
    return [stripped for lexeme in lexemes(code) if (stripped := lexeme.strip())]


def _grams(code: Sequence[str], n: int) -> collections.Counter[tuple[str, ...]]:
    return collections.Counter(tuple(code[i : i + n]) for i in range(len(code) - n + 1))


def _anonymous(code: str) -> list[str]:
    return [part for lexeme in _bare(code) for part in _anonymous_parts(lexeme)]


def _anonymous_parts(lexeme: str) -> list[str]:
    """A name that a program made up, and the parenthesis that the lexer leaves on it, apart."""
    if _NUMBER.fullmatch(lexeme):
        return ["<n>"]
    name = _NAME.fullmatch(lexeme)
    if name is None or name[1] in _KNOWN:
        return [lexeme]
    return ["<v>", "("] if name[2] else ["<v>"]
