"""Opens files whatever they are packed with; the packing is seen in the bytes, not in the name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tutelage.services.tabular.data.readers.base import first_line
from tutelage.services.tabular.errors import DataUnreadable

ZIP_MAGIC = b"PK\x03\x04"
BLOCK_BYTES = 1 << 20


def _open_zip(path: Path, mode: str) -> Any:
    archive = zipfile.ZipFile(path)
    names = [item.filename for item in archive.infolist() if not item.is_dir()]
    if len(names) != 1:
        archive.close()
        raise DataUnreadable(
            f"{path.name} holds {len(names)} files: {', '.join(names[:5])}", hint="pack one table, or unpack the folder"
        )
    return archive.open(names[0])


def _open_zstd(path: Path, mode: str) -> Any:
    import pyarrow  # here: other packings do without it

    return pyarrow.input_stream(str(path), compression="zstd")


OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"\x28\xb5\x2f\xfd": _open_zstd,
    ZIP_MAGIC: _open_zip,
}


def is_packed(head: bytes) -> bool:
    """Tell whether a file's first bytes are those of a packed one."""
    return head.startswith(tuple(OPENERS))


@contextmanager
def unpacked(path: Path, head: bytes) -> Iterator[IO[bytes]]:
    """Open a file's content. Raises DataUnreadable where it cannot be unpacked to its end."""
    opener = next((entry for magic, entry in OPENERS.items() if head.startswith(magic)), open)
    try:
        with opener(path, "rb") as file:
            yield file
    except (OSError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile) as error:
        raise DataUnreadable(
            f"{path.name} cannot be unpacked: {first_line(error)}",
            hint="it is cut off or damaged: copy or write it again",
        ) from error


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content piece by piece."""
    while block := file.read(BLOCK_BYTES):
        yield bytes(block)
