"""Inputs of a home: written while they arrive, kept once their content has the hash they came under."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tutelage.control.base import Base
from tutelage.control.files import room_on_disk
from tutelage.core.errors import InvalidSpec, NotFound
from tutelage.core.inputs import NAME, SHA256, Input

PART = "."
"""How a file begins that has not arrived whole; no input may be called so."""


def put(base: Base, sha256: str, *, name: str, chunks: Iterable[bytes]) -> Input:
    """Keep the content of `chunks` under its hash. Raises InvalidSpec where the content has another one."""
    folder = _folder(base, sha256)
    if NAME.match(name) is None:
        raise InvalidSpec(f"an input cannot be called {name[:120]!r}", hint="letters, digits and ._- such as train.csv")
    target = folder / name
    with room_on_disk():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=PART, delete=False) as file:
            part = Path(file.name)
            try:
                _write_checked(file, chunks, sha256)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
    return _shown(sha256, target)


def get(base: Base, sha256: str, *, name: str | None = None) -> Input:
    """Return the input of a hash, by its name where it has several. Raises NotFound."""
    folder = _folder(base, sha256)
    files = sorted(path for path in folder.iterdir() if not path.name.startswith(PART)) if folder.is_dir() else []
    chosen = [path for path in files if name in (None, path.name)]
    if not chosen:
        raise NotFound(f"there is no input {sha256[:12]}..{f' called {name!r}' if name else ''}", hint="PUT sends it")
    return _shown(sha256, chosen[0])


def unused(base: Base, specs: str, *, before_s: float) -> list[Path]:
    """Return the folders of inputs older than `before_s` whose hash stands nowhere in `specs`."""
    root = base.files.inputs
    folders = root.iterdir() if root.is_dir() else ()
    return [item for item in folders if item.name not in specs and item.stat().st_mtime < before_s]


def _folder(base: Base, sha256: str) -> Path:
    if SHA256.match(sha256) is None:
        raise InvalidSpec(f"{sha256[:80]!r} is no SHA-256", hint="64 hexadecimal digits in lower case")
    return base.files.inputs / sha256


def _write_checked(file: tempfile._TemporaryFileWrapper[bytes], chunks: Iterable[bytes], sha256: str) -> None:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    if digest.hexdigest() != sha256:
        raise InvalidSpec(f"the content has the SHA-256 {digest.hexdigest()}, not {sha256}", hint="send it again")


def _shown(sha256: str, path: Path) -> Input:
    return Input(sha256=sha256, name=path.name, bytes=path.stat().st_size, path=str(path))
