"""A Parquet file of a few hundred bytes that stands for any number of rows: one value, repeated by a run length."""

from __future__ import annotations

import struct

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
DOUBLE, REQUIRED, PLAIN, RLE_DICTIONARY, RLE = 5, 0, 0, 8, 3


def _varint(value: int) -> bytes:
    block = bytearray()
    while value > 0x7F:
        block.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*block, value])


def _number(value: int) -> bytes:
    return _varint(value << 1)  # zigzag of what is not negative


def _text(value: str) -> bytes:
    return _varint(len(value)) + value.encode()


def _list(kind: int, items: list[bytes]) -> bytes:
    return bytes([len(items) << 4 | kind]) + b"".join(items)


def _struct(*fields: tuple[int, int, bytes]) -> bytes:
    """Thrift's compact form: (field id, type, content), ascending."""
    block, before = b"", 0
    for place, kind, content in fields:
        block += bytes([(place - before) << 4 | kind]) + content
        before = place
    return block + b"\0"


def _page(kind: int, body: bytes, place: int, header: bytes) -> bytes:
    size = _number(len(body))
    return _struct((1, I32, _number(kind)), (2, I32, size), (3, I32, size), (place, STRUCT, header)) + body


def parquet_of(num_rows: int) -> bytes:
    """Return a file whose one column `a` is 1.0 in `num_rows` rows."""
    count = _number(num_rows)
    dictionary = _page(2, struct.pack("<d", 1.0), 7, _struct((1, I32, _number(1)), (2, I32, _number(PLAIN))))
    levels = ((1, I32, count), (2, I32, _number(RLE_DICTIONARY)), (3, I32, _number(RLE)), (4, I32, _number(RLE)))
    data = _page(0, b"\x01" + _varint(num_rows << 1) + b"\0", 5, _struct(*levels))
    pages = b"PAR1" + dictionary + data
    column = _struct(
        (1, I32, _number(DOUBLE)),
        (2, LIST, _list(I32, [_number(PLAIN), _number(RLE_DICTIONARY)])),
        (3, LIST, _list(BINARY, [_text("a")])),
        (4, I32, _number(0)),
        (5, I64, count),
        (6, I64, _number(len(pages) - 4)),
        (7, I64, _number(len(pages) - 4)),
        (9, I64, _number(4 + len(dictionary))),
        (11, I64, _number(4)),
    )
    chunk = _struct((2, I64, _number(4)), (3, STRUCT, column))
    size = _number(len(pages))
    group = _struct((1, LIST, _list(STRUCT, [chunk])), (2, I64, size), (3, I64, count))
    root = _struct((4, BINARY, _text("schema")), (5, I32, _number(1)))
    leaf = _struct((1, I32, _number(DOUBLE)), (3, I32, _number(REQUIRED)), (4, BINARY, _text("a")))
    schema = _list(STRUCT, [root, leaf])
    footer = _struct((1, I32, _number(2)), (2, LIST, schema), (3, I64, count), (4, LIST, _list(STRUCT, [group])))
    return pages + footer + struct.pack("<I", len(footer)) + b"PAR1"
