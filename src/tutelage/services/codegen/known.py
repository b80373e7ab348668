"""What a model can retrieve from: every pair that it learned from and every shader of the user's folders, as a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tutelage.core.errors import DamagedFile
from tutelage.services.codegen.data.examples import load_examples, load_shaders
from tutelage.services.codegen.data.pairs import Pair, fill
from tutelage.services.codegen.language.own_pairs import own_pair

KNOWN = "known_pairs.json"


def own_pairs(files: Sequence[str]) -> list[Pair]:
    """Return the pairs of users' files, names and numbers as slots. Raises NotFound, TooLarge or InvalidSpec."""
    return [own_pair(example) for name in files for example in load_examples(Path(name))]


def shader_pairs(folders: Sequence[str]) -> list[Pair]:
    """Return users' shaders under their descriptions: to retrieve from, not to learn."""
    return [
        _pair(sentence=shader.description, code=shader.code, slots={})
        for name in folders
        for shader in load_shaders(Path(name))
    ]


def save_known(pairs: Sequence[Pair], path: Path) -> None:
    """Write pairs, a list each: slotted sentence, slotted code, slots."""
    rows = [[pair.slotted_sentence, pair.slotted_code, dict(pair.slots)] for pair in pairs]
    path.write_text(json.dumps({"pairs": rows}, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def load_known(path: Path) -> list[Pair]:
    """Return the pairs that `save_known` wrote. Raises DamagedFile."""
    try:
        rows: list[Any] = json.loads(path.read_text(encoding="utf-8"))["pairs"]
        return [_pair(sentence=str(row[0]), code=str(row[1]), slots=dict(row[2])) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DamagedFile(f"{path.name} holds no pairs to retrieve from: {error}", hint="train again") from error


def _pair(*, sentence: str, code: str, slots: dict[str, str]) -> Pair:
    """Return a pair from its slotted texts."""
    return Pair(
        sentence=fill(sentence, slots),
        code=fill(code, slots),
        slotted_sentence=sentence,
        slotted_code=code,
        slots=slots,
        program=None,
    )
