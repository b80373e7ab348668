"""Checkpoints: folders that exist whole or not at all, with a manifest of hashes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.core.clock import now_s
from tutelage.core.numbers import from_json_number, to_json_number
from tutelage.core.ports import Save
from tutelage.core.service import Direction

MANIFEST = "manifest.json"
KEEP_NEWEST = 2


@dataclass(frozen=True, kw_only=True)
class StoredCheckpoint:
    """One checkpoint on disk, as its manifest says."""

    path: Path
    step: int
    attempt: int
    created_at_s: float
    num_bytes: int
    metrics: Mapping[str, float]


class CheckpointFolder:
    """The checkpoints of one operation: written to a temporary folder, fsynced, renamed.

    The newest two and the best are kept. A damaged one is reported to `warn` and the one before is used.
    """

    def __init__(self, root: Path, *, warn: Callable[[str], None] = lambda text: None) -> None:
        self._root = root
        self._warn = warn

    def write(self, step: int, save: Save, *, attempt: int, metrics: Mapping[str, float]) -> StoredCheckpoint:
        """Write one checkpoint. Raises OSError when the disk has no room; earlier checkpoints stay valid."""
        final, temporary = self._root / str(step), self._root / f"{step}.tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        try:
            save(temporary)
            self._seal(temporary, step=step, attempt=attempt, metrics=metrics)
            self._replace(temporary, final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return read_manifest(final)

    def newest_valid(self) -> StoredCheckpoint | None:
        """Return the newest checkpoint whose files match their hashes."""
        for stored in reversed(self.list()):
            problem = verify(stored.path)
            if problem is None:
                return stored
            self._warn(f"checkpoint {stored.step} is damaged ({problem}); using the one before")
        return None

    def list(self) -> list[StoredCheckpoint]:
        """Return the checkpoints in order of steps; one without a readable manifest is reported and left out."""
        self._finish_replacements()
        found = []
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            if not folder.name.isdigit():
                continue
            try:
                found.append(read_manifest(folder))
            except (OSError, ValueError, KeyError, TypeError) as error:
                self._warn(f"checkpoint {folder.name} has no readable manifest: {error}")
        return sorted(found, key=lambda stored: stored.step)

    def rotate(self, *, objective: str | None, direction: Direction | None, keep: int = KEEP_NEWEST) -> None:
        """Remove all but the newest `keep` and the best by `objective`."""
        stored = self.list()
        kept = {item.path for item in stored[-keep:]}
        best = best_of(stored, objective=objective, direction=direction)
        if best:
            kept.add(best.path)
        for item in stored:
            if item.path not in kept:
                shutil.rmtree(item.path, ignore_errors=True)

    def _seal(self, folder: Path, *, step: int, attempt: int, metrics: Mapping[str, float]) -> None:
        files = {}
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            _fsync(path)
            name = path.relative_to(folder).as_posix()
            files[name] = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        manifest = {
            "step": step,
            "attempt": attempt,
            "created_at_s": now_s(),
            "metrics": {name: to_json_number(float(value)) for name, value in metrics.items()},
            "files": files,
        }
        path = folder / MANIFEST
        path.write_text(json.dumps(manifest, indent=1))
        _fsync(path)
        _fsync(folder)

    def _replace(self, temporary: Path, final: Path) -> None:
        """Rename into place; a former checkpoint of the same step steps aside until the new one stands."""
        aside = final.with_name(f"{final.name}.old")
        if final.exists():
            os.rename(final, aside)
        os.rename(temporary, final)
        _fsync(self._root)
        shutil.rmtree(aside, ignore_errors=True)

    def _finish_replacements(self) -> None:
        """Undo or finish a replacement that a kill cut in two."""
        for aside in self._root.glob("*.old") if self._root.is_dir() else ():
            final = aside.with_suffix("")
            if final.exists():
                shutil.rmtree(aside, ignore_errors=True)
            else:
                os.rename(aside, final)


def read_manifest(folder: Path) -> StoredCheckpoint:
    """Read what a checkpoint's manifest says, without checking the hashes."""
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    return StoredCheckpoint(
        path=folder,
        step=int(manifest["step"]),
        attempt=int(manifest["attempt"]),
        created_at_s=float(manifest["created_at_s"]),
        num_bytes=sum(entry["bytes"] for entry in manifest["files"].values()),
        metrics={name: float(from_json_number(value)) for name, value in manifest["metrics"].items()},
    )


def verify(folder: Path) -> str | None:
    """Return what is wrong with a checkpoint's files, or None."""
    try:
        files: dict[str, Any] = json.loads((folder / MANIFEST).read_text())["files"]
        for name, entry in files.items():
            if sha256_of(folder / name) != entry["sha256"]:
                return f"{name} does not match its hash"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return str(error)
    return None


def best_of(
    stored: list[StoredCheckpoint], *, objective: str | None, direction: Direction | None
) -> StoredCheckpoint | None:
    """Return the checkpoint with the best objective, or None where none carries it."""
    rated = [item for item in stored if objective in item.metrics]
    if not rated or direction is None or objective is None:
        return None
    pick = min if direction == "minimize" else max
    return pick(rated, key=lambda item: item.metrics[objective])


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
