"""Token shards: documents as one long row of numbers in files that are mapped into memory, not read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tutelage.core.errors import DamagedFile, InvalidSpec

INDEX = "shards.json"
ENDS = "document_ends.npy"
MAX_TOKENS = 1 << 26
"""Tokens of one shard: 128 MiB of 16-bit numbers."""

Array = np.ndarray[Any, np.dtype[Any]]


def write_shards(
    folder: Path, documents: Iterable[Sequence[int]], *, vocab_size: int, max_tokens: int = MAX_TOKENS
) -> TokenShards:
    """Write documents of token numbers below `vocab_size` as shards with their index, and open them.

    16 bits a token up to 65,536 of them, else 32. Raises InvalidSpec for a number outside the vocabulary.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = np.dtype("<u2" if vocab_size <= 1 << 16 else "<u4")
    shards: list[dict[str, Any]] = []
    ends: list[int] = []
    waiting: list[Array] = []
    num_waiting = total = 0
    for number, document in enumerate(documents):
        tokens = np.asarray(document, dtype=np.int64)
        if len(tokens) and (tokens.min() < 0 or tokens.max() >= vocab_size):
            raise InvalidSpec(f"document {number} holds a token outside 0..{vocab_size - 1}: {int(tokens.max())}")
        waiting.append(tokens.astype(kind))
        num_waiting, total = num_waiting + len(tokens), total + len(tokens)
        ends.append(total)
        if num_waiting >= max_tokens:
            shards.append(_write_shard(folder, len(shards), np.concatenate(waiting)))
            waiting, num_waiting = [], 0
    if num_waiting or not shards:
        shards.append(_write_shard(folder, len(shards), np.concatenate(waiting or [np.empty(0, kind)])))
    np.save(folder / ENDS, np.asarray(ends, dtype=np.int64))
    index = {"dtype": kind.str, "vocab_size": vocab_size, "num_documents": len(ends), "shards": shards}
    (folder / INDEX).write_text(json.dumps(index, indent=1))
    return TokenShards(folder)


class TokenShards:
    """Reads the tokens of a folder of shards by their place in the whole row. Raises DamagedFile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            index = json.loads((folder / INDEX).read_text())
            self._kind = np.dtype(index["dtype"])
            self._maps = [self._map(shard) for shard in index["shards"]]
            self.document_ends: Array = np.load(folder / ENDS)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedFile(f"{folder} holds no token shards: {error}", hint="write them anew") from error
        self.vocab_size: int = index["vocab_size"]
        self._shards: list[dict[str, Any]] = index["shards"]
        self._ends = np.cumsum([len(each) for each in self._maps])

    def __len__(self) -> int:
        """Return the number of tokens."""
        return int(self._ends[-1])

    def read(self, start: int, stop: int) -> Tensor:
        """Return tokens `start` to `stop` (excluded) as int64, over the borders of shards and documents alike."""
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"tokens {start} to {stop} of {len(self)}")
        found = []
        while start < stop:
            number = int(np.searchsorted(self._ends, start, side="right"))
            before = int(self._ends[number - 1]) if number else 0
            part = self._maps[number][start - before : stop - before]
            found.append(part)
            start += len(part)
        return torch.from_numpy(np.concatenate(found or [np.empty(0, self._kind)]).astype(np.int64))

    def document_bounds(self, number: int) -> tuple[int, int]:
        """Return where a document begins and ends."""
        return (int(self.document_ends[number - 1]) if number else 0), int(self.document_ends[number])

    def verify(self) -> None:
        """Compare every shard with its SHA-256. Raises DamagedFile."""
        for shard in self._shards:
            with (self._folder / shard["file"]).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != shard["sha256"]:
                    raise DamagedFile(f"{shard['file']} does not match its hash", hint="write the shards anew")

    def _map(self, shard: dict[str, Any]) -> Array:
        path = self._folder / shard["file"]
        if path.stat().st_size != shard["tokens"] * self._kind.itemsize:
            raise ValueError(f"{shard['file']} has {path.stat().st_size} bytes, not {shard['tokens']} tokens")
        if shard["tokens"] == 0:
            return np.empty(0, self._kind)
        return np.memmap(path, dtype=self._kind, mode="r")


def _write_shard(folder: Path, number: int, tokens: Array) -> dict[str, Any]:
    name = f"tokens-{number:05d}.bin"
    content = tokens.tobytes()
    (folder / name).write_bytes(content)
    return {"file": name, "tokens": len(tokens), "sha256": hashlib.sha256(content).hexdigest()}
