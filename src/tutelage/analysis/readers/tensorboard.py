"""Scalars from TensorBoard event files, without TensorBoard: TFRecord frames around protocol buffers.

A frame is the length (8 bytes, little endian), its checksum (4), the message, its checksum (4). A checksum is a masked
CRC-32C; that of a length is always looked at, that of a message where it holds a scalar. Of the message `Event` the
fields step (2) and summary (5) are read, of `Summary.Value` tag (1), simple_value (2, TensorBoard 1) and tensor (8,
TensorBoard 2: a float or double without dimensions).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from tutelage.core.errors import DamagedFile

EVENT_FILE = "tfevents"
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
DT_FLOAT, DT_DOUBLE = 1, 2

POLYNOMIAL, MASK = 0x82F63B78, 0xA282EAD8


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    return byte


CRC32C = [_crc_of(byte) for byte in range(256)]

Field = tuple[int, int, int | bytes]
"""(number, wire type, value)."""


def read_events(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Return the scalars of an event file; a frame that a crash left unfinished at its end is left out.

    Raises DamagedFile where a checksum does not hold: what follows or stands there is not what was written.
    """
    curves: dict[str, list[tuple[int, float]]] = {}
    for at, frame, checksum in _frames(path.read_bytes(), path.name):
        try:
            scalars = list(_scalars(frame))
        except (IndexError, struct.error, UnicodeDecodeError) as error:
            raise _damaged(path.name, at) from error
        if scalars and masked_crc32c(frame) != checksum:
            raise _damaged(path.name, at)
        for tag, step, value in scalars:
            curves.setdefault(tag, []).append((step, value))
    return curves


def masked_crc32c(data: bytes) -> int:
    """Return the checksum of a frame's part: CRC-32C (Castagnoli), rotated by 15 bits, plus a constant."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC32C[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def _frames(data: bytes, name: str) -> Iterator[tuple[int, bytes, int]]:
    """Yield (place in the file, message, its checksum as written) of each whole frame."""
    at = 0
    while at + 12 <= len(data):
        length, checksum = struct.unpack_from("<QI", data, at)
        if masked_crc32c(data[at : at + 8]) != checksum:
            raise _damaged(name, at)
        end = at + 12 + length
        if end + 4 > len(data):
            return
        yield at, data[at + 12 : end], struct.unpack_from("<I", data, end)[0]
        at = end + 4


def _damaged(name: str, at: int) -> DamagedFile:
    if at == 0:
        return DamagedFile(f"{name} is no event file of TensorBoard", hint="its first record does not hold")
    hint = f"what stands before is whole: `head -c {at} {name}` keeps it"
    return DamagedFile(f"{name} is damaged: the record at byte {at:,} does not hold", hint=hint)


def _scalars(event: bytes) -> Iterator[tuple[str, int, float]]:
    step, summaries = 0, []
    for number, wire, value in _fields(event):
        if number == 2 and wire == VARINT and isinstance(value, int):
            step = value
        elif number == 5 and isinstance(value, bytes):
            summaries.append(value)
    for summary in summaries:
        for number, _, item in _fields(summary):
            if number == 1 and isinstance(item, bytes):
                yield from _value(item, step)


def _value(item: bytes, step: int) -> Iterator[tuple[str, int, float]]:
    tag, value = "", None
    for number, wire, part in _fields(item):
        if number == 1 and isinstance(part, bytes):
            tag = part.decode()
        elif number == 2 and wire == FIXED32 and isinstance(part, bytes):
            (value,) = struct.unpack("<f", part)
        elif number == 8 and isinstance(part, bytes):
            value = _tensor(part)
    if tag and value is not None:
        yield tag, step, value


def _tensor(tensor: bytes) -> float | None:
    """Return the one number of a tensor, None where it holds something else: a text, a histogram, an image."""
    kind, raw, num_dimensions = 0, b"", 0
    for number, wire, part in _fields(tensor):
        if number == 1 and wire == VARINT and isinstance(part, int):
            kind = part
        elif number == 2 and isinstance(part, bytes):
            num_dimensions = sum(1 for inner, _, _ in _fields(part) if inner == 2)
        elif number in (4, 5, 6) and isinstance(part, bytes):  # tensor_content, float_val, double_val
            raw = part
    size = {DT_FLOAT: 4, DT_DOUBLE: 8}.get(kind)
    if num_dimensions or size is None or len(raw) != size:
        return None
    return float(struct.unpack("<f" if kind == DT_FLOAT else "<d", raw)[0])


def _fields(message: bytes) -> Iterator[Field]:
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(message, at)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, at = _varint(message, at)
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
        else:
            raise IndexError(f"wire type {wire} at byte {at}")
        if at + size > len(message):
            raise IndexError(f"a field of {size} bytes at byte {at} of {len(message)}")
        yield number, wire, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
