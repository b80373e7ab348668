"""What a later phase takes over from its base: the model's files and every manifest so far, as they are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tutelage.services.codegen.config import Phase
from tutelage.services.codegen.phases.base import Base
from tutelage.services.codegen.phases.manifest import PREVIOUS, path_of


def carry(base: Base, artifacts: Path) -> list[str]:
    """Give the base's outputs and manifests a place among these artifacts; return the names of the outputs."""
    manifests: list[Path] = []
    phase: Phase | None = base.manifest.phase
    while phase is not None:
        manifests.append(path_of(base.artifacts, phase))
        phase = PREVIOUS[phase]
    names = [file.path for file in base.manifest.outputs]
    for name in [*names, *(path.relative_to(base.artifacts).as_posix() for path in manifests)]:
        _place(base.artifacts / name, artifacts / name)
    return names


def files_in(artifacts: Path, folder: str) -> list[str]:
    """Return the names of all files under a folder of the artifacts, in order."""
    return sorted(path.relative_to(artifacts).as_posix() for path in (artifacts / folder).rglob("*") if path.is_file())


def _place(source: Path, target: Path) -> None:
    """Link a file, or copy it where the disk has no links; files of artifacts are never written in place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
