"""How an oracle and its process talk: one JSON header and the arrays it names, length first, over pipes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

LENGTHS = struct.Struct("<II")
"""Bytes of the header, bytes of the arrays."""

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One message: plain values and arrays."""

    header: Mapping[str, Any]
    arrays: Sequence[Array] = field(default_factory=tuple)


def packed(frame: Frame) -> bytes:
    """Return the bytes of a message."""
    parts = [np.ascontiguousarray(array) for array in frame.arrays]
    shapes = [[str(part.dtype), list(part.shape)] for part in parts]
    header = json.dumps({"header": frame.header, "arrays": shapes}).encode()
    blob = b"".join(part.tobytes() for part in parts)
    return LENGTHS.pack(len(header), len(blob)) + header + blob


def lengths(start: bytes) -> int:
    """Return how many bytes follow the first eight."""
    return sum(LENGTHS.unpack(start))


def unpacked(start: bytes, rest: bytes) -> Frame:
    """Return the message of these bytes."""
    size, _ = LENGTHS.unpack(start)
    document = json.loads(rest[:size])
    arrays, at = [], size
    for name, shape in document["arrays"]:
        kind = np.dtype(name)
        count = int(np.prod(shape, dtype=np.int64))
        arrays.append(np.frombuffer(rest, dtype=kind, count=count, offset=at).reshape(shape))
        at += count * kind.itemsize
    return Frame(header=document["header"], arrays=arrays)


def read_frame(stream: BinaryIO) -> Frame | None:
    """Read one message; None where the other side has closed."""
    start = stream.read(LENGTHS.size)
    if len(start) < LENGTHS.size:
        return None
    rest = stream.read(lengths(start))
    return unpacked(start, rest) if len(rest) == lengths(start) else None
